#pragma once
// The occupancy of an index as a table for people and as JSON for programs.

#include <string>

#include "chronotope/data/geo_occupancy.hpp"

namespace chronotope {

/// Facts, places per block, the fullest blocks. Ends with a line break.
std::string occupancy_table(const GeoOccupancy& occupancy);

/// The same and all figures, without the list of all blocks. What is undefined is null. The fingerprint is a text, as
/// many readers of JSON know no whole numbers of 64 bits.
std::string occupancy_json(const GeoOccupancy& occupancy);

/// One line about a version: "version 3 (of 2): 1,200 places in 37 blocks, …".
std::string version_line(const GeoIndexInfo& info);

}  // namespace chronotope
