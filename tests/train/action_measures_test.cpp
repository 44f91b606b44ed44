// What is measured of models of actions beside a log: moments, lists of counters, truths of a generated world, the judge by later actions.

#include "chronotope/train/action_measures.hpp"

#include <doctest/doctest.h>

#include "chronotope/train/interest_judge.hpp"
#include "data/geo_places.hpp"

using namespace chronotope;

namespace {

constexpr std::int64_t start = 1'700'000'000, hour = 3600, day = 24 * hour;

/// Six places within two kilometres, and one 50 km away; users "a" and "b", whose actions are by hand.
struct SmallLog {
  scratch::Folder folder;
  ActionTokenizer tokenizer;
  ActionHistories histories;

  explicit SmallLog(std::vector<LoggedAction> actions) : tokenizer(make(folder)), histories(source(std::move(actions)), tokenizer, 50) {}

  static ActionTokenizer make(const scratch::Folder& folder) {
    const auto index = GeoIndexFolder::create(folder.file("index"), geo_places::list_of({{"p0", 40, 3, 5, "Cafe"}, {"p1", 40.002, 3, 4, "Cafe"}, {"p2", 40.004, 3, 3, "Park"},
                                                                                          {"p3", 40.006, 3, 2, "Park"}, {"p4", 40.008, 3, 1, "Bar"}, {"far", 40.5, 3, 1, "Cafe"}}));
    PlaceCatalogue places(index.open(), PlaceCodes::hierarchical);
    ActionVocabulary v{places.index().info().fingerprint, {"Bar", "Cafe", "Park"}, {}, GeoCells::geohash, 16, start + 20 * day, start + 30 * day, TextTokenizer::train({}, 257)};
    return {std::move(places), std::move(v)};
  }
  static ActionSource source(std::vector<LoggedAction> actions) {
    return [actions] { return [actions, at = std::size_t{0}](LoggedAction& a) mutable { return at < actions.size() && (a = actions[at++], true); }; };
  }
  std::uint32_t number(const char* place) const { return tokenizer.places().number(place); }
};

LoggedAction action(const char* user, std::int64_t after, const char* place, bool interest = true) {
  LoggedAction a;
  a.user = user, a.time = start + after, a.place = place, a.offset = 0, a.user_position = GeoPosition{40, 3}, a.interest = interest;
  return a;
}

SmallLog example() {
  return SmallLog({action("a", 0, "p0"), action("a", day, "p0"), action("a", 2 * day, "p4"), action("a", 31 * day, "p2"), action("a", 32 * day, "p1", false), action("a", 33 * day, "p3"),
                   action("b", hour, "p1"), action("b", 31 * day, "p1"), action("c", 31 * day, "p1")});
}

RequestHistories requests_of(const SmallLog& log, std::vector<LoggedRequest> requests) {
  std::size_t at = 0;
  return RequestHistories([&](LoggedRequest& r) { return at < requests.size() && (r = requests[at++], true); }, log.histories, log.tokenizer);
}

LoggedRequest request(const char* user, std::int64_t after, std::vector<ShownPlace> shown) {
  LoggedRequest r;
  r.user = user, r.time = start + after, r.offset = 0, r.user_position = GeoPosition{40, 3}, r.shown = std::move(shown);
  return r;
}

}  // namespace

TEST_CASE("hits and reciprocals of ranks, none where a place was not generated") {
  const std::vector<std::int64_t> ranks{1, 0, 4, 100, 101};
  CHECK(hits_at(ranks, 1) == std::vector<double>{1, 0, 0, 0, 0});
  CHECK(hits_at(ranks, 100) == std::vector<double>{1, 0, 1, 1, 0});
  CHECK(reciprocals(ranks) == std::vector<double>{1, 0, 0.25, 0.01, 1.0 / 101});
}

TEST_CASE("the latest actions of a user are one question, asked at the first of them") {
  const SmallLog log = example();
  const auto all = latest_actions(log.histories, 3, start + 30 * day, 5);
  REQUIRE(all.size() == 2);  // c has nothing before
  CHECK(all[0].places == std::vector<std::uint64_t>{log.number("p2"), log.number("p3")});  // the functional one is none of them
  CHECK(all[0].first.end == 4);
  CHECK(all[0].first.begin == 1);  // three actions with the one that is asked
  CHECK(all[1].places == std::vector<std::uint64_t>{log.number("p1")});
  const auto one = latest_actions(log.histories, 100, start + 30 * day, 1);
  CHECK(one[0].places == std::vector<std::uint64_t>{log.number("p3")});
  CHECK(one[0].first.end == 6);
  CHECK(one[0].first.begin == 0);
}

TEST_CASE("counters answer any moment: as at a target, and with their best places") {
  const SmallLog log = example();
  const ActionCounters counters(log.histories, log.tokenizer, start + 20 * day);
  const ActionWindow target{0, 0, 4, 3};
  const CountedMoment moment = counters.moment(target);
  CHECK(moment.begin == 0);
  CHECK(moment.end == 3);
  CHECK(counters.parts(target) == counters.parts(CountedMoment{0, 3, start + 31 * day, GeoPosition{40, 3}}));
  ActionCounterWeights own{};
  own[static_cast<std::size_t>(ActionCounterPart::user_frequency)] = 1;
  CHECK(counters.best_places(moment, own, 10) == std::vector<std::uint32_t>{log.number("p0"), log.number("p4")});  // nothing with no score
  CHECK(counters.best_places(moment, own, 1) == std::vector<std::uint32_t>{log.number("p0")});
  CHECK(counters.best_places({0, 0, start, {}}, own, 10).empty());
  const std::vector<ActionWindow> targets{target};
  ActionCounterWeights near{};
  near[static_cast<std::size_t>(ActionCounterPart::near_user)] = 1;
  const auto ranked = counted_ranks(counters, log.histories, targets, near);
  const auto list = counters.best_places(moment, near, 10);
  CHECK(ranked.back().name == "mixture");
  CHECK(list[static_cast<std::size_t>(ranked.back().ranks[0]) - 1] == log.number("p2"));
}

TEST_CASE("later actions show what interests a user: the place itself, less its category nearby") {
  const SmallLog log = example();
  const InterestRule rule;
  const RequestHistories requests = requests_of(log, {request("a", 30 * day, {{"p0", {}, "", true}}), request("nobody", 30 * day, {{"p0", {}, "", true}}), request("a", 40 * day, {{"p0", {}, "", true}})});
  const auto later = later_actions(log.histories, requests.requests[0], rule);
  CHECK(later.size() == 3);
  CHECK(later_actions(log.histories, requests.requests[0], {.days = 2}).size() == 1);  // the second day's end is outside
  CHECK(later_actions(log.histories, requests.requests[1], rule).empty());
  CHECK(later_actions(log.histories, requests.requests[2], rule).empty());
  const auto worth = [&](const char* place) { return interest_in(log.tokenizer.seen(log.number(place)), later, rule); };
  CHECK(worth("p2") == 1);
  CHECK(worth("p1") == 0);   // functional then
  CHECK(worth("p0") == 0);   // a Cafe, and that action was functional
  CHECK(worth("p4") == 0);
  const auto first = later_actions(log.histories, requests.requests[0], {.days = 2});
  CHECK(interest_in(log.tokenizer.seen(log.number("p3")), first, rule) == rule.likeness);
  CHECK(interest_in(log.tokenizer.seen(log.number("p3")), first, {.near_km = 0.1}) == 0);
  const std::vector<std::uint32_t> good{log.number("p2"), log.number("p3")}, poor{log.number("p0"), log.number("far")};
  const JudgeCase asked = judge_case(requests, log.histories, log.tokenizer, 0, good, poor, 2);
  CHECK(asked.history.size() == 2);
  CHECK(asked.history[1].find("p4 (Bar)") != std::string::npos);
  CHECK(asked.a[0].category == "Park");
  CHECK(asked.b[1].distance_km.value() == doctest::Approx(55.6).epsilon(0.01));
  const Verdict v = interest_judge(requests, log.histories, log.tokenizer, rule)(asked);
  CHECK(v.better == BetterList::a);
  CHECK(v.fit_a == 2);
  CHECK(v.fit_b == 0);
  JudgeCase strange = asked;
  strange.request = 9;
  CHECK_THROWS_AS(interest_judge(requests, log.histories, log.tokenizer, rule)(strange), DataError);
}

TEST_CASE("the truth of a generated world is found by user and time, and must be of this log") {
  const SmallLog log = example();
  const std::vector<ActionWindow> targets{{0, 0, 4, 3}};
  const std::string row = "a," + std::to_string(start + 31 * day) + ",7\n";
  CHECK(true_ranks(log.folder.put("truth.csv", "user,time,rank\n" + row), log.histories, targets).ranks == std::vector<std::int64_t>{7});
  CHECK_THROWS_AS(true_ranks(log.folder.put("other.csv", "user,time,rank\nb,1,7\n"), log.histories, targets), DataError);
  CHECK_THROWS_AS(true_ranks(log.folder.put("none.csv", "user,time\n" + row), log.histories, targets), FormatError);
  const std::string clicked = log.folder.put("clicked.csv", "user,time,from_request\na," + std::to_string(start + 31 * day) + ",1\n");
  CHECK(chosen_targets(clicked, log.histories, targets).empty());
  const std::string chosen = log.folder.put("chosen.csv", "user,time,from_request\na," + std::to_string(start + 31 * day) + ",0\n");
  CHECK(chosen_targets(chosen, log.histories, targets).size() == 1);
  const RequestHistories requests = requests_of(log, {request("a", day, {{"p0", {}, "", true}, {"p1", {}, "", false}}), request("b", day, {{"p2", {}, "", false}})});
  const std::uint32_t second = 1;
  CHECK(true_clicks(log.folder.put("clicks.csv", "click_probability\n0.5\n0.25\n0.125\n"), requests, {&second, 1}) == std::vector<float>{0.125f});
  CHECK_THROWS_AS(true_clicks(log.folder.put("short.csv", "click_probability\n0.5\n"), requests, {&second, 1}), DataError);
  const ShownCandidates shown = shown_candidates(requests, {&second, 1});
  CHECK(shown.users == std::vector<std::uint32_t>{2});
  CHECK(shown.labels.clicked == std::vector<std::uint8_t>{0});
}
