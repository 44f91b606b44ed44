#pragma once
// What is around a map: degrees, a scale, the border.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "map_view.hpp"

namespace chronotope::report {

inline constexpr double map_width = 461, map_height = 400;  // as MapView takes them

/// A drawing of `view`, which is map_width by map_height, with whatever `draw` adds. `name` is unique on the page;
/// `drawn` are points that the scale should not hide.
std::string framed_map(const MapView& view, std::string_view description, std::string_view name,
                       const std::function<void(Svg&)>& draw, std::span<const Point> drawn);

}  // namespace chronotope::report
