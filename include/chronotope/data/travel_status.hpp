#pragma once
// Where user and place are, seen from the user's home (Spacetime-GR, 3.2.1, Training Strategy).

#include <cstdint>

namespace chronotope {

enum class TravelStatus : std::uint8_t {
  local,       ///< both near home
  pre_travel,  ///< the user is near home, the place is not
  in_travel    ///< the user is not near home
};

}  // namespace chronotope
