#pragma once
// Draws places that are near and popular, other ones for every row of a log.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "chronotope/core/philox.hpp"
#include "place_tree.hpp"

namespace chronotope {

class NearDraw {
 public:
  /// From the `nearby` places of the highest weight x exp(-km / decay_km).
  NearDraw(std::vector<WeightedPlace> places, double decay_km, int nearby, std::uint64_t seed)
      : tree_(std::move(places), decay_km), nearby_(nearby), seed_(seed) {}

  /// Up to `count` different places for row `row` at a position in degrees, without the place `without`, in a drawn
  /// order. Adding Gumbel noise to log weights and taking the highest draws without replacement (J. Vieira, 2014).
  std::vector<std::int32_t> draw(std::size_t row, double latitude, double longitude, std::int32_t without, int count) {
    std::vector<PlaceScore> drawn;
    for (PlaceScore place : nearby(latitude, longitude)) {
      if (place.place == without) continue;
      const auto word = philox(seed_, row, static_cast<std::uint64_t>(place.place))[0];
      place.score -= std::log(-std::log((word + 0.5) * 0x1p-32));
      drawn.push_back(place);
    }
    const auto kept = std::min(drawn.size(), static_cast<std::size_t>(count));
    std::partial_sort(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(kept), drawn.end(),
                      [](auto& a, auto& b) { return a.score > b.score || (a.score == b.score && a.place < b.place); });
    std::vector<std::int32_t> places;
    for (std::size_t i = 0; i < kept; ++i) places.push_back(drawn[i].place);
    return places;
  }

 private:
  // People come back to the same positions: each is asked for once.
  const std::vector<PlaceScore>& nearby(double latitude, double longitude) {
    const auto [entry, fresh] = known_.try_emplace({latitude, longitude});
    if (fresh) entry->second = tree_.best(latitude, longitude, static_cast<std::size_t>(nearby_));
    return entry->second;
  }

  PlaceTree tree_;
  int nearby_;
  std::uint64_t seed_;
  std::map<std::pair<double, double>, std::vector<PlaceScore>> known_;
};

}  // namespace chronotope
