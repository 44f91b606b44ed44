// Worlds of all sizes, and options that make none.
#include "world_people.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "scratch.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

std::string error_with(void (*spoil)(WorldOptions&)) {
  WorldOptions options;
  spoil(options);
  return scratch::error_of([&] { World world(options); });
}

}  // namespace

TEST_CASE("world: small, large and odd worlds") {
  WorldOptions o = small();
  o.users = 8;
  for (o.seed = 0; o.seed < 20; ++o.seed) {
    o.places = 200, o.cities = 2 + static_cast<int>(o.seed % 4), o.days = 28, o.actions_per_user = 56, o.shown = 3;
    o.travellers_percent = 100, o.robots_percent = 0;
    const World world(o);
    for (std::uint32_t i = 0; i < 8; ++i) {
      const WorldUser user = world.user(i);
      CHECK(user.actions.size() >= 22);
      for (const WorldRequest& row : user.requests) CHECK(!row.request.shown.empty());
    }
  }
  o = small();
  o.shown = 48, o.robots_percent = 0;
  std::size_t most = 0;
  for (const WorldRequest& row : World(o).user(5).requests) most = std::max(most, row.request.shown.size());
  CHECK(most > 40);
  o.requests_per_user = 0;
  CHECK(World(o).user(5).requests.empty());
  o.robots_percent = 100;
  CHECK(World(o).user(5).robot);
  o.robots_percent = 0, o.travellers_percent = 0;
  for (const auto& row : World(o).user(5).actions) CHECK(row.truth.status == TravelStatus::local);
}

TEST_CASE("world: options out of range") {
  CHECK(error_with([](WorldOptions& o) { o.users = 0; }) ==
        "ConfigError: World: users = 0 is out of range: 1 to 100000000");
  CHECK(error_with([](WorldOptions& o) { o.places = 199; }).find("places = 199 is out of range: 200") !=
        std::string::npos);
  CHECK(error_with([](WorldOptions& o) { o.places = 399, o.cities = 10; }).find("400 to 10000000") !=
        std::string::npos);
  CHECK(error_with([](WorldOptions& o) { o.cities = 1; }).starts_with("ConfigError: "));
  CHECK(error_with([](WorldOptions& o) { o.days = 27; }).starts_with("ConfigError: "));
  CHECK(error_with([](WorldOptions& o) { o.actions_per_user = 241; }).find("10 to 240") != std::string::npos);
  CHECK(error_with([](WorldOptions& o) { o.requests_per_user = -1; }).starts_with("ConfigError: "));
  CHECK(error_with([](WorldOptions& o) { o.shown = 49; }).starts_with("ConfigError: "));
  CHECK(error_with([](WorldOptions& o) { o.robots_percent = 101; }).starts_with("ConfigError: "));
  CHECK(scratch::error_of([] { common().user(200); }) == "DataError: World: user 200 is not one of 200");
  CHECK(scratch::error_of([] { common().place(3000); }) == "DataError: World: place 3000 is not one of 3000");
}
