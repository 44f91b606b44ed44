#include "chronotope/data/geohash.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "scratch.hpp"

using namespace chronotope;

namespace {

// The definition, bit by bit.
std::uint64_t bisected(double latitude, double longitude) {
  double low[2] = {-180, -90}, high[2] = {180, 90};
  const double value[2] = {longitude, latitude};
  std::uint64_t bits = 0;
  for (int i = 0; i < 60; ++i) {
    const int axis = i % 2;
    const double middle = (low[axis] + high[axis]) / 2;
    const bool upper = value[axis] >= middle;
    (upper ? low : high)[axis] = middle;
    bits = bits << 1 | upper;
  }
  return bits;
}

}  // namespace

TEST_CASE("data: geohashes that are published") {
  CHECK(geohash(42.605, -5.603, 5) == "ezs42");
  CHECK(geohash(57.64911, 10.40744, 11) == "u4pruydqqvj");
  CHECK(geohash(-90, -180) == "000000000000");
  CHECK(geohash(90, 180) == "zzzzzzzzzzzz");
  CHECK(geohash(0, 0, 3) == "s00");
  CHECK(geohash(-1e-300, 0, 3) == "kpb");
}

TEST_CASE("data: geohash prefixes agree with halving bit by bit") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> latitude(-90, 90), longitude(-180, 180);
  for (int i = 0; i < 20'000; ++i) {
    double lat = latitude(random), lon = longitude(random);
    if (i % 2) {  // next to the border of a cell
      lat = std::nextafter(std::floor(lat * 1024) * 45 / 65536, i % 4 == 1 ? 90 : -90);
      lon = std::nextafter(std::floor(lon * 1024) * 45 / 65536, i % 8 < 4 ? 180 : -180);
    }
    const auto prefixes = geohash_prefixes(lat, lon);
    REQUIRE(prefixes[11] == bisected(lat, lon));
    for (int level = 0; level < 11; ++level) REQUIRE(prefixes[level] == prefixes[level + 1] >> 5);
  }
}

TEST_CASE("data: grid cells") {
  CHECK(grid_cell_degrees(0) == doctest::Approx(0.32));
  CHECK(grid_cell_degrees(11) == doctest::Approx(0.32 / std::pow(1.6, 11)));
  for (const auto& [lat, lon] : {std::pair{40.7127, -74.0059}, {-33.9, 151.2}, {-90.0, -180.0}, {90.0, 180.0}}) {
    const auto cells = grid_cells(lat, lon);
    for (int level = 0; level < geo_levels; ++level) {
      const double size = grid_cell_degrees(level), shift = std::fmod(0.37 * level, 1.0) * size;
      CHECK(static_cast<std::int32_t>(cells[level] >> 32) == static_cast<int>(std::floor((lat + shift) / size)));
      CHECK(static_cast<std::int32_t>(cells[level]) == static_cast<int>(std::floor((lon + shift) / size)));
    }
  }
}

TEST_CASE("data: hashed rows fill a table evenly and differ by level") {
  constexpr int rows = 97;
  std::vector<int> counts(rows);
  int same = 0;
  for (std::uint64_t cell = 0; cell < 97'000; ++cell) {
    const int row = hashed_row(cell, 3, rows);
    REQUIRE(row >= 0);
    REQUIRE(row < rows);
    ++counts[row];
    same += row == hashed_row(cell, 4, rows);
  }
  double chi = 0;
  for (const int count : counts) chi += (count - 1000.0) * (count - 1000.0) / 1000.0;
  CHECK(chi < 160);  // 96 degrees of freedom: beyond 160 with probability below 0.0001, and the input is fixed
  CHECK(same > 800);
  CHECK(same < 1200);
  CHECK(hashed_row(12345, 0, 1) == 0);
  CHECK(hashed_row(UINT64_MAX, 11, INT32_MAX) >= 0);
  CHECK(hashed_row(1, 2, 1000) == 971);  // computed apart, in another language
}

TEST_CASE("data: distances") {
  CHECK(distance_km(52.5, 13.4, 52.5, 13.4) == 0);
  CHECK(distance_km(0, 0, 0, 1) == doctest::Approx(111.195).epsilon(1e-4));
  CHECK(distance_km(0, 0, 0, 180) == doctest::Approx(20015.1).epsilon(1e-4));
  CHECK(distance_km(90, 0, -90, 77) == doctest::Approx(20015.1).epsilon(1e-4));
  CHECK(distance_km(36.12, -86.67, 33.94, -118.40) == doctest::Approx(2886.45).epsilon(1e-4));
  CHECK(distance_km(0, 179.5, 0, -179.5) == doctest::Approx(111.195).epsilon(1e-4));
}

TEST_CASE("data: positions and settings out of range") {
  using scratch::error_of;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([] {
          geohash_prefixes(91, 0);
        }).starts_with("DataError: position (91.000000, 0.000000) is out of range"));
  CHECK(error_of([&] { geohash_prefixes(0, nan); }).starts_with("DataError: "));
  CHECK(error_of([] { grid_cells(0, 180.1); }).starts_with("DataError: "));
  CHECK(error_of([] { geohash(0, 0, 0); }).starts_with("ConfigError: geohash: length 0"));
  CHECK(error_of([] { geohash(0, 0, 13); }).starts_with("ConfigError: "));
  CHECK(error_of([] { hashed_row(1, 1, 0); }).starts_with("ConfigError: "));
  CHECK(error_of([] { grid_cell_degrees(12); }).starts_with("ConfigError: "));
}

TEST_CASE("data: the centre of a geohash's cell lies in it, and a letter that none has is refused") {
  for (const auto& [latitude, longitude] : {std::pair{40.7127, -74.0059}, {-33.9, 151.2}, {0.0, 0.0}, {89.99, -179.99}}) {
    const std::string cell = chronotope::geohash(latitude, longitude, 8);
    const auto centre = chronotope::geohash_centre(cell);
    CHECK(chronotope::geohash(centre[0], centre[1], 8) == cell);
    CHECK(std::abs(centre[0] - latitude) < 1e-3);
    CHECK(std::abs(centre[1] - longitude) < 1e-3);
  }
  CHECK(chronotope::geohash_centre("DR5RU6") == chronotope::geohash_centre("dr5ru6"));
  CHECK(chronotope::geohash_centre("") == std::array<double, 2>{0, 0});
  CHECK_THROWS_AS(chronotope::geohash_centre("dr5a"), chronotope::DataError);
}
