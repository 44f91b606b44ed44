#include "world_walk.hpp"

namespace chronotope::world {
namespace {

constexpr std::int64_t most_stay_seconds = 3 * 3600;
constexpr int stays_percent = 60;
constexpr int hotel = kind_count - 1;

// Shares of the distribution, in percent of what is left.
constexpr int before_trip_percent = 65, appointment_percent = 60, route_percent = 55, next_door_percent = 80,
              habit_percent = 60, favourite_percent = 50, second_percent = 15, own_hotel_percent = 60,
              return_to_hotel_percent = 90;

std::int64_t percent(std::int64_t mass, int share) { return mass * share / 100; }

}  // namespace

const Trip* Walk::trip_on(int day) const {
  for (const Trip& trip : traits_.trips)
    if (day >= trip.first_day && day <= trip.last_day) return &trip;
  return nullptr;
}

const Trip* Walk::before_trip(int day) const {
  for (const Trip& trip : traits_.trips)
    if (day < trip.first_day && day >= trip.first_day - days_before_trip) return &trip;
  return nullptr;
}

int Walk::city_on(int day) const {
  const Trip* trip = trip_on(day);
  return trip ? trip->city : traits_.city;
}

void Walk::move(const Moment& moment) {
  now_ = moment;
  const Trip* trip = trip_on(moment.day);
  if (can_stay(moment) && random_.chance(stays_percent)) return stand_at(static_cast<std::uint32_t>(last_place_));
  if (trip) move_away(*trip);
  else move_at_home();
}

bool Walk::can_stay(const Moment& moment) const {
  return last_place_ >= 0 && moment.utc - last_utc_ < most_stay_seconds &&
         map_.city_of(static_cast<std::uint32_t>(last_place_)) == city_on(moment.day);
}

void Walk::stand_at(std::uint32_t place) {
  where_ = {map_.city_of(place), map_.neighbourhood_of(place), map_.at(place)};
  where_.beside = place == last_place_;
  for (int base = base_count - 1; base >= 0; --base)
    if (place == traits_.base[base]) where_.base = base;
}

void Walk::stand_in(int neighbourhood) {
  Point at = map_.centre(neighbourhood);
  at.x += random_.below(1201) - 600;
  at.y += random_.below(1201) - 600;
  where_ = {map_.city_of_neighbourhood(neighbourhood), neighbourhood, at};
}

void Walk::move_away(const Trip& trip) {
  if (random_.chance(30)) return stand_at(trip.stay);
  const std::vector<int> near = map_.around(map_.middle(trip.city));
  std::vector<std::int64_t> weights;
  for (const int n : near) weights.push_back(map_.fame(n));
  stand_in(near[random_.pick(weights)]);
}

void Walk::move_at_home() {
  const bool working = !now_.weekend && now_.part >= 1 && now_.part <= 4;
  const int at_work = working ? 45 : 0, at_home = working ? 20 : 35, draw = random_.below(100);
  if (draw < at_work) stand_at(traits_.base[work]);
  else if (draw < at_work + at_home) stand_at(traits_.base[home]);
  else stand_in(traits_.haunts[random_.pick(traits_.haunt_weights)]);
}

std::optional<std::uint32_t> Walk::errand() {
  const bool working = !now_.weekend && now_.part >= 1 && now_.part <= 4;
  const bool away = where_.city != traits_.city, late = now_.part == 0 || now_.part == day_parts - 1;
  if (!random_.chance(away ? 12 : late ? 40 : 25)) return {};
  const int draw = random_.below(100);
  if (!away && draw < (late ? 70 : 35)) return traits_.base[home];
  if (!away && working && draw < 75) return traits_.base[work];
  static const std::vector<std::int64_t> errands = {0, 0, 1, 0, 4, 4, 2};  // by functional kind
  return draw_near(map_, random_, traits_.theme, where_.neighbourhood, random_.pick(errands), where_.at);
}

const Choice& Walk::choice() {
  choice_.clear();
  kind_mass_.fill(0);
  trip_kind_mass_.fill(0);
  std::int64_t left = Choice::whole;
  if (const Trip* trip = trip_on(now_.day)) {
    add_away(*trip, left - add_route(left));
  } else {
    if (const Trip* coming = before_trip(now_.day)) {
      const std::int64_t mass = percent(left, before_trip_percent);
      add_before_trip(*coming, mass);
      left -= mass;
    }
    if (const std::int64_t place = traits_.appointment[now_.weekday][now_.part]; place >= 0) {
      const std::int64_t mass = percent(left, appointment_percent);
      choice_.add(static_cast<std::uint32_t>(place), mass);
      kind_mass_[map_.kind_of(static_cast<std::uint32_t>(place))] += mass;
      left -= mass;
    }
    add_local(left - add_route(left));
  }
  choice_.settle();
  return choice_;
}

void Walk::add_before_trip(const Trip& trip, std::int64_t mass) {
  const auto& weights = before_travel();
  const auto kind_weight = [&](int kind) { return std::int64_t{weights[kind]}; };
  Choice::divide(kind_count, mass, kind_weight, [&](int kind, std::int64_t part) {
    if (part == 0) return;
    trip_kind_mass_[kind] += part;
    if (kind == hotel) {
      const std::int64_t own = percent(part, own_hotel_percent);
      choice_.add(trip.stay, own);
      part -= own;
    }
    const auto& best = map_.best_known(trip.city, kind);
    const auto fame = [](int rank) { return std::int64_t{3600} / ((rank + 1) * (rank + 1)); };
    Choice::divide(static_cast<int>(best.size()), part, fame,
                   [&](int rank, std::int64_t share) { choice_.add(best[rank], share); });
  });
}

// What often follows the last place, next door. Returns the mass that it took.
std::int64_t Walk::add_route(std::int64_t mass) {
  if (!where_.beside) return 0;
  const int then = kinds()[map_.kind_of(static_cast<std::uint32_t>(last_place_))].then;
  if (then < 0) return 0;
  const std::int64_t taken = percent(mass, route_percent), next_door = percent(taken, next_door_percent);
  const PlaceRange range = map_.of_kind(where_.neighbourhood, then);
  std::uint32_t nearest = range.first;
  const auto near = [&](std::uint32_t place) {
    return invented::nearness(where_.at, map_.at(place, where_.neighbourhood), 100, 1 << 20);
  };
  for (std::uint32_t place = range.first; place < range.last; ++place)
    if (near(place) > near(nearest)) nearest = place;
  choice_.add(nearest, next_door);
  kind_mass_[then] += taken;
  add_near(then, taken - next_door);
  return taken;
}

void Walk::add_local(std::int64_t mass) {
  std::array<std::int64_t, kind_count> of_kind{};
  const std::int64_t habit = percent(mass, habit_percent);
  of_kind[traits_.habit[now_.weekend][now_.part]] += habit;
  const auto weight = [&](int kind) { return wanted(traits_, kind, now_.part, now_.weekend); };
  Choice::divide(kind_count, mass - habit, weight, [&](int kind, std::int64_t part) { of_kind[kind] += part; });
  for (int kind = functional_count; kind < kind_count; ++kind) add_kind(kind, of_kind[kind]);
}

void Walk::add_away(const Trip& trip, std::int64_t mass) {
  const auto weight = [&](int kind) {
    return kinds()[kind].travel[now_.part] * (is_functional(kind) ? 0 : 8 + traits_.taste[kind]);
  };
  Choice::divide(kind_count, mass, weight, [&](int kind, std::int64_t part) {
    if (part == 0) return;
    if (kind == hotel) {
      const std::int64_t own = percent(part, return_to_hotel_percent);
      choice_.add(trip.stay, own);
      kind_mass_[kind] += own;
      part -= own;
    }
    kind_mass_[kind] += part;
    add_near(kind, part);
  });
}

void Walk::add_kind(int kind, std::int64_t mass) {
  if (mass == 0) return;
  kind_mass_[kind] += mass;
  if (where_.base >= 0) {
    const auto& favourites = traits_.favourite[where_.base][kind];
    const std::int64_t first = percent(mass, favourite_percent), second = percent(mass, second_percent);
    choice_.add(favourites[0], first);
    choice_.add(favourites[1], second);
    mass -= first + second;
  }
  add_near(kind, mass);
}

void Walk::add_near(int kind, std::int64_t mass) {
  if (mass == 0) return;
  const PlaceRange range = map_.of_kind(where_.neighbourhood, kind);
  weights_.clear();
  for (std::uint32_t place = range.first; place < range.last; ++place)
    weights_.push_back(pull(map_, place, where_.neighbourhood, traits_.theme, where_.at));
  Choice::divide(
      static_cast<int>(weights_.size()), mass, [&](int i) { return weights_[i]; },
      [&](int i, std::int64_t part) { choice_.add(range.first + static_cast<std::uint32_t>(i), part); });
}

void Walk::accept(std::uint32_t place, std::int64_t utc) {
  last_place_ = place;
  last_utc_ = utc;
}

}  // namespace chronotope::world
