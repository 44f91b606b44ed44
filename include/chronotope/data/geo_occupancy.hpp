#pragma once
// How well an index is used: places per block, rows of the vocabulary, and where the blocks lie.

#include <cstdint>
#include <vector>

#include "chronotope/data/geo_index.hpp"

namespace chronotope {

/// A block with what is in it. Places that were removed are not counted.
struct BlockUse {
  std::uint32_t block = 0;
  std::uint64_t places = 0;
  double popularity = 0;  ///< sum over its places
  GeoBox box;
};

/// Blocks with `from` to `to` places, and the places in them.
struct OccupancyBin {
  std::uint64_t from = 0, to = 0;
  std::uint64_t blocks = 0, places = 0;
};

struct GeoOccupancy {
  GeoIndexInfo index;
  double cell_km2 = 0;             ///< area of a block that is not split
  std::uint64_t split_blocks = 0;  ///< blocks that are parts of a cell
  std::uint64_t over_full = 0;     ///< blocks with more than most_inner places (0 when there is no such bound)

  /// Rows that embeddings and a softmax need: blocks + largest block, against one for each place.
  std::uint64_t ids = 0;
  double places_per_id = 0;
  /// Pairs (block, inner) that stand for a place, as a share of all that the rows could form.
  double pairs_used = 0;
  /// Inner ids that occur in one block only: rows that are not shared.
  std::uint64_t unshared_inners = 0;

  /// Places per block: mean, and its quantiles 0, .25, .5, .75, .9, .99, 1.
  double mean = 0;
  std::vector<std::uint64_t> quantiles;
  static constexpr double quantile_levels[] = {0, .25, .5, .75, .9, .99, 1};
  std::vector<OccupancyBin> histogram;  ///< 0; 1; 2 to 3; 4 to 7; …

  /// Gini coefficient over blocks (0: all alike, near 1: all in one) of places and of popularity; NaN without any.
  double gini_places = 0, gini_popularity = 0;
  /// exp of the entropy of places over blocks: that many equal blocks would be as hard to tell apart.
  double effective_blocks = 0;

  std::vector<BlockUse> blocks;  ///< [blocks] by number
  /// Places into `blocks`: the fullest first, at most ten.
  std::vector<std::uint32_t> largest;
};

/// Reads every place once. O(places + blocks log blocks) time, 56 bytes a block. Throws FormatError as GeoIndex.
GeoOccupancy geo_occupancy(const GeoIndex& index);

}  // namespace chronotope
