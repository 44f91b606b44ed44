#pragma once
// Everything an index must be, looked at.

#include "geo_index_view.hpp"

namespace chronotope::geo {

/// What GeoIndex::check promises.
void check(const GeoIndex& index, const View& view);

}  // namespace chronotope::geo
