#include "chronotope/components/pointer_layout.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace chronotope {
namespace {

/// floor(log2(x)) + shift in [0, bins); 0 for x <= 0.
std::int32_t log2_bin(double x, int shift, std::int32_t bins) {
  if (!(x > 0)) return 0;
  return std::clamp<std::int32_t>(std::ilogb(x) + shift, 0, bins - 1);
}

/// Equirectangular: the bins are octaves, so the error of a few per cent at city scale does not matter.
double rough_km(const Action& a, const Action& b, double cosine) {
  constexpr double km_per_degree = 111.19;
  const double north = a.latitude - b.latitude;
  const double east = std::remainder(a.longitude - b.longitude, 360.0) * cosine;
  return km_per_degree * std::sqrt(north * north + east * east);
}

struct Relations {
  std::int32_t recency, hour, weekday, distance, follow;
};

Relations relate(const std::vector<Action>& actions, std::size_t first, std::size_t i, std::size_t j, double cosine) {
  const Action &asking = actions[i], &past = actions[j];
  const std::int32_t difference = std::abs(asking.when[3] - past.when[3]);
  const bool alike = (asking.when[2] >= 5) == (past.when[2] >= 5);
  Relations r{};
  r.recency = log2_bin(static_cast<double>(asking.utc - past.utc) / 3600, 6, PointerBins::recency);
  r.hour = std::min(difference, 24 - difference) + (alike ? 13 : 0);
  r.weekday = asking.when[2] == past.when[2];
  r.distance = log2_bin(rough_km(actions[i - 1], past, cosine), 5, PointerBins::distance);
  if (j > first)
    r.follow = (actions[j - 1].place == actions[i - 1].place) + 2 * (actions[j - 1].category == actions[i - 1].category);
  return r;
}

}  // namespace

PointerLayout::PointerLayout(const ActionBatch& batch) : sequences(static_cast<std::int64_t>(batch.lengths.size())) {
  const auto S = batch.lengths.size();
  std::vector<std::size_t> begin(S + 1, 0);
  for (std::size_t s = 0; s < S; ++s) begin[s + 1] = begin[s] + static_cast<std::size_t>(batch.lengths[s]);
  // Selected actions ascend, so each sequence owns one run of them.
  std::vector<std::size_t> run(S + 1, 0);
  for (std::size_t s = 0; s < S; ++s) {
    run[s + 1] = run[s];
    while (run[s + 1] < batch.selected.size() && static_cast<std::size_t>(batch.selected[run[s + 1]]) < begin[s + 1]) ++run[s + 1];
    keys = std::max(keys, static_cast<std::int64_t>(batch.lengths[s]));
    queries = std::max(queries, static_cast<std::int64_t>(run[s + 1] - run[s]));
  }
  const auto N = static_cast<std::size_t>(keys), M = static_cast<std::size_t>(queries);
  key_action.assign(S * N, 0), key_place.assign(S * N, 0), query_action.assign(S * M, 0);
  for (auto* bins : {&recency, &hour, &weekday, &distance, &follow}) bins->assign(S * M * N, 0);
  hidden.assign(S * M * N, 1), match.assign(S * M * N, 0);
  for (std::size_t s = 0; s < S; ++s) {
    for (std::size_t j = begin[s]; j < begin[s + 1]; ++j) {
      key_action[s * N + j - begin[s]] = static_cast<std::int32_t>(j);
      key_place[s * N + j - begin[s]] = batch.actions[j].place;
    }
    for (std::size_t q = run[s]; q < run[s + 1]; ++q) {
      const auto i = static_cast<std::size_t>(batch.selected[q]);
      const std::size_t row = s * M + q - run[s];
      query_action[row] = static_cast<std::int32_t>(i);
      slot.push_back(static_cast<std::int32_t>(row));
      bool none = true;
      const double cosine = i > begin[s] ? std::cos(batch.actions[i - 1].latitude * std::numbers::pi / 180) : 1;
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
