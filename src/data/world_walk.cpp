#include "world_walk.hpp"

namespace chronotope::world {
namespace {

constexpr std::int64_t most_stay_seconds = 3 * 3600;
constexpr int stays_percent = 60;
constexpr int hotel = kind_count - 1;

// Shares of the distribution, in percent of what is left.
constexpr int before_trip_percent = 65, route_percent = 55, own_hotel_percent = 60, return_to_hotel_percent = 90;

// How many actions people remember; and how many actions the tastes of the hour, and what draws to a place not yet
// known, count as (the concentration of a Polya urn).
constexpr std::size_t remembered = 60;
constexpr int taste_counts = 1, attraction_counts = 1;

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

const Trip* Walk::coming() const {
  const Trip* trip = trip_on(now_.day) ? nullptr : before_trip(now_.day);
  return trip == announced_ ? trip : nullptr;
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
}

void Walk::stand_in(int neighbourhood) {
  Point at = map_.centre(neighbourhood);
  at.x += random_.below(1201) - 600;
  at.y += random_.below(1201) - 600;
  where_ = {map_.city_of_neighbourhood(neighbourhood), neighbourhood, at};
}

void Walk::move_away(const Trip& trip) {
  const std::int64_t hotel = hotel_in(trip.city);
  if (random_.chance(30)) return stand_at(hotel < 0 ? trip.stay : static_cast<std::uint32_t>(hotel));
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

// The first in the middle of the city.
std::uint32_t Walk::station_of(int city) const { return map_.of_kind(map_.middle(city), station).first; }

// The hotel of the city that the person had to do with last; -1: none.
std::int64_t Walk::hotel_in(int city) const {
  for (auto visit = visits_.rbegin(); visit != visits_.rend(); ++visit)
    if (visit->kind == hotel && visit->city == city) return visit->place;
  return -1;
}

std::optional<std::uint32_t> Walk::errand() {
  const Trip* next = trip_on(now_.day) ? nullptr : before_trip(now_.day);
  if (next && next != announced_) {
    announced_ = next;
    return station_of(next->city);
  }
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
    if (const Trip* next = coming()) {
      const std::int64_t mass = percent(left, before_trip_percent);
      add_before_trip(*next, mass);
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
      const std::int64_t known = hotel_in(trip.city), own = known < 0 ? 0 : percent(part, own_hotel_percent);
      if (own > 0) choice_.add(static_cast<std::uint32_t>(known), own);
      part -= own;
    }
    const auto& best = map_.best_known(trip.city, kind);
    const auto fame = [](int rank) { return std::int64_t{3600} / ((rank + 1) * (rank + 1)); };
    Choice::divide(static_cast<int>(best.size()), part, fame,
                   [&](int rank, std::int64_t share) { choice_.add(best[rank], share); });
  });
}

// What often follows the last place, near by. Returns the mass that it took.
std::int64_t Walk::add_route(std::int64_t mass) {
  if (!where_.beside) return 0;
  const int then = kinds()[map_.kind_of(static_cast<std::uint32_t>(last_place_))].then;
  if (then < 0) return 0;
  const std::int64_t taken = percent(mass, route_percent);
  add_known(then, taken);
  return taken;
}

void Walk::add_local(std::int64_t mass) {
  const std::int64_t rest = mass - add_habits(mass);
  const auto weight = [&](int kind) { return wanted(traits_, kind, now_.part, now_.weekend); };
  Choice::divide(kind_count, rest, weight, [&](int kind, std::int64_t part) { add_known(kind, part); });
}

// Kinds as often as the person went for them at this part of a workday or of the weekend. Returns the mass that it
// took.
std::int64_t Walk::add_habits(std::int64_t mass) {
  std::array<std::int64_t, kind_count> counts{};
  std::int64_t all = 0;
  for (const Visit& v : visits_) {
    if (is_functional(v.kind) || v.city != where_.city || v.part != now_.part || v.weekend != now_.weekend) continue;
    ++counts[v.kind];
    ++all;
  }
  if (all == 0) return 0;
  const std::int64_t taken = mass * all / (all + taste_counts);
  const auto weight = [&](int kind) { return counts[kind]; };
  Choice::divide(kind_count, taken, weight, [&](int kind, std::int64_t part) { add_known(kind, part); });
  return taken;
}

void Walk::add_away(const Trip& trip, std::int64_t mass) {
  const auto weight = [&](int kind) {
    return kinds()[kind].travel[now_.part] * (is_functional(kind) ? 0 : 8 + traits_.taste[kind]);
  };
  Choice::divide(kind_count, mass, weight, [&](int kind, std::int64_t part) {
    if (part == 0) return;
    if (kind == hotel) {
      const std::int64_t known = hotel_in(trip.city), own = known < 0 ? 0 : percent(part, return_to_hotel_percent);
      if (own > 0) choice_.add(static_cast<std::uint32_t>(known), own);
      kind_mass_[kind] += own;
      part -= own;
    }
    add_known(kind, part);
  });
}

// Places of the kind as often as the person was there, then others.
void Walk::add_known(int kind, std::int64_t mass) {
  if (mass == 0) return;
  kind_mass_[kind] += mass;
  std::int64_t known = 0;
  for (const Visit& v : visits_) known += v.kind == kind && v.neighbourhood == where_.neighbourhood;
  const std::int64_t each = mass / (known + attraction_counts);
  for (const Visit& v : visits_)
    if (v.kind == kind && v.neighbourhood == where_.neighbourhood) choice_.add(v.place, each);
  add_near(kind, mass - known * each);
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
  visits_.push_back(
      {place, map_.kind_of(place), map_.city_of(place), map_.neighbourhood_of(place), now_.part, now_.weekend});
  if (visits_.size() > remembered) visits_.pop_front();
}

}  // namespace chronotope::world
