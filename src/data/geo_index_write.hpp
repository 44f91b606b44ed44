#pragma once
// From a plan to a file.

#include <vector>

#include "geo_index_plan.hpp"

namespace chronotope::geo {

/// A version to be written.
struct Draft {
  const View* old = nullptr;          // the former version
  const PlaceList* places = nullptr;  // what is added
  std::vector<bool> retire;           // [rows of the former version] or empty
  Plan plan;
  std::uint32_t version = 1;
  GeoIndexOptions options;
};

/// Writes it as a whole or not at all. Throws as build_geo_index and GeoIndexFolder::append. O(rows) time, 16 bytes a
/// row.
void write_index(const Draft& draft, const std::string& path);

}  // namespace chronotope::geo
