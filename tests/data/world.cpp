// The generated world: the same everywhere, its rows fit together, and what happens is as probable as it says.
#include "world_people.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <map>
#include <set>

#include "chronotope/data/geohash.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

class Fingerprint {
 public:
  template <std::integral Value> void add(Value number) {
    const auto value = static_cast<std::int64_t>(number);
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ (static_cast<std::uint64_t>(value) >> 8 * i & 255)) * 0x100000001B3;
  }
  void add(const std::string& text) {
    for (const char letter : text) add(letter);
  }
  void add(const std::optional<GeoPosition>& p) {
    if (p) add(std::llround(p->latitude * 1e6)), add(std::llround(p->longitude * 1e6));
  }
  void add_share(double probability) { add(std::llround(probability * (1 << 30))); }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

std::uint64_t fingerprint(const WorldUser& user) {
  Fingerprint f;
  f.add(user.id);
  for (const auto& [a, t] : user.actions) {
    f.add(a.time), f.add(a.place), f.add(a.user_position), f.add(a.position), f.add(a.type), f.add(a.profile);
    f.add(t.best), f.add_share(t.best_probability), f.add_share(t.probability), f.add(t.rank);
  }
  for (const auto& r : user.requests)
    for (std::size_t i = 0; i < r.request.shown.size(); ++i) {
      f.add(r.request.time), f.add(r.request.shown[i].place), f.add(r.request.shown[i].clicked);
      f.add_share(r.click_probability[i]);
    }
  return f.value();
}

}  // namespace

TEST_CASE("world: the same on every platform") {
  const World world(small());
  Fingerprint all;
  for (int i = 0; i < 60; ++i) all.add(fingerprint(world.user(static_cast<std::uint32_t>(i))));
  CHECK(all.value() == 14943233204827815509u);
  Fingerprint places;
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const WorldPlace p = world.place(i);
    places.add(p.id), places.add(p.position), places.add(p.category);
    places.add(p.quality * 8 + p.theme), places.add(std::llround(p.popularity));
    for (const float value : world.vector(i)) places.add(std::llround(value * 256));
  }
  CHECK(places.value() == 4616077382009813511u);
}

TEST_CASE("world: a user follows from options and number alone") {
  const World world(small());
  WorldOptions more = small();
  more.users = 1000;
  const World larger(more);
  for (const std::uint32_t number : {59u, 3u, 17u})
    CHECK(fingerprint(larger.user(number)) == fingerprint(world.user(number)));
  CHECK(fingerprint(world.user(3)) != fingerprint(world.user(4)));
  WorldOptions other = small();
  other.seed = 2;
  CHECK(fingerprint(World(other).user(3)) != fingerprint(world.user(3)));
}

TEST_CASE("world: rows fit together") {
  std::map<std::string, WorldPlace> places;
  for (std::uint32_t i = 0; i < common().places(); ++i) {
    const WorldPlace p = common().place(i);
    places[p.id] = p;
  }
  int unknown_positions = 0, actions = 0;
  for (const WorldUser& user : everybody()) {
    std::int64_t latest = common().begin() - 1;
    for (const auto& [a, truth] : user.actions) {
      CHECK(a.time > latest);
      latest = a.time;
      CHECK(a.user == user.id);
      CHECK(!a.interest);
      const WorldPlace& place = places.at(a.place);
      CHECK(a.position == place.position);
      CHECK(a.category == place.category);
      CHECK(a.profile == user.actions[0].action.profile);
      unknown_positions += !a.user_position;
      ++actions;
      if (a.user_position && truth.status != TravelStatus::pre_travel)
        CHECK(distance_km(a.user_position->latitude, a.user_position->longitude, a.position->latitude,
                          a.position->longitude) < 40);
      if (a.user_position && truth.status == TravelStatus::pre_travel)
        CHECK(distance_km(a.user_position->latitude, a.user_position->longitude, a.position->latitude,
                          a.position->longitude) > 300);
      CHECK(truth.probability <= truth.best_probability);
      CHECK(truth.best_probability <= truth.best_ten);
      CHECK(truth.best_ten <= 1);
      CHECK((truth.rank == 0) == (truth.probability == 0));
      if (truth.interest && !truth.from_request) CHECK(truth.rank > 0);
      if (truth.rank == 1) CHECK(common().place(truth.best).id == a.place);
    }
    CHECK(latest <= common().end());
  }
  CHECK(unknown_positions > .01 * actions);
  CHECK(unknown_positions < .03 * actions);
}

TEST_CASE("world: clicks of a request are actions within the minute, and nothing is between") {
  for (const WorldUser& user : everybody()) {
    std::size_t at = 0, clicks = 0;
    std::int64_t latest = 0;
    for (const WorldRequest& row : user.requests) {
      const LoggedRequest& r = row.request;
      CHECK(r.time > latest);
      latest = r.time;
      CHECK(r.shown.size() >= 9);
      CHECK(r.shown.size() <= 13);
      REQUIRE(row.click_probability.size() == r.shown.size());
      while (at < user.actions.size() && user.actions[at].action.time <= r.time) ++at;
      std::set<std::string> places;
      for (const ShownPlace& shown : r.shown) {
        places.insert(shown.place);
        if (!shown.clicked) continue;
        ++clicks;
        REQUIRE(at < user.actions.size());
        const auto& [a, truth] = user.actions[at++];
        CHECK(a.place == shown.place);
        CHECK(a.type == "click");
        CHECK(truth.from_request);
        CHECK(a.time > r.time);
        CHECK(a.time <= r.time + 60);
        CHECK(a.user_position == r.user_position);
      }
      CHECK(places.size() == r.shown.size());
      if (at < user.actions.size()) CHECK(user.actions[at].action.time > r.time + 60);
    }
    const auto from_requests =
        std::count_if(user.actions.begin(), user.actions.end(), [](auto& a) { return a.truth.from_request; });
    CHECK(static_cast<std::size_t>(from_requests) == clicks);
    if (user.robot) CHECK(user.requests.empty());
  }
}

TEST_CASE("world: what happens is as probable as it says") {
  std::array<Count, 10> best, shown;  // by stated probability
  Count ten;
  for (const WorldUser& user : everybody()) {
    for (const auto& [a, truth] : user.actions) {
      if (!truth.interest || truth.from_request) continue;
      best[std::min(9, static_cast<int>(truth.best_probability * 10))].add(truth.best_probability, truth.rank == 1);
      ten.add(truth.best_ten, truth.rank <= 10);
    }
    for (const WorldRequest& row : user.requests)
      for (std::size_t i = 0; i < row.request.shown.size(); ++i)
        shown[std::min(9, static_cast<int>(row.click_probability[i] * 10))].add(row.click_probability[i],
                                                                                row.request.shown[i].clicked);
  }
  for (const auto* counts : {&best, &shown})
    for (const Count& count : *counts) {
      CAPTURE(count.expected);
      CAPTURE(count.seen);
      CHECK(count.fits(4));
    }
  CHECK(ten.fits(4));
  CHECK(best[4].seen > 100);
  CHECK(shown[0].seen > 100);
}
