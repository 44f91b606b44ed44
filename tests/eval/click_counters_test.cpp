#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "chronotope/core/error.hpp"
#include "chronotope/data/click_batcher.hpp"
#include "chronotope/data/click_builder.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "chronotope/eval/click_counters.hpp"
#include "data/small_clicks.hpp"
#include "eval/click_cells.hpp"
#include "eval/logistic_fit.hpp"

using namespace chronotope;

namespace {

// Eight training rows, four of each item; validation says how far item 1's rate of 3/4 is to be trusted.
ClickColumns two_items() {
  ClickColumns c;
  const std::uint32_t here = pack_geohash6("wmpp2u");
  for (int j = 0; j < 3; ++j) c.behaviours_at.add(small_clicks::monday + j, here);
  c.behaviour_ids = {{"item", "item", FeaturePart::item, 3, {1, 2, 1}}, {"category", "category", FeaturePart::item, 2, {1, 1, 0}}};
  c.click = {1, 1, 1, 0, 1, 0, 0, 0, 1, 0};
  c.split.assign(8, Split::train);
  c.split.insert(c.split.end(), {Split::validation, Split::test});
  for (int i = 0; i < 10; ++i) c.at.add(small_clicks::monday + 3600 * (10 + i % 2), here);
  c.ids = {{"user", "user", FeaturePart::user, 2, std::vector<std::int32_t>(10, 1)},
           {"item", "item", FeaturePart::item, 3, {1, 1, 1, 1, 2, 2, 2, 2, 1, 2}},
           {"category", "category", FeaturePart::item, 2, {1, 1, 1, 1, 1, 1, 1, 0, 1, 1}}};
  c.numbers = {{"distance", FeaturePart::context, {0, 1, 2, 3, 4, 5, 6, 7, 0, 7}}};
  c.first.assign(10, 0);
  c.last = {0, 1, 2, 3, 3, 2, 1, 0, 3, 2};
  return c;
}

double rate(float logit) { return 1 / (1 + std::exp(-static_cast<double>(logit))); }

const ClickCounterPart& part(const ClickCounters& c, const std::string& name) {
  for (const ClickCounterPart& p : c.parts)
    if (p.name == name) return p;
  throw DataError("no part " + name);
}

}  // namespace

TEST_CASE("click counters: rates by hand") {
  const ClickLog log = make_click_log(two_items());
  const ClickCounters c = fit_click_counters(log, log.click);
  const double prior = 4.5 / 9;
  CHECK(c.prior == prior);
  const ClickCounterPart& item = part(c, "item_rate");
  CHECK(item.smoothing == 1);  // the validation row is a click on item 1: the less smoothing, the better
  CHECK(rate(item.logit[0]) == doctest::Approx(prior));
  CHECK(rate(item.logit[1]) == doctest::Approx((3 + prior) / 5));
  CHECK(rate(item.logit[2]) == doctest::Approx((1 + prior) / 5));
  const ClickCounterPart& category = part(c, "category_rate");
  const double of_category = (4 + category.smoothing * prior) / (7 + category.smoothing);
  CHECK(rate(category.logit[1]) == doctest::Approx(of_category));
  // Category 1 at ten: rows 0, 2, 4, 6, three of them clicked; at eleven: one of three. The validation row is at ten.
  const ClickCounterPart& hour = part(c, "hour_category_rate");
  CHECK(hour.smoothing == 1);
  CHECK(rate(hour.logit[24 + 10]) == doctest::Approx((3 + of_category) / 5));
  CHECK(rate(hour.logit[24 + 11]) == doctest::Approx((1 + of_category) / 4));
  CHECK(rate(hour.logit[24 + 12]) == doctest::Approx(of_category));
}

TEST_CASE("click counters: affinity counts the behaviours that a sample sees") {
  const ClickLog log = make_click_log(two_items());
  const auto rows = samples_of(log, Split::train);
  const auto cells = counting::cells_of(log, rows, counting::number_bounds(log, rows, 4));
  REQUIRE(cells.size() == 7);
  CHECK(cells[4].name == "category_affinity");
  // Behaviours seen 0 1 2 3 3 2 1 0, those of category 1: 0 1 2 2 2 2 1 0; powers of 2: 0, 1, then 2 for 2 and 3.
  CHECK(cells[4].of_row == std::vector<std::uint32_t>{0, 17, 34, 34, 34, 34, 17, 0});
  // Item 1 stands first and third, item 2 second.
  CHECK(cells[5].name == "item_affinity");
  CHECK(cells[5].of_row == std::vector<std::uint32_t>{0, 17, 33, 34, 33, 33, 16, 0});
  CHECK(cells[6].name == "distance_rate");
  CHECK(cells[6].count == 4);
  CHECK(cells[6].of_row == std::vector<std::uint32_t>{0, 0, 1, 1, 2, 2, 3, 3});
}

TEST_CASE("click counters: affinity of lists that jump, slide and shrink is that of a plain count") {
  const unsigned seed = 5;
  CAPTURE(seed);
  std::mt19937 random(seed);
  ClickColumns c = two_items();
  c.behaviours_at = {};
  c.behaviour_ids[0].values.clear(), c.behaviour_ids[1].values.clear();
  for (int j = 0; j < 60; ++j) {
    c.behaviours_at.add(small_clicks::monday + j, 0);
    c.behaviour_ids[0].values.push_back(static_cast<std::int32_t>(random() % 3));
    c.behaviour_ids[1].values.push_back(static_cast<std::int32_t>(random() % 2));
  }
  for (int trial = 0; trial < 30; ++trial) {
    for (std::size_t i = 0; i < 10; ++i) c.first[i] = random() % 61, c.last[i] = c.first[i] + random() % (61 - c.first[i]);
    const ClickLog log = make_click_log(c);
    const auto rows = samples_of(log, Split::train);
    const auto cells = counting::cells_of(log, rows, {{}});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::uint64_t same = 0;
      for (std::uint64_t j = log.first[i]; j < log.last[i]; ++j)
        same += c.behaviour_ids[0].values[j] == c.ids[1].values[i];
      const auto power = [](std::uint64_t n) { return n == 0 ? 0 : 1 + static_cast<std::uint32_t>(std::log2(n)); };
      CHECK(cells[5].of_row[i] == power(log.last[i] - log.first[i]) * 16 + power(same));
    }
  }
}

TEST_CASE("click counters: number parts hold equally many rows, equal values stay together") {
  ClickColumns c = two_items();
  c.numbers[0].values = {1, 1, 1, 1, 1, 1, 2, 3, 0, 9};
  const ClickLog log = make_click_log(c);
  const auto bounds = counting::number_bounds(log, samples_of(log, Split::train), 4);
  CHECK(bounds[0] == std::vector<float>{2});
  c.numbers[0].values.assign(10, 1);
  CHECK(counting::number_bounds(make_click_log(c), std::vector<std::size_t>{0, 1, 2}, 4)[0].empty());
}

TEST_CASE("click counters: without validation rows the usual smoothing is taken") {
  ClickColumns c = two_items();
  c.split[8] = Split::test;
  const ClickLog log = make_click_log(c);
  for (const ClickCounterPart& p : fit_click_counters(log, log.click).parts) CHECK(p.smoothing == 30);
}

TEST_CASE("click counters: scores are of the split, in its order, and the combination adds the parts up") {
  const ClickLog log = make_click_log(two_items());
  const ClickCounters c = fit_click_counters(log, log.click);
  const auto scores = click_counter_scores(c, log, Split::test);
  REQUIRE(scores.size() == 8);
  double sum = c.bias;
  for (std::size_t k = 0; k < 7; ++k) {
    CHECK(scores[k].name == c.parts[k].name);
    CHECK(scores[k].kind == PredictorKind::counter);
    REQUIRE(scores[k].scores.size() == 1);
    sum += c.weights[k] * static_cast<double>(scores[k].scores[0]);  // the prior's logit is 0
  }
  CHECK(scores[0].scores[0] == c.parts[0].logit[2]);
  CHECK(scores[7].name == "counter_combination");
  CHECK(scores[7].scores[0] == doctest::Approx(sum));
}

TEST_CASE("click counters: beat guessing on a generated log, and stay below the best possible") {
  GeneratedClickOptions options;
  options.users = 200, options.requests = 20;
  const GeneratedClicks g = generate_clicks(options);
  const ClickCounters c = fit_click_counters(g.log, g.log.click);
  std::vector<std::uint8_t> labels;
  std::vector<float> truth;
  for (const std::size_t i : samples_of(g.log, Split::test))
    labels.push_back(g.log.click[i]), truth.push_back(static_cast<float>(g.truth[i]));
  const double best = auc({truth, labels}).value;
  double single = 0, combination = 0;
  for (const ClickScores& s : click_counter_scores(c, g.log, Split::test)) {
    const double value = auc({s.scores, labels}).value;
    CAPTURE(s.name);
    CHECK(value < best);
    if (s.name == "counter_combination") combination = value;
    else single = std::max(single, value);
  }
  MESSAGE("best possible " << best << ", combination " << combination << ", best single counter " << single);
  CHECK(combination > .6);
  CHECK(combination > single - .01);
}

TEST_CASE("click counters: what cannot be counted is refused") {
  ClickColumns c = two_items();
  const ClickLog log = make_click_log(c);
  const std::vector<std::uint8_t> shorter(9, 0), odd{0, 1, 2, 0, 0, 0, 0, 0, 0, 0};
  CHECK_THROWS_AS(fit_click_counters(log, shorter), DataError);
  CHECK_THROWS_AS(fit_click_counters(log, odd), DataError);
  const ClickCounters counters = fit_click_counters(log, log.click);
  c.split.assign(10, Split::test);
  const ClickLog untrained = make_click_log(c);
  CHECK_THROWS_AS(fit_click_counters(untrained, untrained.click), DataError);
  CHECK(click_counter_scores(counters, untrained, Split::train).front().scores.empty());
  c.numbers.clear();
  CHECK_THROWS_AS(click_counter_scores(counters, make_click_log(c), Split::test), DataError);
  c = two_items();
  c.ids[0].rows = 5;
  CHECK_THROWS_WITH_AS(click_counter_scores(counters, make_click_log(c), Split::test), doctest::Contains("\"user_rate\" has 2 cells"), DataError);
}

TEST_CASE("click counters: one class only gives finite scores") {
  ClickColumns c = two_items();
  c.click.assign(10, 1);
  const ClickLog log = make_click_log(c);
  for (const ClickScores& s : click_counter_scores(fit_click_counters(log, log.click), log, Split::test))
    for (const float x : s.scores) CHECK(std::isfinite(x));
}

TEST_CASE("logistic fit: a single flag gives the groups' rates") {
  // Of four rows without the flag one is positive, of six with it four.
  std::vector<float> x;
  std::vector<std::uint8_t> y;
  for (int i = 0; i < 4; ++i) x.push_back(0), y.push_back(i < 1);
  for (int i = 0; i < 6; ++i) x.push_back(1), y.push_back(i < 4);
  const auto w = counting::fit_logistic(x, y, 1e-9);
  REQUIRE(w.size() == 2);
  CHECK(w[0] == doctest::Approx(std::log(1. / 3)).epsilon(1e-6));
  CHECK(w[0] + w[1] == doctest::Approx(std::log(2.)).epsilon(1e-6));
}

TEST_CASE("logistic fit: at the minimum the gradient is 0, also of separable classes and columns that are the same") {
  const unsigned seed = 12;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x;
  std::vector<std::uint8_t> y;
  for (int i = 0; i < 200; ++i) {
    const float a = normal(random), b = normal(random);
    x.insert(x.end(), {a, b, a});
    y.push_back(a + b > 0);
  }
  const auto w = counting::fit_logistic(x, y, 1);
  REQUIRE(w.size() == 4);
  CHECK(w[1] == doctest::Approx(w[3]));
  double gradient[4] = {0, w[1], w[2], w[3]};
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double z = w[0] + w[1] * x[3 * i] + w[2] * x[3 * i + 1] + w[3] * x[3 * i + 2], e = 1 / (1 + std::exp(-z)) - y[i];
    gradient[0] += e;
    for (std::size_t k = 0; k < 3; ++k) gradient[k + 1] += e * static_cast<double>(x[3 * i + k]);
  }
  for (const double g : gradient) CHECK(std::abs(g) < 1e-6);
}
