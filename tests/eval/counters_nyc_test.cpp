// Figures of the counting predictors on New York, from an independent implementation.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

#include "chronotope/data/checkins.hpp"
#include "chronotope/eval/counters.hpp"

using namespace chronotope;

TEST_CASE("counters on New York agree with the reference") {
  const char* path = std::getenv("CHRONOTOPE_NYC");
  if (!path || !*path) {
    MESSAGE("skipped: CHRONOTOPE_NYC does not name the New York file");
    return;
  }
  const std::map<std::string, double> accuracy_at_1{
      {"popularity", .0097},     {"user_frequency", .2598}, {"user_recent", .1930},
      {"user_last", .0742},      {"user_markov", .2442},    {"global_markov", .1752},
      {"near_last", .0431},      {"hour_of_week", .3207},   {"hour_popularity", .0141},
      {"mixture", .2858},        {"markov_backoff", .2680}, {"mixture_with_time", .3474},
      {"user_frequency_training", .2480}};
  const auto results = evaluate_counters(read_checkins(path));
  REQUIRE(results.size() == accuracy_at_1.size());
  for (const CounterResult& r : results) {
    CAPTURE(r.predictor.name);
    const Metrics& m = r.result.all;
    CHECK(m.targets == 1347);
    CHECK(r.result.revisit.targets == 1075);
    CHECK(std::abs(m.accuracy[0].mean - accuracy_at_1.at(r.predictor.name)) < .003);
    if (r.predictor.name != "mixture_with_time") continue;
    CHECK(std::abs(m.accuracy[1].mean - .634) < .003);
    CHECK(std::abs(m.accuracy[2].mean - .725) < .003);
    CHECK(std::abs(m.mrr.mean - .476) < .003);
    CHECK(std::abs(m.accuracy[0].standard_error - .013) < .001);
  }
}
