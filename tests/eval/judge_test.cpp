#include <doctest/doctest.h>

#include <cmath>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/judge.hpp"
#include "chronotope/eval/command_judge.hpp"
#include "nlohmann/json.hpp"

using namespace chronotope;

namespace {

JudgeCase case_of(std::uint64_t number, const std::string& a, const std::string& b) {
  JudgeCase asked;
  asked.request = number, asked.user = number;
  for (const char place : a) asked.a.push_back({std::string(1, place), "", {}, ""});
  for (const char place : b) asked.b.push_back({std::string(1, place), "", {}, ""});
  return asked;
}

std::vector<JudgeCase> cases_of(std::size_t n) {
  std::vector<JudgeCase> cases;
  for (std::size_t i = 0; i < n; ++i) cases.push_back(case_of(i, "xy", "z"));
  return cases;
}

/// Letters score by their place in the alphabet.
double letter_score(const JudgeCase&, const JudgedPlace& place) { return place.place[0] - 'a'; }

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("judge: the rule compares sums and counts what is above the threshold") {
  const RuleJudge judge(letter_score, 1.5);
  Verdict v = judge(case_of(1, "bcd", "z"));
  CHECK(v.better == BetterList::b);
  CHECK(v.fit_a == 2);
  CHECK(v.fit_b == 1);
  CHECK(judge(case_of(1, "cd", "bc")).better == BetterList::a);
  CHECK(judge(case_of(1, "bd", "cc")).better == BetterList::even);
  CHECK(judge(case_of(1, "", "")).better == BetterList::even);
  CHECK(RuleJudge(letter_score, 0, 3)(case_of(1, "d", "a")).better == BetterList::even);
  CHECK(RuleJudge(letter_score, 0, 2.9)(case_of(1, "d", "a")).better == BetterList::a);
  CHECK_THROWS_AS(RuleJudge(letter_score, NAN), ConfigError);
  CHECK_THROWS_AS(RuleJudge(letter_score, 0, -1), ConfigError);
  const RuleJudge broken([](const JudgeCase&, const JudgedPlace&) { return NAN; }, 0);
  CHECK_THROWS_AS(broken(case_of(1, "a", "")), DataError);
}

TEST_CASE("judge: shares are from the first's side, whatever the order the lists are shown in") {
  // Three wins of four for the first; at the level of places two wins, one even, one loss.
  const std::vector<JudgeCase> cases{case_of(1, "zz", "yc"), case_of(2, "za", "b"), case_of(3, "cc", "zaaa"), case_of(4, "eee", "f")};
  const Judge judge = RuleJudge(letter_score, 3.5);
  JudgeTable table;
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    table = judge_lists(cases, judge, {.first = "aligned", .second = "online", .seed = seed});
    CHECK(table.cases == 4);
    CHECK(table.system.win.value == 0.75);
    CHECK(table.system.even.value == 0);
    CHECK(table.system.lose.value == 0.25);
    CHECK(table.system.ahead.value == 0.5);
    CHECK(table.place.win.value == 0.75);
    CHECK(table.place.lose.value == 0.25);
    CHECK(table.fitting_first.value == doctest::Approx((1 + 0.5 + 0 + 1) / 4));
    CHECK(table.fitting_second.value == doctest::Approx((0.5 + 0 + 0.25 + 1) / 4));
  }
  const std::string text = format_judge_table(table);
  CAPTURE(text);
  CHECK(has(text, "aligned vs online"));
  CHECK(has(text, "75.0%"));
  CHECK(has(text, "95 % interval"));
  CHECK(has(text, "4 cases"));
  CHECK(has(text, "aligned, system level: ahead of online, but by no more than chance may explain; wins minus losses +50.0%"));
  const auto json = nlohmann::json::parse(judge_table_json(table));
  CHECK(json["system"]["win"]["value"] == 0.75);
  CHECK(json["place"]["ahead"]["interval"].size() == 2);
  CHECK(json["second"] == "online");
}

TEST_CASE("judge: who prefers a position gains nothing for either side") {
  const Judge biased = [](const JudgeCase& asked) { return Verdict{BetterList::a, asked.a.size(), 0}; };
  const JudgeTable table = judge_lists(cases_of(2000), biased, {.intervals = {.resamples = 300}});
  CHECK(table.system.ahead.value == doctest::Approx(0).epsilon(0.08));  // 3.6 standard errors
  CHECK(table.place.ahead.value == table.system.ahead.value);
  CHECK(table.system.win.value > 0.4);
  CHECK(table.system.win.low < 0.5);
  CHECK(table.system.win.high > table.system.win.low);
  const std::string text = format_judge_table(judge_lists(cases_of(9), [](const JudgeCase&) { return Verdict{}; }));
  CHECK(has(text, "NOT better than second"));
}

TEST_CASE("judge: the better side is found, and said") {
  const Judge knows = [](const JudgeCase& asked) { return Verdict{asked.a.size() > asked.b.size() ? BetterList::a : BetterList::b, 0, 0}; };
  const JudgeTable table = judge_lists(cases_of(50), knows);
  CHECK(table.system.win.value == 1);
  CHECK(table.place.even.value == 1);
  CHECK(has(format_judge_table(table), "first, system level: better than second"));
}

TEST_CASE("judge: cases of one user are drawn together") {
  std::vector<JudgeCase> cases = cases_of(200);
  const Judge odd = [](const JudgeCase& asked) {
    const bool first_wins = asked.request % 2, first_is_a = asked.a.size() == 2;
    return Verdict{first_wins == first_is_a ? BetterList::a : BetterList::b, 0, 0};
  };
  const double alone = judge_lists(cases, odd).system.win.standard_error;
  for (JudgeCase& asked : cases) asked.user = asked.request % 8;  // users of one opinion
  const double together = judge_lists(cases, odd).system.win.standard_error;
  CHECK(together > 3 * alone);
}

TEST_CASE("judge: failures are put up with as far as allowed, impossible verdicts are not") {
  const Judge fails = [](const JudgeCase& asked) -> Verdict {
    if (asked.request % 5 == 0) throw JudgeError(JudgeFault::time, "too slow for " + std::to_string(asked.request));
    return {BetterList::even, 0, 0};
  };
  CHECK_THROWS_AS(judge_lists(cases_of(10), fails), JudgeError);
  CHECK_THROWS_AS(judge_lists(cases_of(10), fails, {.most_failures = 1}), JudgeError);
  const JudgeTable table = judge_lists(cases_of(10), fails, {.most_failures = 2});
  CHECK(table.failed == 2);
  CHECK(table.system.even.value == 1);
  CHECK(has(format_judge_table(table), "2 cases have no verdict and are left out. The first: too slow for 0"));
  CHECK_THROWS_AS(judge_lists(cases_of(3), [](const JudgeCase&) { return Verdict{BetterList::a, 3, 0}; }), DataError);
  CHECK_THROWS_AS(judge_lists({}, fails), DataError);
  CHECK_THROWS_AS(judge_lists(cases_of(1), fails, {.intervals = {.resamples = 0}}), ConfigError);  // and not JudgeError
  const JudgeTable none = judge_lists(cases_of(1), fails, {.most_failures = 1});
  CHECK(has(format_judge_table(none), "no verdicts"));
  CHECK(nlohmann::json::parse(judge_table_json(none))["system"]["win"]["value"].is_null());
}
