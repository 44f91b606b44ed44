#include "chronotope/components/token_pointers.hpp"

#include <map>

#include "components/pointer_bins.hpp"

namespace chronotope {
namespace {

/// The steps of one sequence that are asked in, in their order, and where each stands.
struct Queries {
  std::int32_t first = 0;
  std::map<std::int32_t, std::size_t> column;
};

std::vector<Queries> queries_of(const std::vector<TrailStep>& steps, const std::vector<TokenTrail::Asker>& askers) {
  std::map<std::int32_t, Queries> by_first;
  for (const TokenTrail::Asker& a : askers) {
    const std::int32_t first = steps[static_cast<std::size_t>(a.step)].first;
    Queries& q = by_first[first];
    q.first = first, q.column[a.step] = 0;
  }
  std::vector<Queries> all;
  for (auto& [first, q] : by_first) {
    std::size_t next = 0;
    for (auto& [step, column] : q.column) column = next++;
    all.push_back(std::move(q));
  }
  return all;
}

bool same_place(const TrailStep& a, const TrailStep& b) { return a.block == b.block && a.inner == b.inner; }

/// Fills cell `at` for step i, which asks, and step j before it.
void relate(const std::vector<TrailStep>& steps, std::size_t first, std::size_t i, std::size_t j, PointerGrid& grid, std::size_t at) {
  const TrailStep &asking = steps[i], &past = steps[j], &before = steps[i - 1];
  const TokenPosition& from = asking.user.known() ? asking.user : before.place;
  grid.recency[at] = pointer_bins::recency(asking.local - past.local);
  grid.hour[at] = pointer_bins::hour(asking.when, past.when);
  grid.weekday[at] = asking.when[2] == past.when[2] ? 1 + pointer_bins::hours_apart(asking.when, past.when) : 0;
  grid.distance[at] = from.known() && past.place.known() ? pointer_bins::distance(from, past.place, pointer_bins::cosine(from.latitude)) : PointerBins::distance;
  if (j > first) grid.follow[at] = same_place(steps[j - 1], before) + 2 * (steps[j - 1].category == before.category);
}

}  // namespace

TokenPointers::TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks) {
  const std::vector<TrailStep>& steps = trail.steps();
  std::vector<TokenTrail::Asker> askers;
  for (const PointerAsk& ask : asks) askers.push_back(trail.asker(ask.row));
  const std::vector<Queries> all = queries_of(steps, askers);
  std::size_t M = 1, N = 1;
  for (const Queries& q : all) M = std::max(M, q.column.size()), N = std::max(N, static_cast<std::size_t>(q.column.rbegin()->first - q.first));
  resize(all.size(), M, N);
  later.assign(all.size() * M * N, 1);
  std::vector<std::size_t> slot_of(steps.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    const auto first = static_cast<std::size_t>(all[s].first), last = static_cast<std::size_t>(all[s].column.rbegin()->first);
    for (std::size_t j = first; j < last; ++j) key_action[s * N + j - first] = static_cast<std::int32_t>(j), key_category[s * N + j - first] = steps[j].category;
    for (const auto& [step, column] : all[s].column) {
      const std::size_t row = s * M + column;
      query_action[row] = step, slot_of[static_cast<std::size_t>(step)] = row;
      for (std::size_t j = first; j < static_cast<std::size_t>(step); ++j) {
        relate(steps, first, static_cast<std::size_t>(step), j, *this, row * N + j - first);
        later[row * N + j - first] = 0;
      }
    }
  }
  value.assign(asks.size() * N, 0), hidden.assign(asks.size() * N, 1);
  for (std::size_t a = 0; a < asks.size(); ++a) {
    const auto step = static_cast<std::size_t>(askers[a].step), first = static_cast<std::size_t>(steps[step].first);
    slot.push_back(static_cast<std::int32_t>(slot_of[step]));
    alone.push_back(1);
    for (std::size_t j = first; j < step; ++j) {
      const TrailStep& past = steps[j];
      if (past.inner == 0 || (askers[a].block >= 0 && past.block != askers[a].block)) continue;
      hidden[a * N + j - first] = 0, alone.back() = 0;
      value[a * N + j - first] = asks[a].what == Question::block ? past.block : past.inner;
    }
  }
}

std::vector<float> TokenPointers::match(std::span<const std::int32_t> targets) const {
  std::vector<float> all(hidden.size());
  const std::size_t N = hidden.size() / targets.size();
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = hidden[i] == 0 && value[i] == targets[i / N] ? 1.f : 0.f;
  return all;
}

}  // namespace chronotope
