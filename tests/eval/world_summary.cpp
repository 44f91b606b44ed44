// The best possible on a generated world, against counting it here.
#include "chronotope/eval/world_summary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"

using namespace chronotope;

namespace {

WorldOptions options() {
  WorldOptions o;
  o.users = 120;
  return o;
}

WorldSummary summary_of(const World& world) {
  WorldSummaryBuilder builder(world);
  for (int i = 0; i < world.options().users; ++i) builder.add(world.user(static_cast<std::uint32_t>(i)));
  return builder.finish();
}

}  // namespace

TEST_CASE("world summary: counts are those of the rows") {
  const World world(options());
  const WorldSummary s = summary_of(world);
  REQUIRE(s.best.size() == 3);
  std::uint64_t actions = 0, functional = 0, robots = 0, counted = 0, at_1 = 0, late = 0, shown = 0, clicks = 0,
                poor = 0;
  for (std::uint32_t i = 0; i < 120; ++i) {
    const WorldUser user = world.user(i);
    robots += user.robot;
    std::set<std::string> places;
    double interest = 0;
    for (std::size_t k = 0; k < user.actions.size(); ++k) {
      const auto& [a, t] = user.actions[k];
      ++actions;
      functional += !t.interest;
      interest += t.interest;
      if (t.interest) places.insert(a.place);
      if (user.robot || k < 40 || !t.interest || t.from_request) continue;
      ++counted;
      at_1 += t.rank == 1;
      late += a.time >= s.best[2].from;
    }
    poor += !user.robot && static_cast<double>(places.size()) < .3 * interest;
    for (const WorldRequest& row : user.requests)
      for (const ShownPlace& place : row.request.shown) ++shown, clicks += place.clicked;
  }
  CHECK(s.users == 120);
  CHECK(s.robots == robots);
  CHECK(s.rich_robots == 0);
  CHECK(s.poor == poor);
  CHECK(s.actions == actions);
  CHECK(s.functional == functional);
  CHECK(s.best[0].all.actions == counted);
  CHECK(s.best[0].all.seen_at_1 == doctest::Approx(static_cast<double>(at_1) / static_cast<double>(counted)));
  CHECK(s.best[2].all.actions == late);
  CHECK(late > counted / 20);
  CHECK(late < counted / 4);
  CHECK(s.best[0].shown == shown);
  CHECK(s.best[0].clicks == clicks);
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> users;
  for (std::uint32_t i = 0; i < 120; ++i)
    for (const WorldRequest& row : world.user(i).requests)
      for (std::size_t k = 0; k < row.request.shown.size(); ++k) {
        if (row.request.time < s.best[1].from) continue;
        scores.push_back(static_cast<float>(row.click_probability[k]));
        labels.push_back(row.request.shown[k].clicked);
        users.push_back(i);
      }
  CHECK(s.best[1].auc == doctest::Approx(auc({scores, labels}).value).epsilon(1e-12));
  CHECK(s.best[1].gauc == doctest::Approx(gauc({scores, labels}, users).value).epsilon(1e-12));
  std::uint64_t by_status = 0;
  for (const BestHits& hits : s.best[0].by_status) by_status += hits.actions;
  CHECK(by_status == counted);
  CHECK(std::is_sorted(s.richness.begin(), s.richness.end()));
}

TEST_CASE("world summary: playing the best reaches what it should, which is worth learning and no certainty") {
  const WorldSummary s = summary_of(World(options()));
  for (const WorldBest& best : s.best) {
    const double p = best.all.expected_at_1, error = std::sqrt(p * (1 - p) / static_cast<double>(best.all.actions));
    CHECK(std::abs(best.all.seen_at_1 - p) < 3 * error);
    CHECK(best.all.seen_at_10 > best.all.seen_at_1);
    CHECK(best.auc > .8);
    CHECK(best.auc < .9);
    CHECK(best.gauc > .8);
  }
  CHECK(s.best[0].all.expected_at_1 > .40);
  CHECK(s.best[0].all.expected_at_1 < .55);
  CHECK(s.best[0].by_status[0].seen_at_1 > s.best[0].by_status[2].seen_at_1);
  CHECK(s.richness[1] > .25);
  CHECK(s.richness[2] > .3);
}

TEST_CASE("world summary: as text and JSON; figures that are not there are null") {
  WorldOptions o = options();
  o.users = 3;
  o.robots_percent = 100;
  const World world(o);
  const WorldSummary s = summary_of(world);
  CHECK(s.robots == 3);
  const std::string text = format_world(o, s);
  CHECK(text.find("An invented world (seed 1)") != std::string::npos);
  CHECK(text.find("nan") == std::string::npos);
  const auto json = nlohmann::json::parse(world_json(o, s));
  CHECK(json.at("invented") == true);
  CHECK(json.at("options").at("places") == 3000);
  CHECK(json.at("best").at(1).at("all").at("expected_hr_at_1").is_null());
  CHECK(json.at("best").at(0).at("requests").at("best_auc").is_null());
  CHECK(json.at("functional_categories").size() == 7);
}
