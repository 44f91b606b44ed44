#pragma once
// What stays the same about a person of the generated world. Tastes and theme follow from the profile, which is logged:
// nothing that decides about interest-based actions is hidden.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "world_map.hpp"

namespace chronotope::world {

using invented::day_parts;
using invented::Random;

inline constexpr int days_before_trip = 6;  // in which the destination is looked at

struct Trip {
  int first_day, last_day;  ///< spent there
  int city;
  std::uint32_t stay;  ///< the hotel
};

enum Base : int { home, work, base_count };

struct Traits {
  bool robot = false;
  std::string profile;
  int archetype = 0, theme = 0;
  int lateness = 0;  ///< hours by which the person's day is late
  std::array<std::int64_t, kind_count> taste{};
  int city = 0;
  std::array<std::uint32_t, base_count> base{};
  std::vector<int> haunts;  ///< neighbourhoods the person moves about in
  std::vector<std::int64_t> haunt_weights;
  std::vector<Trip> trips;              ///< in time order
  std::vector<std::uint32_t> repeated;  ///< of a robot: its places
};

/// How much a kind is wanted at a part of the day; 0 for functional kinds.
std::int64_t wanted(const Traits& traits, int kind, int part, bool weekend);

/// A place of the kind in the neighbourhood, as likely as pull() says.
std::uint32_t draw_near(const Map& map, Random& random, int theme, int neighbourhood, int kind, Point from);

/// Weight of a place of the neighbourhood for a person of a theme who stands at `from`, below 2^31.
std::int64_t pull(const Map& map, std::uint32_t place, int neighbourhood, int theme, Point from);

Traits draw_traits(const Map& map, const WorldOptions& options, Random& random);

}  // namespace chronotope::world
