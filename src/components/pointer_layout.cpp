#include "chronotope/components/pointer_layout.hpp"

#include "components/pointer_bins.hpp"

namespace chronotope {
namespace {

struct Relations {
  std::int32_t recency, hour, weekday, distance, follow;
};

Relations relate(const std::vector<Action>& actions, std::size_t first, std::size_t i, std::size_t j, double cosine) {
  const Action &asking = actions[i], &past = actions[j];
  Relations r{};
  r.recency = pointer_bins::recency(asking.utc - past.utc);
  r.hour = pointer_bins::hour(asking.when, past.when);
  r.weekday = asking.when[2] == past.when[2];
  r.distance = pointer_bins::distance({actions[i - 1].latitude, actions[i - 1].longitude}, {past.latitude, past.longitude}, cosine);
  if (j > first)
    r.follow = (actions[j - 1].place == actions[i - 1].place) + 2 * (actions[j - 1].category == actions[i - 1].category);
  return r;
}

}  // namespace

PointerLayout::PointerLayout(const ActionBatch& batch) {
  const auto S = batch.lengths.size();
  std::vector<std::size_t> begin(S + 1, 0);
  for (std::size_t s = 0; s < S; ++s) begin[s + 1] = begin[s] + static_cast<std::size_t>(batch.lengths[s]);
  // Selected actions ascend, so each sequence owns one run of them.
  std::vector<std::size_t> run(S + 1, 0);
  std::size_t N = 0, M = 0;
  for (std::size_t s = 0; s < S; ++s) {
    run[s + 1] = run[s];
    while (run[s + 1] < batch.selected.size() && static_cast<std::size_t>(batch.selected[run[s + 1]]) < begin[s + 1]) ++run[s + 1];
    N = std::max(N, begin[s + 1] - begin[s]), M = std::max(M, run[s + 1] - run[s]);
  }
  resize(S, M, N);
  key_place.assign(S * N, 0);
  hidden.assign(S * M * N, 1), match.assign(S * M * N, 0);
  for (std::size_t s = 0; s < S; ++s) {
    for (std::size_t j = begin[s]; j < begin[s + 1]; ++j) {
      key_action[s * N + j - begin[s]] = static_cast<std::int32_t>(j);
      key_category[s * N + j - begin[s]] = batch.actions[j].category;
      key_place[s * N + j - begin[s]] = batch.actions[j].place;
    }
    for (std::size_t q = run[s]; q < run[s + 1]; ++q) {
      const auto i = static_cast<std::size_t>(batch.selected[q]);
      const std::size_t row = s * M + q - run[s];
      query_action[row] = static_cast<std::int32_t>(i);
      slot.push_back(static_cast<std::int32_t>(row));
      bool none = true;
      const double cosine = i > begin[s] ? pointer_bins::cosine(batch.actions[i - 1].latitude) : 1;
      for (std::size_t j = begin[s]; j < i; ++j) {
        if (batch.actions[j].place == 0) continue;
        const Relations r = relate(batch.actions, begin[s], i, j, cosine);
        const std::size_t at = row * N + j - begin[s];
        recency[at] = r.recency, hour[at] = r.hour, weekday[at] = r.weekday, distance[at] = r.distance, follow[at] = r.follow;
        hidden[at] = 0;
        match[at] = batch.actions[j].place == batch.target[q] ? 1.f : 0.f;
        none = false;
      }
      alone.push_back(none);
    }
  }
}

}  // namespace chronotope
