#include "world_map.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope::world {
namespace {

using invented::Random;

constexpr std::uint32_t least_in_city = 40;
constexpr int spacing = 2600, wobble = 400, spread = 900;  // metres: between neighbourhoods, of them, of their places
constexpr int steps_around = 3;
constexpr std::size_t most_best_known = 20;
constexpr std::uint64_t cities_stream = std::uint64_t{1} << 40;  // users have the streams from 1 on

/// Sizes that fall as one over the rank.
std::vector<std::uint32_t> city_sizes(const WorldOptions& o) {
  std::vector<std::int64_t> weights;
  for (int i = 0; i < o.cities; ++i) weights.push_back(720'720 / (i + 1));
  const std::int64_t total = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  const std::int64_t free = o.places - std::int64_t{least_in_city} * o.cities;
  std::vector<std::uint32_t> sizes;
  std::int64_t left = free;
  for (const std::int64_t weight : weights) {
    const std::int64_t more = free * weight / total;
    sizes.push_back(least_in_city + static_cast<std::uint32_t>(more));
    left -= more;
  }
  sizes[0] += static_cast<std::uint32_t>(left);
  return sizes;
}

// As many as make neighbourhoods of 40 to 300 places, on a square grid.
int rows_of(const WorldOptions& o, std::uint32_t count) {
  const auto wanted = static_cast<std::uint32_t>(std::clamp(o.places / (12 * o.cities), 40, 300));
  int rows = 1;
  while (static_cast<std::uint32_t>((rows + 1) * (rows + 1)) * wanted <= count) ++rows;
  return rows;
}

// One of each kind, the rest by their shares.
std::array<std::uint16_t, kind_count + 1> divide(std::uint32_t count) {
  std::array<std::uint16_t, kind_count + 1> begins{};
  int share = 0;
  for (int kind = 0; kind < kind_count; ++kind) {
    share += kinds()[kind].share;
    begins[kind + 1] =
        static_cast<std::uint16_t>(kind + 1 + (count - kind_count) * static_cast<std::uint32_t>(share) / 100);
  }
  return begins;
}

}  // namespace

Map::Map(const WorldOptions& o) {
  for (auto* values : {&rank_, &quality_, &theme_}) values->reserve(static_cast<std::size_t>(o.places));
  for (auto* values : {&x_, &y_}) values->reserve(static_cast<std::size_t>(o.places));
  const std::vector<std::uint32_t> sizes = city_sizes(o);
  for (int city = 0; city < o.cities; ++city) add_city(o, city, sizes[city]);
}

// Eight cities a parallel, about 430 km apart; parallels about 500 km.
void Map::add_city(const WorldOptions& o, int city, std::uint32_t count) {
  Random random(o.seed, cities_stream - 1 - static_cast<std::uint64_t>(city));
  const int shift = (city * 7 + random.below(10)) % 10;
  const double latitude = 50 - 4.5 * (city / 8) + .03 * shift, longitude = -12 + 6 * (city % 8) + .05 * shift;
  const int rows = rows_of(o, count), first = static_cast<int>(neighbourhoods_.size());
  const int offset = 60 * ((static_cast<int>(longitude) + 12) / 15);
  cities_.push_back({{latitude, longitude}, offset, {size(), size() + count}, first, rows, {}});
  const int number = rows * rows;
  for (int i = 0; i < number; ++i) {
    const auto part = [&](int end) { return count * std::uint64_t(end) / number; };
    add_neighbourhood(o, city, i, static_cast<std::uint32_t>(part(i + 1) - part(i)));
  }
  find_best_known(cities_.back());
}

void Map::add_neighbourhood(const WorldOptions& o, int city, int number, std::uint32_t count) {
  Random random(o.seed, cities_stream + 1 + neighbourhoods_.size());
  const int rows = cities_[city].rows;
  const auto along = [&](int step) {
    return step * spacing - (rows - 1) * spacing / 2 + random.below(2 * wobble + 1) - wobble;
  };
  Neighbourhood n{};
  n.first = size();
  n.kinds = divide(count);
  n.city = static_cast<std::uint8_t>(city);
  n.fame = static_cast<std::uint8_t>(12 / (1 + random.below(12)));
  n.at.x = along(number % rows);
  n.at.y = along(number / rows);
  neighbourhoods_.push_back(n);
  std::vector<int> ranks;
  for (int kind = 0; kind < kind_count; ++kind) {
    ranks.resize(static_cast<std::size_t>(n.kinds[kind + 1] - n.kinds[kind]));
    std::iota(ranks.begin(), ranks.end(), 1);
    for (int i = static_cast<int>(ranks.size()) - 1; i > 0; --i) std::swap(ranks[i], ranks[random.below(i + 1)]);
    for (const int rank : ranks) add_place(random, rank);
  }
}

void Map::add_place(Random& random, int rank) {
  const auto offset = [&] {
    const int first = random.below(spread), second = random.below(spread);
    return static_cast<std::int16_t>(first + second - spread);
  };
  x_.push_back(offset());
  y_.push_back(offset());
  rank_.push_back(static_cast<std::uint8_t>(std::min(rank, 255)));
  int quality = 0;
  for (int i = 0; i < 3; ++i) quality += random.below(6);
  quality_.push_back(static_cast<std::uint8_t>(quality));
  theme_.push_back(static_cast<std::uint8_t>(random.below(8)));
}

void Map::find_best_known(City& city) {
  struct Known {
    std::int64_t fame;
    std::uint32_t place;
  };
  const auto better = [](const Known& a, const Known& b) {
    return a.fame > b.fame || (a.fame == b.fame && a.place < b.place);
  };
  const int last = city.first_neighbourhood + city.rows * city.rows;
  for (int kind = functional_count; kind < kind_count; ++kind) {
    std::vector<Known> best;
    for (int n = city.first_neighbourhood; n < last; ++n) {
      const PlaceRange range = of_kind(n, kind);
      for (std::uint32_t place = range.first; place < range.last; ++place)
        best.push_back({popularity(place, n) * (2 + quality(place)), place});
      const std::size_t keep = std::min(best.size(), most_best_known);
      std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(keep), best.end(), better);
      best.resize(keep);
    }
    for (const Known& known : best) city.best[kind].push_back(known.place);
  }
}

int Map::neighbourhood_of(std::uint32_t place) const {
  const auto after = std::upper_bound(neighbourhoods_.begin(), neighbourhoods_.end(), place,
                                      [](std::uint32_t p, const Neighbourhood& n) { return p < n.first; });
  return static_cast<int>(after - neighbourhoods_.begin()) - 1;
}

int Map::kind_of(std::uint32_t place) const {
  const Neighbourhood& n = neighbourhoods_[neighbourhood_of(place)];
  const auto after = std::upper_bound(n.kinds.begin(), n.kinds.end(), place - n.first);
  return static_cast<int>(after - n.kinds.begin()) - 1;
}

std::int64_t Map::popularity(std::uint32_t place, int neighbourhood) const {
  const std::int64_t rank = rank_[place];
  return neighbourhoods_[neighbourhood].fame * (1 + 8192 / (rank * rank));
}

std::int64_t Map::attraction(std::uint32_t place, int theme) const {
  const std::int64_t rank = rank_[place], liked = theme_[place] == theme ? 2 : 1;
  return (32 + 8192 / (rank * rank)) * (2 + quality_[place]) * liked;
}

PlaceRange Map::of_kind(int neighbourhood, int kind) const {
  const Neighbourhood& n = neighbourhoods_[neighbourhood];
  return {n.first + n.kinds[kind], n.first + n.kinds[kind + 1]};
}

std::vector<int> Map::around(int neighbourhood) const {
  const City& city = cities_[neighbourhoods_[neighbourhood].city];
  const int number = neighbourhood - city.first_neighbourhood, column = number % city.rows, row = number / city.rows;
  std::vector<int> found;
  for (int y = std::max(0, row - steps_around); y <= std::min(city.rows - 1, row + steps_around); ++y)
    for (int x = std::max(0, column - steps_around); x <= std::min(city.rows - 1, column + steps_around); ++x)
      found.push_back(city.first_neighbourhood + y * city.rows + x);
  return found;
}

int Map::middle(int city) const {
  const City& c = cities_[city];
  return c.first_neighbourhood + c.rows / 2 * c.rows + c.rows / 2;
}

GeoPosition Map::degrees(int city, Point at) const {
  return {cities_[city].plane.latitude(at), cities_[city].plane.longitude(at)};
}

std::string place_id(std::uint32_t place) { return "p" + std::to_string(place + 1); }

}  // namespace chronotope::world
