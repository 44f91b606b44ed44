#pragma once
// The ranges that reader and writer of check-in files share.

#include <cstdint>

namespace chronotope {

inline constexpr double most_latitude = 90, most_longitude = 180;  // degrees
inline constexpr std::int64_t year_2200 = 7'258'118'400;           // 2200-01-01 UTC in seconds since 1970
inline constexpr std::int64_t most_offset = 24 * 3600;             // seconds between wall clock and UTC

constexpr bool is_utc_time(std::int64_t utc) { return utc > 0 && utc < year_2200; }

constexpr bool is_local_time(std::int64_t local, std::int64_t utc) {
  return local >= utc - most_offset && local <= utc + most_offset;
}

}  // namespace chronotope
