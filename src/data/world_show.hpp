#pragma once
// What a request of the generated world shows, and how probable a click on each place is.

#include <cstdint>
#include <deque>
#include <vector>

#include "world_walk.hpp"

namespace chronotope::world {

/// The places of a person's last sixty days.
class Memory {
 public:
  void add(std::int64_t utc, std::uint32_t place) { visits_.push_back({utc, place}); }
  /// Leaves out what is older than sixty days.
  void forget(std::int64_t utc);
  int visits(std::uint32_t place) const;
  bool empty() const { return visits_.empty(); }
  /// Of any visit.
  std::uint32_t draw(Random& random) const { return visits_[random.below(static_cast<int>(visits_.size()))].place; }

 private:
  struct Visit {
    std::int64_t utc;
    std::uint32_t place;
  };
  std::deque<Visit> visits_;
};

class Shop {
 public:
  /// Keeps references. walk.choice() must have been called since walk.move().
  Shop(const Map& map, const Traits& traits, const Walk& walk, const Choice& choice, const Memory& memory,
       const Trip* before_trip)
      : map_(map), traits_(traits), walk_(walk), choice_(choice), memory_(memory), trip_(before_trip) {}

  /// About `count` different interest-based places in any order: likely ones, known ones, near ones, popular ones, and
  /// before a trip some of its destination.
  std::vector<std::uint32_t> draw(int count, Random& random) const;

  /// Of a click, x 65536.
  int click_probability(std::uint32_t place) const;

 private:
  std::uint32_t draw_near(Random& random) const;
  std::uint32_t draw_popular(Random& random) const;
  std::uint32_t draw_at_destination(Random& random) const;
  std::uint32_t draw_known(Random& random) const;
  int draw_kind(Random& random) const;

  const Map& map_;
  const Traits& traits_;
  const Walk& walk_;
  const Choice& choice_;
  const Memory& memory_;
  const Trip* trip_;
};

}  // namespace chronotope::world
