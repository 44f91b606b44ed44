#pragma once
// A generated city: check-ins of invented people, for examples, tests and first runs without a data file.

#include <cstdint>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// What to generate. The defaults give about 12,000 check-ins.
struct CityOptions {
  int users = 150;              ///< 1 to 100,000
  int places = 800;             ///< 50 to 100,000; places nobody visits are not in the table
  int checkins_per_user = 80;   ///< mean over the users, 5 up to `days`; single users differ widely
  int days = 300;               ///< 14 to 3,650, from Monday 2024-01-01 on
  std::uint64_t seed = 1;       ///< everything follows from it
  double latitude = 52.09;      ///< centre in degrees, -80 to 80
  double longitude = 5.12;      ///< centre in degrees, -179 to 179
  int utc_offset_minutes = 60;  ///< local time minus UTC all year round, -1,080 to 1,080
};

/// Generates the check-ins. People live and work somewhere, follow the hours of day and week (coffee before the office,
/// lunch near it, dinner, bars at the weekend, weekly appointments), return to favourite places, and explore by
/// popularity and nearness (cf. C. Song et al., "Modelling the scaling properties of human mobility", Nature Physics 6,
/// 2010: preferential return). Trajectories, splits by time (80/10/10) and targets follow docs/data.md.
///
/// Integer arithmetic throughout: the same options give the same table on every platform.
/// Throws ConfigError for an option out of range.
CheckinTable generate_city(const CityOptions& options = {});

}  // namespace chronotope
