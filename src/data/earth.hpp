#pragma once
// The sphere that distances and areas are measured on, and which positions lie on it.

#include <cmath>
#include <numbers>

#include "checkin_rules.hpp"

namespace chronotope {

inline constexpr double earth_radius_km = 6371.0088;       // mean radius, IUGG
inline constexpr double radians = std::numbers::pi / 180;  // in a degree

/// Written so that NaN fails.
inline bool is_on_earth(double latitude, double longitude) {
  return std::abs(latitude) <= most_latitude && std::abs(longitude) <= most_longitude;
}

/// Throws DataError with the position when it is out of range or not finite.
void check_position(double latitude, double longitude);

}  // namespace chronotope
