#include "world_traits.hpp"

#include <algorithm>

namespace chronotope::world {
namespace {

constexpr int reach = 1500;  // metres people gladly go for a place
constexpr int least_days_a_trip = 30, least_stay = 3, most_stay = 8;
constexpr int likes = 2, liking = 4, most_haunts = 3;
constexpr std::array<const char*, 8> styles = {"classic", "rustic", "modern", "retro",
                                               "quiet",   "lively", "family", "luxury"};

std::uint32_t draw_in(const PlaceRange& range, Random& random) {
  return range.first + static_cast<std::uint32_t>(random.below(static_cast<int>(range.last - range.first)));
}

// Two kinds that the person likes beyond what people of the group do.
void draw_tastes(Traits& t, Random& random) {
  std::vector<std::int64_t> weights(kind_count);
  for (int kind = functional_count; kind < kind_count; ++kind)
    weights[kind] = t.taste[kind] = archetypes()[t.archetype][kind];
  t.profile += "; likes:";
  for (int i = 0; i < likes; ++i) {
    const int kind = random.pick(weights);
    weights[kind] = 0;
    t.taste[kind] *= liking;
    t.profile += std::string(i > 0 ? ", " : " ") + kinds()[kind].category;
  }
}

int draw_occupation(Traits& t, Random& random) {
  const int number = random.below(occupation_count);
  const Occupation& o = occupations()[number];
  const int age = o.youngest + random.below(o.years);
  const bool female = random.chance(50);
  t.archetype = age < 35 ? o.younger : o.older;
  t.profile = std::string("gender: ") + (female ? "f" : "m") + "; age: " + std::to_string(age) +
              "; occupation: " + o.name + "; style: " + styles[t.theme];
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

// A few neighbourhoods, well known ones and those near home first.
void draw_haunts(const Map& map, Traits& t, Random& random) {
  const Point from = map.at(t.base[home]);
  const std::vector<int> around = map.around(map.neighbourhood_of(t.base[home]));
  std::vector<std::int64_t> weights;
  for (const int n : around) weights.push_back((2 + map.fame(n)) * invented::nearness(from, map.centre(n), 6000, 1024));
  for (int left = std::min<int>(most_haunts, static_cast<int>(around.size())); left > 0; --left) {
    const int drawn = random.pick(weights);
    if (drawn < 0) return;
    t.haunts.push_back(around[drawn]);
    t.haunt_weights.push_back(weights[drawn]);
    weights[drawn] = 0;
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
  t.theme = random.below(static_cast<int>(styles.size()));
  const int occupation = draw_occupation(t, random);
  t.lateness = random.below(4) - 1;
  t.robot = random.chance(o.robots_percent);
  draw_tastes(t, random);
  draw_bases(map, t, occupation, random);
  draw_haunts(map, t, random);
  if (random.chance(o.travellers_percent)) draw_trips(map, o, t, random);
  if (!t.robot) return t;
  t.trips.clear();
  for (int i = 1 + random.below(2); i > 0; --i)
    t.repeated.push_back(draw_near(map, random, t.theme, map.neighbourhood_of(t.base[home]),
                                   functional_count + random.below(interest_count), map.at(t.base[home])));
  return t;
}

}  // namespace chronotope::world
