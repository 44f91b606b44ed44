// Cells of one area, at the poles and the date line too; and distances to them.
#include "chronotope/data/geo_grid.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "chronotope/data/geohash.hpp"
#include "geo_places.hpp"

using chronotope::GeoBox;
using chronotope::GeoGrid;

namespace {

constexpr double radius = 6371.0088, degree = 0.017453292519943295;

/// Of a box, from its own corners; the difference of sines as a product, which keeps its digits near the poles.
double area(const GeoBox& b) {
  const double middle = (b.north + b.south) / 2 * degree, half = (b.north - b.south) / 2 * degree;
  return radius * radius * (b.east - b.west) * degree * 2 * std::cos(middle) * std::sin(half);
}

std::uint64_t corner(std::uint32_t cell) { return std::uint64_t{cell} << GeoGrid::position_bits; }

bool contains(const GeoBox& b, double latitude, double longitude) {
  constexpr double slack = 1e-9;
  return latitude >= b.south - slack && latitude <= b.north + slack && longitude >= b.west - slack &&
         longitude <= b.east + slack;
}

}  // namespace

TEST_CASE("data: all cells of a grid have one area, and so have their quarters") {
  for (const double km : {5.0, 37.0, 1000.0}) {
    CAPTURE(km);
    const GeoGrid grid(km);
    CHECK(grid.cell_km2() == doctest::Approx(km * km).epsilon(km < 100 ? 1e-3 : 0.05));
    double worst = 0;
    for (std::uint32_t cell = 0; cell < grid.cells(); cell += 1 + grid.cells() / 100000)
      worst = std::max(worst, std::abs(area(grid.box(corner(cell), 0)) / grid.cell_km2() - 1));
    CHECK(worst < 1e-8);
    for (const int level : {1, 2, 5}) {
      const GeoBox part = grid.box(corner(grid.cells() / 3) + 12345, level);
      CHECK(area(part) == doctest::Approx(grid.cell_km2() / std::pow(4, level)).epsilon(1e-6));
    }
  }
}

TEST_CASE("data: cells are nearly square away from the poles") {
  const GeoGrid grid(5);
  double narrowest = 1, widest = 1, lowest = 5, highest = 5;
  for (std::uint32_t cell = 0; cell < grid.cells(); cell += 97) {
    const GeoBox b = grid.box(corner(cell), 0);
    if (std::abs(b.south) > 85 || std::abs(b.north) > 85) continue;
    const double tall = (b.north - b.south) * degree * radius;
    const double shape = (b.east - b.west) * degree * radius * std::cos((b.north + b.south) / 2 * degree) / tall;
    narrowest = std::min(narrowest, shape), widest = std::max(widest, shape);
    lowest = std::min(lowest, tall), highest = std::max(highest, tall);
  }
  CAPTURE(narrowest);
  CAPTURE(widest);
  CAPTURE(lowest);
  CAPTURE(highest);
  CHECK(narrowest > 0.98);
  CHECK(widest < 1.02);
  CHECK(lowest > 4.95);
  CHECK(highest < 5.05);
}

TEST_CASE("data: boxes of a grid cover the sphere once and hold their positions") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const GeoGrid fine(5), coarse(1000);
  std::map<std::uint64_t, int> hits;
  constexpr int draws = 200000;
  int outside = 0;
  for (int i = 0; i < draws; ++i) {
    const auto p = geo_places::anywhere(random);
    const std::uint64_t position = fine.position(p.latitude, p.longitude);
    for (const int level : {0, 4, GeoGrid::most_level})
      outside += !contains(fine.box(position, level), p.latitude, p.longitude);
    ++hits[coarse.position(p.latitude, p.longitude) >> GeoGrid::position_bits];
  }
  CHECK(outside == 0);
  REQUIRE(hits.size() == coarse.cells());  // about 400 each
  double chi = 0;
  const double expected = static_cast<double>(draws) / coarse.cells();
  for (const auto& [cell, n] : hits) chi += (n - expected) * (n - expected) / expected;
  const double freedom = coarse.cells() - 1.0;
  CHECK(std::abs(chi - freedom) < 6 * std::sqrt(2 * freedom));
}

TEST_CASE("data: poles, date line and borders") {
  const GeoGrid grid(5);
  CHECK(grid.position(12, 180) == grid.position(12, -180));
  CHECK(grid.position(12, std::nextafter(180, 0)) != grid.position(12, -180));
  CHECK(grid.box(grid.position(12, std::nextafter(180, 0)), 0).east == 180);
  CHECK(grid.box(grid.position(12, -180), 0).west == -180);
  for (const double pole : {-90.0, 90.0})
    for (const double longitude : {-180.0, -1.0, 0.0, 77.0, 180.0})
      CHECK(grid.position(pole, longitude) == grid.position(pole, 0));
  CHECK(grid.box(grid.position(90, 0), 0).north == 90);
  CHECK(grid.box(grid.position(-90, 0), 0).south == -90);
  CHECK((grid.position(-90, 0) >> GeoGrid::position_bits) == 0);
  // The equator is a border; it belongs to the north.
  CHECK(grid.box(grid.position(0, 0), 0).south == 0);
  CHECK(grid.box(grid.position(-1e-12, 0), 0).north == 0);
  CHECK(grid.position(0, 50) == grid.position(-0.0, 50));
}

TEST_CASE("data: positions and sizes that cannot be") {
  const GeoGrid grid(5);
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  for (const auto& [latitude, longitude] :
       {std::pair(90.1, 0.0), {-90.1, 0.0}, {0.0, 180.1}, {0.0, -180.1}, {nan, 0.0}, {0.0, nan}, {infinite, 0.0}}) {
    CHECK(scratch::error_of([&] { grid.position(latitude, longitude); }).starts_with("DataError: position ("));
    CHECK(scratch::error_of([&] { grid.cells_near(latitude, longitude, 1); }).starts_with("DataError: position ("));
  }
  for (const double km : {0.0, -5.0, 0.4, 1001.0, nan, infinite})
    CHECK(scratch::error_of([&] { GeoGrid bad(km); }).starts_with("ConfigError: geo grid: blocks of"));
  for (const double km : {-1.0, nan})
    CHECK(scratch::error_of([&] { grid.cells_near(0, 0, km); }).starts_with("ConfigError: "));
  CHECK(GeoGrid(0.5).cells() < 1u << 31);
}

TEST_CASE("data: the distance to a box is that to its nearest point") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const GeoGrid grid(700);
  for (int round = 0; round < 3000; ++round) {
    const auto from = geo_places::anywhere(random), to = geo_places::anywhere(random);
    const GeoBox b = grid.box(grid.position(to.latitude, to.longitude), 0);
    double nearest = contains(b, from.latitude, from.longitude) ? 0 : 1e9;
    constexpr int steps = 200;
    for (int i = 0; i <= steps; ++i) {
      const double latitude = std::lerp(b.south, b.north, i / double{steps}),
                   longitude = std::lerp(b.west, b.east, i / double{steps});
      for (const double edge : {b.west, b.east})
        nearest = std::min(nearest, chronotope::distance_km(latitude, edge, from.latitude, from.longitude));
      for (const double edge : {b.south, b.north})
        nearest = std::min(nearest, chronotope::distance_km(edge, longitude, from.latitude, from.longitude));
    }
    const double km = chronotope::distance_km(b, from.latitude, from.longitude);
    CAPTURE(from.latitude);
    CAPTURE(from.longitude);
    CAPTURE(b.south);
    CAPTURE(b.west);
    CHECK(km <= nearest + 1e-6);
    CHECK(km >= nearest - 5);  // samples lie up to 3.5 km apart
  }
}
