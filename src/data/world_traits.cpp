#include "world_traits.hpp"

#include <algorithm>

namespace chronotope::world {
namespace {

constexpr int reach = 600;  // metres people gladly go for a place
constexpr int least_days_a_trip = 30, least_stay = 3, most_stay = 8;

std::uint32_t draw_in(const PlaceRange& range, Random& random) {
  return range.first + static_cast<std::uint32_t>(random.below(static_cast<int>(range.last - range.first)));
}

void draw_tastes(Traits& t, Random& random) {
  constexpr std::array<int, 4> factors = {1, 1, 2, 4};
  for (int kind = functional_count; kind < kind_count; ++kind)
    t.taste[kind] = archetypes()[t.archetype][kind] * factors[random.below(4)];
}

int draw_occupation(Traits& t, Random& random) {
  const int number = random.below(occupation_count);
  const Occupation& o = occupations()[number];
  const int age = o.youngest + random.below(o.years);
  const bool female = random.chance(50);
  t.archetype = age < 35 ? o.younger : o.older;
  t.profile =
      std::string("gender: ") + (female ? "f" : "m") + "; age: " + std::to_string(age) + "; occupation: " + o.name;
  return number;
}

// The larger the city, the more people; most neighbourhoods alike.
void draw_bases(const Map& map, Traits& t, int occupation, Random& random) {
  const auto any = static_cast<std::uint32_t>(random.next() % map.size());
  t.city = map.city_of(any);
  const int at_home = map.neighbourhood_of(any);
  t.base[home] = draw_in(map.of_kind(at_home, residence), random);
  const std::vector<int> near = map.around(at_home);
  const int at_work = near[random.below(static_cast<int>(near.size()))];
  const int kind = occupations()[occupation].work;
  t.base[work] = kind == residence ? t.base[home] : draw_in(map.of_kind(at_work, kind), random);
}

void draw_habits(Traits& t, Random& random) {
  std::vector<std::int64_t> weights(kind_count);
  for (int weekend = 0; weekend < 2; ++weekend)
    for (int part = 0; part < day_parts; ++part) {
      for (int kind = 0; kind < kind_count; ++kind) {
        const std::int64_t weight = wanted(t, kind, part, weekend);
        weights[kind] = weight * weight;
      }
      t.habit[weekend][part] = random.pick(weights);
    }
}

void draw_favourites(const Map& map, Traits& t, Random& random) {
  for (int base = 0; base < base_count; ++base)
    for (int kind = functional_count; kind < kind_count; ++kind)
      for (std::uint32_t& place : t.favourite[base][kind])
        place = draw_near(map, random, t.theme, map.neighbourhood_of(t.base[base]), kind, map.at(t.base[base]));
}

void draw_haunts(const Map& map, Traits& t) {
  const Point from = map.at(t.base[home]);
  t.haunts = map.around(map.neighbourhood_of(t.base[home]));
  for (const int n : t.haunts)
    t.haunt_weights.push_back((2 + map.fame(n)) * invented::nearness(from, map.centre(n), 6000, 1024));
}

// At places that the person would go to anyway, out in the city.
void draw_appointments(const Map& map, Traits& t, Random& random) {
  for (auto& day : t.appointment) day.fill(-1);
  const int count = 4 + random.below(5);
  for (int i = 0; i < count; ++i) {
    const int day = random.below(7), part = 1 + random.below(day_parts - 1);
    const int kind = t.habit[day >= 5][part], where = t.haunts[random.pick(t.haunt_weights)];
    t.appointment[day][part] = draw_near(map, random, t.theme, where, kind, map.centre(where));
  }
}

// A trip in each piece of the time, with the days before it. Most people of a city go to the same one.
void draw_trips(const Map& map, const WorldOptions& o, Traits& t, Random& random) {
  const int pieces = 1 + random.below(std::max(1, o.days / least_days_a_trip)), length = o.days / pieces;
  for (int i = 0; i < pieces; ++i) {
    const int stay = least_stay + random.below(most_stay - least_stay + 1);
    const int first = i * length + days_before_trip + random.below(std::max(1, length - days_before_trip - stay));
    const int step = random.chance(60) ? 1 : 1 + random.below(map.cities() - 1);
    const int city = (t.city + step) % map.cities();
    const auto& hotels = map.best_known(city, kind_count - 1);
    std::vector<std::int64_t> weights;
    for (std::size_t rank = 1; rank <= hotels.size(); ++rank)
      weights.push_back(3600 / static_cast<std::int64_t>(rank * rank));
    const std::uint32_t hotel = hotels[random.pick(weights)];
    t.trips.push_back({first, std::min(first + stay, o.days) - 1, city, hotel});
  }
}

}  // namespace

std::int64_t wanted(const Traits& t, int kind, int part, bool weekend) {
  const Kind& k = kinds()[kind];
  return t.taste[kind] * (weekend ? k.weekend : k.workday)[part];
}

std::int64_t pull(const Map& map, std::uint32_t place, int neighbourhood, int theme, Point from) {
  return map.attraction(place, theme) * (1 + invented::nearness(from, map.at(place, neighbourhood), reach, 1023));
}

std::uint32_t draw_near(const Map& map, Random& random, int theme, int neighbourhood, int kind, Point from) {
  const PlaceRange range = map.of_kind(neighbourhood, kind);
  std::vector<std::int64_t> weights;
  for (std::uint32_t place = range.first; place < range.last; ++place)
    weights.push_back(pull(map, place, neighbourhood, theme, from));
  return range.first + static_cast<std::uint32_t>(random.pick(weights));
}

Traits draw_traits(const Map& map, const WorldOptions& o, Random& random) {
  Traits t;
  const int occupation = draw_occupation(t, random);
  t.theme = random.below(8);
  t.lateness = random.below(4) - 1;
  t.robot = random.chance(o.robots_percent);
  draw_tastes(t, random);
  draw_bases(map, t, occupation, random);
  draw_habits(t, random);
  draw_favourites(map, t, random);
  draw_haunts(map, t);
  draw_appointments(map, t, random);
  if (random.chance(o.travellers_percent)) draw_trips(map, o, t, random);
  if (!t.robot) return t;
  t.trips.clear();
  for (int i = 1 + random.below(2); i > 0; --i)
    t.repeated.push_back(t.favourite[home][functional_count + random.below(interest_count)][0]);
  return t;
}

}  // namespace chronotope::world
