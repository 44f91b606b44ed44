#pragma once
// A person of the generated world on the way: where they are, and what they choose next.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "world_choice.hpp"
#include "world_traits.hpp"

namespace chronotope::world {

struct Moment {
  std::int64_t utc = 0;
  int day = 0;  ///< that was planned; says whether the person is away
  int part = 0, weekday = 0;
  bool weekend = false;
};

struct Whereabouts {
  int city = 0, neighbourhood = 0;
  Point at;
  bool beside = false;  ///< still at the place of the last action
};

class Walk {
 public:
  /// Keeps references.
  Walk(const Map& map, const Traits& traits, Random& random) : map_(map), traits_(traits), random_(random) {}

  int city_on(int day) const;

  /// Decides where the person is, which errand() and choice() refer to.
  void move(const Moment& moment);
  const Whereabouts& where() const { return where_; }
  /// The trip that begins within days, once the log shows it.
  const Trip* coming() const;

  /// A functional place to go to, or none: the next action is interest-based. Before a trip, first of all a station of
  /// the destination: from then on the log shows that there is one.
  std::optional<std::uint32_t> errand();

  /// The distribution of the next interest-based action. Until the next call.
  const Choice& choice();
  /// Probability x Choice::whole of kinds in it; in the second array those at the destination of a coming trip.
  const std::array<std::int64_t, kind_count>& kind_masses() const { return kind_mass_; }
  const std::array<std::int64_t, kind_count>& kind_masses_before_trip() const { return trip_kind_mass_; }

  /// An action at the place happened.
  void accept(std::uint32_t place, std::int64_t utc);

 private:
  /// What is remembered of an action: where and when.
  struct Visit {
    std::uint32_t place;
    int kind, city, neighbourhood;
    int part;
    bool weekend;
  };

  const Trip* trip_on(int day) const;
  const Trip* before_trip(int day) const;
  std::uint32_t station_of(int city) const;
  std::int64_t hotel_in(int city) const;
  bool can_stay(const Moment& moment) const;
  void stand_at(std::uint32_t place);
  void stand_in(int neighbourhood);
  void move_away(const Trip& trip);
  void move_at_home();

  void add_before_trip(const Trip& trip, std::int64_t mass);
  std::int64_t add_route(std::int64_t mass);
  void add_local(std::int64_t mass);
  void add_away(const Trip& trip, std::int64_t mass);
  std::int64_t add_habits(std::int64_t mass);
  void add_known(int kind, std::int64_t mass);
  void add_near(int kind, std::int64_t mass);

  const Map& map_;
  const Traits& traits_;
  Random& random_;
  Moment now_;
  Whereabouts where_;
  Choice choice_;
  std::array<std::int64_t, kind_count> kind_mass_{}, trip_kind_mass_{};
  std::vector<std::int64_t> weights_;
  const Trip* announced_ = nullptr;
  std::deque<Visit> visits_;  ///< the latest
  std::int64_t last_place_ = -1, last_utc_ = 0;
};

}  // namespace chronotope::world
