#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <sstream>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/results.hpp"

using namespace chronotope;

namespace {

using Ranks = std::vector<RankedTarget>;

Ranks ranks_of(std::initializer_list<double> greater) {
  Ranks ranks;
  for (double g : greater) ranks.push_back({g, 0, ranks.size() % 2 == 0});
  return ranks;
}

CounterResult counter(const std::string& name, bool sees_time, const Ranks& ranks) {
  return {{name, sees_time, {1}}, evaluate(ties_won(ranks)), evaluate(ranks), ranks};
}

// acc@1: blind .25, sighted .5
std::vector<CounterResult> two_counters() {
  return {counter("blind", false, ranks_of({0, 1, 2, 3})), counter("sighted", true, ranks_of({0, 0, 2, 3}))};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("report: a model meets the counters that see what it sees") {
  const ModelRanks model{"net", ranks_of({0, 0, 0, 5}), ranks_of({0, 1, 0, 9})};
  const EvaluationReport r = make_report(Split::test, two_counters(), model);
  REQUIRE(r.with_time);
  REQUIRE(r.without_time);
  CHECK(r.with_time->comparison.against == "sighted");
  CHECK(r.with_time->comparison.difference.difference == 0.25);
  CHECK(r.without_time->comparison.against == "blind");
  CHECK(r.without_time->comparison.difference.difference == 0.25);
}

TEST_CASE("report: says in words how the model fares") {
  const auto words = [](const Ranks& ranks, std::vector<CounterResult> counters) {
    return format_report(make_report(Split::test, std::move(counters), ModelRanks{"net", ranks, std::nullopt}));
  };
  CHECK(words(ranks_of({0, 0, 7, 7}), two_counters()).find("does NOT beat sighted (0.5000)") != std::string::npos);
  CHECK(words(ranks_of({0, 0, 0, 7}), two_counters()).find("is ahead of sighted") != std::string::npos);
  const Ranks bad(50, RankedTarget{3, 0, true}), good(50, RankedTarget{0, 0, true});
  CHECK(words(good, {counter("blind", false, bad)}).find("beats blind") != std::string::npos);
}

TEST_CASE("report: ties are won in the table, shared in the comparison") {
  const Ranks level(4, RankedTarget{0, 3, true}), model(4, RankedTarget{0, 1, true});
  const auto r = make_report(Split::test, {counter("blind", false, level)}, ModelRanks{"net", std::nullopt, model});
  CHECK(r.counters[0].result.all.accuracy[0].mean == 1);
  CHECK(r.without_time->comparison.counter == 0.25);
  CHECK(r.without_time->comparison.difference.difference == 0.25);
}

TEST_CASE("report: the columns of the table line up") {
  const ModelRanks model{"rés", ranks_of({0, 0, 0, 5}), std::nullopt};
  const auto text = format_report(make_report(Split::validation, two_counters(), model));
  const auto lines = lines_of(text);
  REQUIRE(lines.size() > 5);
  CHECK(lines[0] == "validation: 4 targets, 2 revisits, 2 at places new to the user");
  CHECK(lines[1].find("acc@1 new") != std::string::npos);
  CHECK(lines[2].size() == lines[1].size() + 1);  // one letter of two bytes
  CHECK(lines[3].size() == lines[1].size());
  CHECK(lines[4].size() == lines[1].size());
  const std::string counters_alone = format_report(make_report(Split::test, two_counters()));
  CHECK(counters_alone.find("blind") != std::string::npos);
  CHECK(counters_alone.find("difference") == std::string::npos);
}

TEST_CASE("report: JSON schema") {
  const ModelRanks model{"net", ranks_of({0, 0, 0, 5}), std::nullopt};
  const auto json = nlohmann::json::parse(report_json(make_report(Split::test, two_counters(), model)));
  CHECK(json.at("split") == "test");
  CHECK(json.at("targets") == 4);
  CHECK(json.at("model").at("without_time").is_null());
  const auto& m = json.at("model").at("with_time");
  CHECK(m.at("acc@1") == 0.75);
  CHECK(m.at("acc@1_se").get<double>() == doctest::Approx(0.25));
  for (const char* key : {"acc@5", "acc@10", "acc@20", "mrr"}) CHECK(m.at(key).is_number());
  CHECK(m.at("revisit").at("acc@1") == 1);
  CHECK(m.at("new").at("acc@1") == 0.5);
  CHECK(json.at("counters").size() == 2);
  CHECK(json.at("counters").at("blind").at("acc@1") == 0.25);
  CHECK(json.at("counters").at("blind").at("sees_time") == false);
  CHECK(json.at("counters").at("sighted").at("new").at("targets") == 2);
  CHECK(json.at("paired").at("against") == "sighted");
  CHECK(json.at("paired").at("acc@1_difference") == 0.25);
  CHECK(json.at("paired").at("interval").size() == 2);
  CHECK(!json.contains("paired_without_time"));
}

TEST_CASE("report: JSON without a model, and with undefined numbers") {
  const Ranks revisits(2, RankedTarget{0, 0, true});
  const auto json = nlohmann::json::parse(report_json(make_report(Split::test, {counter("c", false, revisits)})));
  CHECK(json.at("model").is_null());
  CHECK(json.at("paired").is_null());
  CHECK(json.at("counters").at("c").at("new").at("targets") == 0);
  CHECK(json.at("counters").at("c").at("new").at("acc@1").is_null());
  CHECK(json.at("counters").at("c").at("acc@1") == 1);
}

TEST_CASE("report: ranks of other targets are refused") {
  CHECK_THROWS_AS(make_report(Split::test, {}), DataError);
  CHECK_THROWS_AS(make_report(Split::test, two_counters(), ModelRanks{"net", {}, {}}), DataError);
  CHECK_THROWS_AS(make_report(Split::test, two_counters(), ModelRanks{"net", ranks_of({0, 0, 0}), {}}), DataError);
  Ranks other = ranks_of({0, 0, 0, 0});
  other[1].revisit = true;
  CHECK_THROWS_AS(make_report(Split::test, two_counters(), ModelRanks{"net", other, {}}), DataError);
  const std::vector<CounterResult> timed{counter("sighted", true, ranks_of({0, 0, 2, 3}))};
  CHECK_THROWS_AS(make_report(Split::test, timed, ModelRanks{"net", {}, ranks_of({0, 0, 0, 0})}), DataError);
}
