// What people of the generated world do: trips, habits, hours, and what cleansing finds of it.
#include "world_people.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/cleansing.hpp"
#include "chronotope/data/geohash.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

ActionPass source() {
  return [user = std::size_t{0}, row = std::size_t{0}](LoggedAction& action) mutable {
    while (user < everybody().size() && row == everybody()[user].actions.size()) ++user, row = 0;
    if (user == everybody().size()) return false;
    action = everybody()[user].actions[row++].action;
    return true;
  };
}

}  // namespace

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
