#include "city_model.hpp"

#include <algorithm>
#include <cstdio>

namespace chronotope::city {
namespace {

constexpr int city_radius = 5000, district_radius = 700;  // metres
constexpr int places_per_district = 60;
constexpr int return_percent = 54, appointment_percent = 75;

std::int64_t nearness(Point a, Point b, int reach) { return invented::nearness(a, b, reach, 1'000'000); }

}  // namespace

const std::array<Kind, kind_count>& kinds() {
  using enum Quarter;
  enum : int { cafe = 2, noodle = 8, bar = 9, grocery = 13 };  // positions in the table
  static const std::array<Kind, kind_count> table = {{
      // slug, category, share, quarter, reach, then, workday parts, weekend parts
      {"residence", "Residential Building", 10, living, 3000, -1, {20, 10, 2, 1, 3, 9, 26}, {16, 12, 7, 3, 5, 8, 14}},
      {"office", "Office", 11, business, 3000, -1, {0, 20, 22, 6, 12, 2, 0}, {0, 1, 1, 1, 0, 0, 0}},
      {"cafe", "Coffee Shop", 11, business, 800, office, {0, 10, 6, 3, 5, 1, 0}, {0, 5, 9, 4, 5, 1, 0}},
      {"station", "Train Station", 3, business, 2500, office, {0, 8, 1, 0, 4, 6, 1}, {1, 2, 2, 1, 1, 2, 1}},
      {"deli", "Deli", 7, business, 500, office, {1, 4, 3, 10, 2, 1, 1}, {1, 3, 4, 5, 2, 1, 1}},
      {"sandwich", "Sandwich Place", 6, business, 500, office, {0, 1, 3, 12, 2, 1, 0}, {0, 0, 1, 5, 2, 1, 0}},
      {"pizza", "Pizza Place", 6, living, 900, bar, {1, 0, 0, 5, 1, 7, 3}, {3, 0, 0, 5, 2, 7, 4}},
      {"trattoria", "Italian Restaurant", 5, leisure, 1500, bar, {0, 0, 0, 2, 0, 9, 4}, {0, 0, 0, 3, 1, 10, 5}},
      {"noodle", "Noodle House", 5, leisure, 1200, cafe, {0, 0, 0, 6, 1, 7, 2}, {0, 0, 0, 5, 2, 7, 2}},
      {"bar", "Bar", 8, leisure, 1500, -1, {3, 0, 0, 0, 1, 5, 11}, {9, 0, 0, 1, 2, 6, 14}},
      {"club", "Nightclub", 3, leisure, 2500, -1, {2, 0, 0, 0, 0, 0, 2}, {14, 0, 0, 0, 0, 0, 7}},
      {"gym", "Gym", 5, living, 1200, grocery, {0, 7, 1, 1, 2, 9, 2}, {0, 4, 6, 2, 4, 1, 0}},
      {"park", "Park", 4, living, 1500, cafe, {0, 3, 1, 1, 2, 2, 0}, {0, 5, 8, 6, 9, 3, 0}},
      {"grocery", "Grocery Store", 7, living, 700, residence, {0, 1, 1, 1, 3, 8, 3}, {0, 2, 6, 5, 6, 3, 1}},
      {"boutique", "Clothing Store", 6, leisure, 1800, cafe, {0, 0, 1, 2, 3, 3, 0}, {0, 0, 4, 7, 9, 2, 0}},
      {"cinema", "Movie Theater", 3, leisure, 2500, noodle, {0, 0, 0, 0, 1, 4, 3}, {0, 0, 0, 2, 4, 7, 5}},
  }};
  return table;
}

Map::Map(const CityOptions& options) : plane_(options.latitude, options.longitude) {
  Random random(options.seed, 0);
  const int districts = std::max(6, options.places / places_per_district);
  for (int i = 0; i < districts; ++i) {
    const Point centre{random.below(2 * city_radius + 1) - city_radius,
                       random.below(2 * city_radius + 1) - city_radius};
    districts_.push_back({centre, static_cast<Quarter>(i % 3)});
  }
  int share = 0;
  for (int kind = 0; kind < kind_count; ++kind) {
    share += kinds()[kind].share;
    while (static_cast<std::int64_t>(places_.size()) * 100 < std::int64_t{share} * options.places) {
      by_kind_[kind].push_back(static_cast<int>(places_.size()));
      places_.push_back(make_place(kind, random));
    }
    // Popularity falls as one over the rank; ranks are drawn, so that it does not follow the numbers of the places.
    const auto count = static_cast<int>(by_kind_[kind].size());
    for (int i = 0; i < count; ++i) {
      Place& place = places_[by_kind_[kind][i]];
      place.popularity = 10'000 / (1 + random.below(count));
      char id[32];
      std::snprintf(id, sizeof id, "%s-%04d", kinds()[kind].slug, i + 1);
      place.id = id;
    }
  }
}

Place Map::make_place(int kind, Random& random) const {
  std::vector<std::int64_t> weights;
  for (const District& d : districts_) weights.push_back(d.quarter == kinds()[kind].quarter ? 6 : 1);
  const Point centre = districts_[random.pick(weights)].centre;
  const auto offset = [&] { return random.below(district_radius) + random.below(district_radius) - district_radius; };
  Place place;
  place.kind = kind;
  place.at.x = centre.x + offset();
  place.at.y = centre.y + offset();
  return place;
}

Person::Person(const Map& map, std::uint64_t seed, int number)
    : map_(map), random_(seed, static_cast<std::uint64_t>(number) + 1) {
  const auto& homes = map.of_kind(residence);
  home_ = homes[random_.below(static_cast<int>(homes.size()))];
  work_ = explore(office, map_.place(home_).at);
  lateness_ = random_.below(4) - 1;
  for (int& taste : taste_) {
    // One draw a statement: the order in which operands are evaluated is the compiler's choice.
    const int interest = random_.below(3), zest = random_.below(4);
    taste = random_.chance(30) ? 0 : 1 + interest * zest;
  }
  taste_[residence] = taste_[office] = 2;
  make_appointments();
}

// Weekly habits: always the same place at the same part of the same weekday.
void Person::make_appointments() {
  for (auto& day : appointments_) day.fill(-1);
  const int count = 8 + random_.below(9);
  for (int i = 0; i < count; ++i) {
    const int day = random_.below(7), part = 1 + random_.below(day_parts - 1);
    const int kind = choose_kind(part, day >= 5);
    const Point from = whereabouts(0, part, day >= 5);
    appointments_[day][part] = kind == residence ? home_ : kind == office ? work_ : explore(kind, from);
  }
}

int Person::draw_hour(bool weekend) {
  std::vector<std::int64_t> weights(24);
  const auto& awake = invented::awake(weekend);
  for (int hour = 0; hour < 24; ++hour) weights[(hour + lateness_ + 24) % 24] = awake[hour];
  return random_.pick(weights);
}

int Person::visit(int day, int hour) {
  const int weekday = day % 7, part = day_part(hour);
  const bool weekend = weekday >= 5 || (weekday == 4 && hour >= 18);
  int place = appointments_[weekday][part];
  if (place < 0 || place == last_place_ || !random_.chance(appointment_percent))
    place = choose_place(choose_kind(part, weekend), whereabouts(day, part, weekend));
  remember(place);
  last_place_ = place;
  last_day_ = day;
  return place;
}

int Person::choose_kind(int part, bool weekend) {
  const int last_kind = last_place_ < 0 ? -1 : map_.place(last_place_).kind;
  const int expected = last_kind < 0 ? -1 : kinds()[last_kind].then;
  std::vector<std::int64_t> weights(kind_count);
  for (int kind = 0; kind < kind_count; ++kind) {
    const Kind& k = kinds()[kind];
    weights[kind] = std::int64_t{taste_[kind]} * (weekend ? k.weekend : k.workday)[part];
    if (kind == expected) weights[kind] *= 4;
    if (kind == last_kind) weights[kind] = 0;
  }
  const int kind = random_.pick(weights);
  return kind < 0 ? static_cast<int>(residence) : kind;
}

int Person::choose_place(int kind, Point from) {
  if (kind == residence && random_.chance(90)) return home_;
  if (kind == office && random_.chance(95)) return work_;
  const int known = random_.chance(return_percent) ? return_to(kind, from) : -1;
  return known >= 0 ? known : explore(kind, from);
}

int Person::return_to(int kind, Point from) {
  std::vector<std::int64_t> weights;
  for (const Favourite& f : favourites_[kind]) {
    const std::int64_t near = nearness(from, map_.place(f.place).at, kinds()[kind].reach);
    weights.push_back(f.place == last_place_ ? 0 : 1 + std::int64_t{f.visits} * f.visits * near);
  }
  const int index = random_.pick(weights);
  return index < 0 ? -1 : favourites_[kind][index].place;
}

int Person::explore(int kind, Point from) {
  std::vector<std::int64_t> weights;
  for (const int place : map_.of_kind(kind)) {
    const Place& p = map_.place(place);
    weights.push_back(1 + p.popularity * nearness(from, p.at, kinds()[kind].reach));
  }
  return map_.of_kind(kind)[random_.pick(weights)];
}

// Where this person sets out from: the place of the last check-in of the day, else work by day and home otherwise.
Point Person::whereabouts(int day, int part, bool weekend) const {
  if (last_place_ >= 0 && day == last_day_) return map_.place(last_place_).at;
  const bool at_work = !weekend && part >= 2 && part <= 4;
  return map_.place(at_work ? work_ : home_).at;
}

void Person::remember(int place) {
  auto& known = favourites_[map_.place(place).kind];
  const auto found = std::find_if(known.begin(), known.end(), [&](const Favourite& f) { return f.place == place; });
  if (found != known.end()) ++found->visits;
  else known.push_back({place, 1});
}

}  // namespace chronotope::city
