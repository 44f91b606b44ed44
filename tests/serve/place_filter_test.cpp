#include "chronotope/serve/place_filter.hpp"

#include <doctest/doctest.h>

#include <random>

#include "chronotope/data/geohash.hpp"
#include "data/geo_places.hpp"

using namespace chronotope;

namespace {

constexpr std::int64_t monday = 1'717'372'800;  // 2024-06-03 00:00
constexpr std::int64_t hour = 3600, day = 24 * hour;

OpeningHours hours_of(const std::string& rows) {
  const scratch::Folder folder;
  return OpeningHours::read(folder.put("hours.csv", "place,weekdays,from,to\n" + rows));
}

std::string error_of(const std::string& rows) {
  return scratch::error_of([&] { hours_of(rows); });
}

}  // namespace

TEST_CASE("opening hours: ranges of days, over midnight, over the end of the week") {
  const OpeningHours hours = hours_of("a,mon-fri,8:30,17:00\nb,sat-sun,22:00,3:00\nc,fri-mon,0:00,24:00\na,sat,10:00,12:00\n");
  CHECK(hours.places() == 3);
  CHECK(!hours.open("a", monday + 8 * hour));
  CHECK(hours.open("a", monday + 8 * hour + 1800));
  CHECK(!hours.open("a", monday + 17 * hour));
  CHECK(hours.open("a", monday + 5 * day + 11 * hour));
  CHECK(hours.open("b", monday + 5 * day + 23 * hour));   // Saturday night
  CHECK(hours.open("b", monday + 7 * day + 2 * hour));    // Sunday's night, on Monday
  CHECK(hours.open("b", monday + 2 * hour));              // likewise, a week before
  CHECK(!hours.open("b", monday + 4 * hour));
  CHECK(hours.open("c", monday + 12 * hour));
  CHECK(!hours.open("c", monday + 1 * day + 12 * hour));
  CHECK(hours.open("nobody knows", monday));
}

TEST_CASE("opening hours that are none name file, row and column") {
  CHECK(error_of("a,mon,9:00,25:00\n").find("row 2, column 4 (to): a time must be such as 8:30") != std::string::npos);
  CHECK(error_of("a,monday,9:00,12:00\n").find("row 2, column 2 (weekdays)") != std::string::npos);
  CHECK(error_of("a,mon-,9:00,12:00\n").find("weekdays") != std::string::npos);
  CHECK(error_of("a,mon,9,12:00\n").find("column 3 (from)") != std::string::npos);
  CHECK(error_of(",mon,9:00,12:00\n").find("a place is needed") != std::string::npos);
  const scratch::Folder folder;
  CHECK(scratch::error_of([&] { OpeningHours::read(folder.put("x.csv", "place,from,to\n")); }).find("no column \"weekdays\"") != std::string::npos);
}

TEST_CASE("inside a polygon, also over the date line") {
  const GeoPosition square[] = {{0, 0}, {0, 10}, {10, 10}, {10, 0}};
  CHECK(inside(square, {5, 5}));
  CHECK(!inside(square, {5, 11}));
  CHECK(!inside(square, {-1, 5}));
  const GeoPosition pacific[] = {{-10, 175}, {-10, -175}, {10, -175}, {10, 175}};
  CHECK(inside(pacific, {0, 179}));
  CHECK(inside(pacific, {0, -179}));
  CHECK(!inside(pacific, {0, 170}));
  CHECK(!inside(pacific, {0, 0}));
  const GeoPosition notch[] = {{0, 0}, {10, 0}, {10, 10}, {5, 5}, {0, 10}};  // a bay from the east
  CHECK(inside(notch, {5, 2}));
  CHECK(!inside(notch, {5, 8}));
}

TEST_CASE("limits allow what meets all conditions, and blocks that a circle touches") {
  const scratch::Folder folder;
  const std::uint64_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937_64 random(seed);
  std::vector<geo_places::Place> all;
  for (int i = 0; i < 300; ++i)
    all.push_back({"p" + std::to_string(i), 40 + 0.001 * static_cast<double>(random() % 400), 3 + 0.001 * static_cast<double>(random() % 400), 1, i % 2 ? "Cafe" : "Park"});
  const PlaceCatalogue places(GeoIndexFolder::create(folder.file("index"), geo_places::list_of(all)).open(), PlaceCodes::hierarchical);
  PlaceFilter filter;
  filter.within = PlaceFilter::Circle{{40.2, 3.2}, 6};
  filter.categories = {"Cafe"};
  filter.excluded = {places.number("p1")};
  const PlaceLimits limits = make_limits(places, filter);
  for (std::uint32_t n = 1; n <= places.places(); ++n) {
    const auto place = places.place(n);
    const bool wanted = distance_km(40.2, 3.2, place->latitude, place->longitude) <= 6 && place->category == "Cafe" && place->id != "p1";
    CHECK(limits.place(n) == wanted);
    if (wanted) CHECK(limits.block(places.tokens(n).block));
  }
}

TEST_CASE("limits that make no sense are refused") {
  const scratch::Folder folder;
  const PlaceCatalogue places(GeoIndexFolder::create(folder.file("index"), geo_places::list_of({{"a", 1, 2, 1, ""}})).open(), PlaceCodes::hierarchical);
  PlaceFilter filter;
  filter.polygon = {{1, 2}, {3, 4}};
  CHECK_THROWS_AS(make_limits(places, filter), ConfigError);
  filter.polygon = {{1, 2}, {3, 4}, {91, 0}};
  CHECK_THROWS_AS(make_limits(places, filter), DataError);
  filter.polygon.clear();
  filter.within = PlaceFilter::Circle{{0, 0}, 0};
  CHECK_THROWS_AS(make_limits(places, filter), ConfigError);
}
