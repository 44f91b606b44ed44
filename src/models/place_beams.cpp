#include "chronotope/models/place_beams.hpp"

namespace chronotope::detail {

void add_places(const PlaceCatalogue& catalogue, std::uint32_t block, double block_score, std::span<const float> scores, const PlaceLimits& limits,
                std::size_t most, std::vector<GeneratedPlace>& places) {
  const std::size_t known = std::min<std::size_t>(scores.size(), catalogue.inners(block) + 1);
  const auto allowed = [&](std::uint32_t inner) {
    const std::uint32_t place = inner == 0 ? 0 : catalogue.number(PlaceCode{block, inner});
    return place != 0 && catalogue.place(place) && (!limits.place || limits.place(place));
  };
  for (const std::uint32_t inner : largest(scores.first(known), most, allowed))
    places.push_back({catalogue.number(PlaceCode{block, inner}), block_score + static_cast<double>(scores[inner])});
}

}  // namespace chronotope::detail
