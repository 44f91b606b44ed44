#pragma once
// When a person of the generated world does something.

#include <cstdint>
#include <vector>

#include "world_walk.hpp"

namespace chronotope::world {

struct Event {
  Moment moment;
  bool request = false;
};

/// In time order, at least two minutes apart.
std::vector<Event> draw_events(const Map& map, const WorldOptions& options, const Traits& traits, const Walk& walk,
                               std::uint32_t user, Random& random);

}  // namespace chronotope::world
