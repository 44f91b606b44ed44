#include "chronotope/components/past_grid.hpp"

#include <map>

#include "components/pointer_bins.hpp"

namespace chronotope {
namespace {

/// The steps that are asked in and look at one sequence, in their order, and where each stands. None looks at step `past` or later.
struct Queries {
  std::int32_t first = 0, past = 0;
  std::map<std::int32_t, std::size_t> column;
};

std::vector<Queries> queries_of(const std::vector<TrailStep>& steps, std::span<const std::int32_t> asked) {
  std::map<std::int32_t, Queries> by_first;
  for (const std::int32_t number : asked) {
    const TrailStep& step = steps[static_cast<std::size_t>(number)];
    Queries& q = by_first[step.first];
    q.first = step.first, q.past = std::max(q.past, step.past), q.column[number] = 0;
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

/// What is known of the place of step j to one that asks.
const TrailStep& place_of(const std::vector<TrailStep>& steps, const TrailStep& asking, std::size_t j) {
  static const TrailStep nowhere{};
  return asking.knows(steps[j]) ? steps[j] : nowhere;
}

/// Fills cell `at` for a step that asks and step j of its past.
void relate(const std::vector<TrailStep>& steps, const TrailStep& asking, std::size_t j, PointerGrid& grid, std::size_t at) {
  const TrailStep &past = steps[j], &before = place_of(steps, asking, static_cast<std::size_t>(asking.past) - 1);
  const TokenPosition &from = asking.user.known() ? asking.user : before.place, &to = place_of(steps, asking, j).place;
  grid.recency[at] = pointer_bins::recency(asking.local - past.local);
  grid.hour[at] = pointer_bins::hour(asking.when, past.when);
  grid.weekday[at] = asking.when[2] == past.when[2] ? 1 + pointer_bins::hours_apart(asking.when, past.when) : 0;
  grid.distance[at] = from.known() && to.known() ? pointer_bins::distance(from, to, pointer_bins::cosine(from.latitude)) : PointerBins::distance;
  if (j > static_cast<std::size_t>(asking.first)) grid.follow[at] = same_place(steps[j - 1], before) + 2 * (steps[j - 1].category == before.category);
}

}  // namespace

PastGrid::PastGrid(const TokenTrail& trail, std::span<const std::int32_t> asked) {
  const std::vector<TrailStep>& steps = trail.steps();
  const std::vector<Queries> all = queries_of(steps, asked);
  std::size_t M = 1, N = 2;  // a product with a single key may add up in another order than one with several
  for (const Queries& q : all) M = std::max(M, q.column.size()), N = std::max(N, static_cast<std::size_t>(q.past - q.first));
  resize(all.size(), M, N);
  later.assign(all.size() * M * N, 1);
  std::vector<std::size_t> slot_of(steps.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    const auto first = static_cast<std::size_t>(all[s].first);
    for (std::size_t j = first; j < static_cast<std::size_t>(all[s].past); ++j) key_action[s * N + j - first] = static_cast<std::int32_t>(j), key_category[s * N + j - first] = steps[j].category;
    for (const auto& [step, column] : all[s].column) {
      const TrailStep& asking = steps[static_cast<std::size_t>(step)];
      const std::size_t row = s * M + column;
      query_action[row] = step, slot_of[static_cast<std::size_t>(step)] = row;
      for (std::size_t j = first; j < static_cast<std::size_t>(asking.past); ++j) {
        relate(steps, asking, j, *this, row * N + j - first);
        later[row * N + j - first] = !asking.knows(steps[j]) || steps[j].inner == 0;
      }
    }
  }
  for (const std::int32_t step : asked) slot.push_back(static_cast<std::int32_t>(slot_of[static_cast<std::size_t>(step)]));
}

}  // namespace chronotope
