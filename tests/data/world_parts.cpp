// What the generated world is made of: distributions, the map, and the places' hidden sides.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <set>

#include "chronotope/data/geohash.hpp"
#include "data/world_choice.hpp"
#include "data/world_map.hpp"

using chronotope::World;
using chronotope::WorldOptions;
using chronotope::world::Choice;
using chronotope::world::Map;

namespace {

WorldOptions of(int places, int cities) {
  WorldOptions o;
  o.places = places;
  o.cities = cities;
  return o;
}

}  // namespace

TEST_CASE("world: shares of a distribution sum to the whole, whatever the weights") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> weights(1 + random() % 50);
    for (auto& weight : weights)
      weight = static_cast<std::int64_t>(random() % 3 ? random() % (std::uint64_t{1} << 33) : 0);
    weights[random() % weights.size()] = 1;
    const auto mass = static_cast<std::int64_t>(random() % (Choice::whole + 1));
    std::vector<std::int64_t> parts(weights.size(), 0);
    Choice::divide(
        static_cast<int>(weights.size()), mass, [&](int i) { return weights[i]; },
        [&](int i, std::int64_t part) { parts[i] += part; });
    std::int64_t sum = 0, total = 0;
    for (const auto weight : weights) total += weight;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      sum += parts[i];
      const double exact = static_cast<double>(mass) * static_cast<double>(weights[i]) / static_cast<double>(total);
      CHECK(std::abs(static_cast<double>(parts[i]) - exact) <= static_cast<double>(weights.size()) + exact * 1e-12);
    }
    CHECK(sum == mass);
  }
}

TEST_CASE("world: a place is as probable as all ways to it together") {
  Choice choice;
  choice.add(7, Choice::whole / 4);
  choice.add(3, Choice::whole / 4);
  choice.add(9, 0);
  choice.add(7, Choice::whole / 8);
  choice.add(5, Choice::whole / 4);
  choice.add(1, Choice::whole / 8);
  choice.settle();
  CHECK(choice.mass(7) == Choice::whole / 8 * 3);
  CHECK(choice.mass(9) == 0);
  CHECK(choice.mass(8) == 0);
  CHECK(choice.rank(7) == 1);
  CHECK(choice.rank(3) == 2);  // of equals the lower number first
  CHECK(choice.rank(5) == 3);
  CHECK(choice.rank(1) == 4);
  CHECK(choice.rank(9) == 0);
  REQUIRE(choice.best(3).size() == 3);
  CHECK(choice.best(3)[1].place == 3);
  CHECK(choice.best(10).size() == 4);
  chronotope::invented::Random random(std::random_device{}(), 0);
  const int draws = 40000;
  std::array<int, 10> drawn{};
  for (int i = 0; i < draws; ++i) ++drawn[choice.draw(random)];
  double chi_square = 0;
  for (const auto& c : choice.candidates()) {
    const double expected = draws * static_cast<double>(c.mass) / Choice::whole;
    chi_square += (drawn[c.place] - expected) * (drawn[c.place] - expected) / expected;
  }
  CHECK(chi_square < 27.9);  // three degrees of freedom: exceeded once in 250,000 runs
  CHECK(drawn[9] == 0);
}

TEST_CASE("world: places stand in cities and neighbourhoods of all kinds") {
  for (const auto& [places, cities] : {std::pair{200, 2}, {200, 5}, {3000, 4}, {2560, 64}, {20000, 3}}) {
    CAPTURE(places);
    CAPTURE(cities);
    const Map map(of(places, cities));
    CHECK(map.size() == static_cast<std::uint32_t>(places));
    CHECK(map.cities() == cities);
    std::uint32_t counted = 0;
    for (int city = 0; city < cities; ++city) {
      const auto range = map.of_city(city);
      CHECK(range.last - range.first >= 40);
      if (city > 0) CHECK(range.last - range.first <= map.of_city(city - 1).last - map.of_city(city - 1).first);
      for (int i = 0; i < map.neighbourhoods(city); ++i) {
        const int n = map.first_neighbourhood(city) + i;
        CHECK(map.city_of_neighbourhood(n) == city);
        for (int kind = 0; kind < chronotope::world::kind_count; ++kind) {
          const auto kinds = map.of_kind(n, kind);
          REQUIRE(kinds.last > kinds.first);
          std::set<int> ranks;
          for (std::uint32_t place = kinds.first; place < kinds.last; ++place, ++counted) {
            CHECK(map.neighbourhood_of(place) == n);
            CHECK(map.kind_of(place) == kind);
            CHECK(map.city_of(place) == city);
            ranks.insert(map.rank(place));
            CHECK(map.attraction(place, 0) < 1 << 20);
          }
          CHECK(*ranks.begin() == 1);
          CHECK((*ranks.rbegin() == 255 || static_cast<std::uint32_t>(*ranks.rbegin()) == kinds.last - kinds.first));
        }
        const auto around = map.around(n);
        CHECK(std::find(around.begin(), around.end(), n) != around.end());
        CHECK(around.size() <= 49);
      }
      const auto& best = map.best_known(city, 12);
      REQUIRE(!best.empty());
      for (std::size_t i = 1; i < best.size(); ++i)
        CHECK(map.popularity(best[i - 1]) * (2 + map.quality(best[i - 1])) >=
              map.popularity(best[i]) * (2 + map.quality(best[i])));
    }
    CHECK(counted == map.size());
  }
}

TEST_CASE("world: cities lie hundreds of kilometres apart, neighbourhoods a few") {
  const World world(of(3000, 10));
  std::vector<std::vector<chronotope::GeoPosition>> cities(10);
  std::set<std::string> ids, categories;
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const auto p = world.place(i);
    cities[p.city].push_back(p.position);
    ids.insert(p.id);
    categories.insert(p.category);
    CHECK(p.popularity > 0);
  }
  CHECK(ids.size() == 3000);
  CHECK(categories.size() == 24);
  const auto km = [](auto& a, auto& b) {
    return chronotope::distance_km(a.latitude, a.longitude, b.latitude, b.longitude);
  };
  for (std::size_t a = 0; a < cities.size(); ++a) {
    CHECK(km(cities[a].front(), cities[a].back()) < 30);
    for (std::size_t b = 0; b < a; ++b) CHECK(km(cities[a].front(), cities[b].front()) > 300);
  }
}

// The direction of quality is row 15 of the Hadamard matrix, as in World::vector; noise has a deviation of about .58.
TEST_CASE("world: vectors say what no log shows, under noise") {
  const World world(of(2000, 3));
  double sum_q = 0, sum_v = 0, sum_qq = 0, sum_vv = 0, sum_qv = 0;
  std::array<std::array<double, 16>, 8> means{};
  std::array<int, 8> counts{};
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const auto v = world.vector(i);
    CHECK(v == world.vector(i));
    const auto p = world.place(i);
    double along = 0;
    for (int j = 0; j < 16; ++j) {
      along += v[j] * (std::popcount(static_cast<unsigned>(j)) % 2 ? -1 : 1);
      means[p.theme][j] += v[j];
      CHECK(std::abs(v[j]) < 4);
    }
    ++counts[p.theme];
    const double q = p.quality;
    sum_q += q, sum_v += along, sum_qq += q * q, sum_vv += along * along, sum_qv += q * along;
  }
  const double n = world.places(), covariance = sum_qv / n - sum_q / n * sum_v / n;
  const double correlation =
      covariance / std::sqrt((sum_qq / n - sum_q / n * sum_q / n) * (sum_vv / n - sum_v / n * sum_v / n));
  CHECK(correlation > .85);
  CHECK(correlation < .97);
  for (int a = 0; a < 8; ++a)
    for (int b = 0; b < a; ++b) {
      double squared = 0;
      for (int j = 0; j < 16; ++j) squared += std::pow(means[a][j] / counts[a] - means[b][j] / counts[b], 2);
      CHECK(std::sqrt(squared) > 2);  // .625 in each of 16 directions: 3.5 apart
    }
}
