// The generated world: the same everywhere, its rows fit together, and what happens is as probable as it says.
#include "chronotope/data/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <map>
#include <set>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/cleansing.hpp"
#include "chronotope/data/geohash.hpp"
#include "scratch.hpp"

using namespace chronotope;

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

WorldOptions small() {
  WorldOptions o;
  o.users = 60;
  o.places = 800;
  o.cities = 3;
  o.days = 60;
  o.actions_per_user = 60;
  return o;
}

std::string error_with(void (*spoil)(WorldOptions&)) {
  WorldOptions options;
  spoil(options);
  return scratch::error_of([&] { World world(options); });
}

const World& common() {
  static const World world = [] {
    WorldOptions o;
    o.users = 200;
    return World(o);
  }();
  return world;
}

const std::vector<WorldUser>& everybody() {
  static const auto users = [] {
    std::vector<WorldUser> all;
    for (int i = 0; i < common().options().users; ++i) all.push_back(common().user(static_cast<std::uint32_t>(i)));
    return all;
  }();
  return users;
}

struct Count {
  double expected = 0, variance = 0, seen = 0;
  void add(double probability, bool happened) {
    expected += probability;
    variance += probability * (1 - probability);
    seen += happened;
  }
  bool fits(double errors) const { return std::abs(seen - expected) <= errors * std::sqrt(variance) + 1e-6; }
};

ActionPass source() {
  return [user = std::size_t{0}, row = std::size_t{0}](LoggedAction& action) mutable {
    while (user < everybody().size() && row == everybody()[user].actions.size()) ++user, row = 0;
    if (user == everybody().size()) return false;
    action = everybody()[user].actions[row++].action;
    return true;
  };
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

TEST_CASE("world: neither trivial nor hopeless; all statuses occur; most requests have a click") {
  Count best;
  std::array<int, 3> statuses{};
  double clicks = 0, shown = 0, with_click = 0, requests = 0;
  for (const WorldUser& user : everybody()) {
    if (user.robot) continue;
    for (std::size_t i = 40; i < user.actions.size(); ++i) {
      const ActionTruth& truth = user.actions[i].truth;
      if (!truth.interest) continue;
      ++statuses[static_cast<int>(truth.status)];
      if (!truth.from_request) best.add(truth.best_probability, truth.rank == 1);
    }
    for (const WorldRequest& row : user.requests) {
      const auto count =
          std::count_if(row.request.shown.begin(), row.request.shown.end(), [](auto& s) { return s.clicked; });
      clicks += static_cast<double>(count), shown += static_cast<double>(row.request.shown.size());
      with_click += count > 0, ++requests;
    }
  }
  const double actions = statuses[0] + statuses[1] + statuses[2], choices = best.seen / best.expected;
  CHECK(std::abs(choices - 1) < .05);
  CHECK(statuses[0] > .7 * actions);
  CHECK(statuses[1] > .02 * actions);
  CHECK(statuses[2] > .05 * actions);
  CHECK(clicks > .10 * shown);
  CHECK(clicks < .15 * shown);
  CHECK(with_click > .6 * requests);
}

TEST_CASE("world: who is about to travel is shown the destination, and clicks on it") {
  double shown = 0, clicks = 0;
  for (const WorldUser& user : everybody())
    for (const WorldRequest& row : user.requests) {
      if (!row.request.user_position) continue;
      double away = 0;
      for (const ShownPlace& place : row.request.shown) {
        const GeoPosition &a = *row.request.user_position, &b = *place.position;
        if (distance_km(a.latitude, a.longitude, b.latitude, b.longitude) < 200) continue;
        ++away;
        clicks += place.clicked;
      }
      if (row.status == TravelStatus::pre_travel) CHECK(away > 0);
      else CHECK(away == 0);
      shown += away;
    }
  CHECK(shown > 100);
  CHECK(clicks > .1 * shown);
}

TEST_CASE("world: before a trip a station of its city is searched for, and nothing else of it before") {
  std::map<std::string, WorldPlace> places;
  for (std::uint32_t i = 0; i < common().places(); ++i) places[common().place(i).id] = common().place(i);
  int looked_at = 0;
  for (const WorldUser& user : everybody()) {
    std::map<int, std::int64_t> announced;  // by city
    for (const auto& [a, truth] : user.actions) {
      if (truth.status != TravelStatus::pre_travel) continue;
      const int city = places.at(a.place).city;
      if (a.category == "Station") {
        CHECK(a.type != "share");
        announced[city] = a.time;
        continue;
      }
      ++looked_at;
      REQUIRE(announced.contains(city));
      CHECK(a.time - announced.at(city) < 7 * 86400);
    }
  }
  CHECK(looked_at > 100);
}

TEST_CASE("world: people do again what they did at such an hour") {
  Count again, other;
  for (const WorldUser& user : everybody()) {
    if (user.robot) continue;
    std::map<std::pair<bool, int>, std::map<std::string, int>> habits;  // categories by weekend and hour
    for (const auto& [a, truth] : user.actions) {
      if (!truth.interest || truth.status != TravelStatus::local) continue;
      const CalendarFields when = calendar_fields(a.time + 60 * *a.offset);
      auto& habit = habits[{when.weekday >= 5, when.hour / 3}];
      int all = 0, most = 0;
      for (const auto& [category, count] : habit) all += count, most = std::max(most, count);
      if (all >= 4 && !truth.from_request) (most == all ? again : other).add(.5, habit[a.category] == most);
      ++habit[a.category];
    }
  }
  CHECK(again.seen > .6 * 2 * again.expected);
  CHECK(other.seen < again.seen / again.expected * other.expected);
  CHECK(again.expected > 50);
}

TEST_CASE("world: meals have their hours, and offices their days") {
  std::map<std::string, std::array<int, 24>> hours;
  for (const WorldUser& user : everybody())
    for (const auto& [a, truth] : user.actions)
      if (!truth.from_request && !user.robot) ++hours[a.category][calendar_fields(a.time + 60 * *a.offset).hour];
  const auto between = [&](const std::string& category, int from, int to) {
    int sum = 0, all = 0;
    for (int h = 0; h < 24; ++h) all += hours[category][h], sum += h >= from && h < to ? hours[category][h] : 0;
    return static_cast<double>(sum) / all;
  };
  CHECK(hours.size() == 24);
  CHECK(between("Bakery", 6, 12) > .5);
  CHECK(between("Noodle House", 12, 15) > .35);
  CHECK(between("Bar", 6, 18) < .2);
  CHECK(between("Office", 6, 18) > .9);
}

TEST_CASE("world: cleansing finds what is functional, exactly by category, and who is a robot") {
  std::map<std::pair<std::string, std::int64_t>, bool> truth;
  std::set<std::string> robots, stay;
  for (const WorldUser& user : everybody()) {
    if (user.robot) robots.insert(user.id);
    for (const auto& row : user.actions) truth[{user.id, row.action.time}] = row.truth.interest;
  }
  CHECK(robots.size() > 8);
  CleansingRules rules;
  rules.functional_categories = World::functional_categories();
  const CleansingReport report = cleanse(source, rules, [&](const LoggedAction& a) {
    stay.insert(a.user);
    CHECK(a.interest == truth.at({a.user, a.time}));
  });
  CHECK(report.unseen_categories.empty());
  for (const std::string& robot : robots) CHECK(!stay.contains(robot));
  CHECK(stay.size() > .8 * static_cast<double>(everybody().size() - robots.size()));
  const double functional =
      1 - static_cast<double>(report.action_level.actions) / static_cast<double>(report.coarse.actions);
  CHECK(functional > .15);
  CHECK(functional < .30);
  rules.functional_categories.clear();
  rules.most_searched = 2;
  double found = 0, missed = 0, wrong = 0, right = 0;
  cleanse(source, rules, [&](const LoggedAction& a) {
    const bool interest = truth.at({a.user, a.time});
    ++(interest ? *a.interest ? right : wrong : *a.interest ? missed : found);
  });
  CHECK(found > .94 * (found + missed));  // places seldom seen may have no search, or no click
  CHECK(wrong < .01 * (wrong + right));
}

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
