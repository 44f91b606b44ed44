#pragma once
// Which place gets which code.

#include <vector>

#include "geo_index_view.hpp"

namespace chronotope::geo {

/// The rows of an index to be written. Blocks count from 0.
struct Plan {
  std::vector<std::uint64_t> keys;    // [blocks]
  std::vector<std::uint32_t> first;   // [blocks + 1] row of each block's inner id 1
  std::vector<std::uint32_t> source;  // [rows] a row of the former version, or their number plus a place of the list
  std::uint32_t new_blocks = 0;
};

/// All codes of `old` (null: none) as they are, then those of `places`, as GeoIndexFolder::append says.
/// O(n log n) time in the places of the list, O(rows) in those of the index; 20 bytes a place and 4 a row.
Plan plan_index(const View* old, const GeoGrid& grid, const PlaceList& places, std::uint32_t most_inner);

}  // namespace chronotope::geo
