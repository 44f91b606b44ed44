#pragma once
// The people that tests of the generated world look at.

#include <cmath>

#include "chronotope/data/world.hpp"

namespace chronotope::test {

inline WorldOptions small() {
  WorldOptions o;
  o.users = 60;
  o.places = 800;
  o.cities = 3;
  o.days = 60;
  o.actions_per_user = 60;
  return o;
}

inline const World& common() {
  static const World world = [] {
    WorldOptions o;
    o.users = 200;
    return World(o);
  }();
  return world;
}

inline const std::vector<WorldUser>& everybody() {
  static const auto users = [] {
    std::vector<WorldUser> all;
    for (int i = 0; i < common().options().users; ++i) all.push_back(common().user(static_cast<std::uint32_t>(i)));
    return all;
  }();
  return users;
}

struct Count {
  double expected = 0, variance = 0, seen = 0;
  void add(double probability, bool happened) {
    expected += probability;
    variance += probability * (1 - probability);
    seen += happened;
  }
  bool fits(double errors) const { return std::abs(seen - expected) <= errors * std::sqrt(variance) + 1e-6; }
};

}  // namespace chronotope::test
