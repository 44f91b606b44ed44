#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"
#include "eval/click_fixture.hpp"

using namespace chronotope;
using namespace chronotope::click_test;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
using Labels = std::vector<std::uint8_t>;
using Scores = std::vector<float>;

double auc_of(const Scores& s, const Labels& l) { return auc({s, l}).value; }

}  // namespace

TEST_CASE("auc: by hand") {
  CHECK(auc_of({.1f, .4f, .35f, .8f}, {0, 0, 1, 1}) == .75);
  CHECK(auc_of({1, 2, 3}, {0, 0, 1}) == 1);
  CHECK(auc_of({1, 2, 3}, {1, 0, 0}) == 0);
  CHECK(auc_of({5, 5, 5, 5}, {1, 0, 0, 1}) == .5);
  CHECK(auc_of({-infinite, -1e-45f, -0.f, 0.f, infinite}, {0, 1, 0, 1, 1}) == (1 + 1.5 + 2) / 6);
  CHECK(auc_of({0.f, -0.f}, {1, 0}) == .5);  // one value, two bit patterns
  CHECK(auc_of({-1.f, -2.f}, {1, 0}) == 1);  // among negative numbers larger bits are smaller values
}

TEST_CASE("auc: the double loop, with ties and subsets") {
  constexpr unsigned seed = 4711;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const Rows r = random_rows(random, 5 + random() % 120, 2 + static_cast<int>(random() % 40), 5, trial % 2);
    const double slow = slow_auc(r.view());
    const Auc fast = auc(r.view());
    if (std::isnan(slow)) CHECK(std::isnan(fast.value));
    else CHECK(fast.value == doctest::Approx(slow).epsilon(1e-13));
  }
}

TEST_CASE("auc: full buckets are counted, sparse ones sorted, to the same result") {
  constexpr unsigned seed = 99;
  CAPTURE(seed);
  std::mt19937 random(seed);
  // Scores in [1, 1.005): one bucket of 65,536 values, crossed over by the second half in another.
  Scores scores;
  Labels labels;
  for (int i = 0; i < 60000; ++i) {
    const bool other_bucket = random() % 3 == 0;
    scores.push_back((other_bucket ? -2.f : 1.f) * (1 + static_cast<float>(random() % 5000) * 1e-6f));
    labels.push_back(random() % 5 == 0);
  }
  // The same by ranks: sort pairs and count ties by hand.
  std::vector<std::size_t> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0, clicks = 0;
  for (std::size_t b = 0, e = 0; b < order.size(); b = e) {
    while (e < order.size() && scores[order[e]] == scores[order[b]]) ++e;
    for (std::size_t at = b; at < e; ++at)
      if (labels[order[at]]) rank_sum += static_cast<double>(b + e + 1) / 2, clicks += 1;
  }
  const double others = static_cast<double>(scores.size()) - clicks;
  CHECK(auc_of(scores, labels) ==
        doctest::Approx((rank_sum - clicks * (clicks + 1) / 2) / clicks / others).epsilon(1e-13));
}

TEST_CASE("auc: a rising function of the scores and the order of rows change nothing") {
  constexpr unsigned seed = 5;
  CAPTURE(seed);
  std::mt19937 random(seed);
  Rows r = random_rows(random, 500, 60, 5, false);
  const double before = auc(r.view()).value;
  Rows shuffled;
  for (std::size_t i = r.scores.size(); i-- > 0;) {
    shuffled.scores.push_back(std::exp(r.scores[i]));
    shuffled.labels.push_back(r.labels[i]);
  }
  CHECK(auc(shuffled.view()).value == before);
}

TEST_CASE("auc: one class, no rows, and what is refused") {
  CHECK(std::isnan(auc_of({}, {})));
  CHECK(std::isnan(auc_of({1, 2}, {1, 1})));
  const Scores s{1, not_a_number, 3};
  const Labels l{0, 1, 1}, bad{0, 2, 1}, skip{1, 0, 1}, shorter{1};
  CHECK_THROWS_AS(auc({s, l}), DataError);
  CHECK(auc({s, l, skip}).value == 1);  // rows outside the subset are not looked at
  CHECK(auc({s, bad, skip}).clicks == 1);
  const Scores fine{1, 2, 3};
  CHECK_THROWS_AS(auc({fine, bad}), DataError);
  CHECK_THROWS_AS(auc({fine, shorter}), DataError);
  CHECK_THROWS_AS(auc({fine, l, shorter}), DataError);
}

TEST_CASE("rows_with_behaviours: cold start is below ten, and the two parts make the whole") {
  const std::vector<std::uint32_t> behaviours{0, 9, 10, 50, no_limit};
  CHECK(rows_with_behaviours(behaviours) == Labels{1, 1, 0, 0, 0});
  CHECK(rows_with_behaviours(behaviours, 10, no_limit) == Labels{0, 0, 1, 1, 1});
  const Scores s{3, 1, 0, 0, 0};
  const Labels l{1, 0, 0, 1, 1};
  CHECK(auc({s, l, rows_with_behaviours(behaviours)}).value == 1);
  CHECK(auc({s, l, rows_with_behaviours(behaviours, 10, no_limit)}).value == .5);
}

TEST_CASE("log loss: probabilities by hand, logits to the same values") {
  const Scores p{.25f, .5f, .75f};
  const Labels l{0, 1, 1}, two{1, 0, 1};
  const LogLoss a = log_loss_of_probabilities({p, l});
  CHECK(a.mean == doctest::Approx(-(2 * std::log(.75) + std::log(.5)) / 3).epsilon(1e-15));
  CHECK(a.mean == a.mean_possible);
  CHECK(a.base == doctest::Approx(-std::log(1 / 3.) / 3 - std::log(2 / 3.) * 2 / 3).epsilon(1e-15));
  CHECK(log_loss_of_probabilities({p, l, two}).mean == doctest::Approx(-std::log(.75)).epsilon(1e-15));
  Scores z;
  for (const float x : p) z.push_back(std::log(x / (1 - x)));
  CHECK(log_loss_of_logits({z, l}).mean == doctest::Approx(a.mean).epsilon(1e-7));
}

TEST_CASE("log loss: certainty costs nothing where right and is counted where wrong") {
  const Scores p{0, 1, 1, .5f};
  const LogLoss a = log_loss_of_probabilities({p, Labels{0, 1, 0, 1}});
  CHECK(std::isinf(a.mean));
  CHECK(a.impossible == 1);
  CHECK(a.mean_possible == doctest::Approx(std::log(2.) / 3));
  CHECK(log_loss_of_probabilities({p, Labels{0, 1, 1, 1}}).mean == doctest::Approx(std::log(2.) / 4));
  const Scores z{-infinite, infinite, -infinite, 0};
  const LogLoss b = log_loss_of_logits({z, Labels{0, 1, 1, 1}});
  CHECK(b.impossible == 1);
  CHECK(b.mean_possible == doctest::Approx(std::log(2.) / 3));
  const LogLoss large = log_loss_of_logits({Scores{-1000, 90}, Labels{1, 1}});  // no overflow on the way
  CHECK(large.mean == doctest::Approx(500));
  CHECK(large.impossible == 0);
  CHECK(log_loss_of_logits({Scores{60}, Labels{1}}).mean == doctest::Approx(std::exp(-60.)));
}

TEST_CASE("log loss: what is refused, and no rows") {
  const Labels one{1};
  for (const float p : {-.01f, 1.01f, not_a_number, infinite})
    CHECK_THROWS_AS(log_loss_of_probabilities({Scores{p}, one}), DataError);
  CHECK_THROWS_AS(log_loss_of_logits({Scores{not_a_number}, one}), DataError);
  const LogLoss none = log_loss_of_logits({Scores{1}, one, Labels{0}});
  CHECK(std::isnan(none.mean));
  CHECK(std::isnan(none.base));
  const LogLoss always = log_loss_of_logits({Scores{0}, one});
  CHECK(always.base == 0);
}

TEST_CASE("calibration: by hand") {
  const Scores p{.1f, .9f, .3f, .2f, .8f, .7f};
  const Labels l{0, 1, 1, 0, 1, 0};
  const Calibration c = calibration({p, l}, 3);
  CHECK(c.rows == 6);
  REQUIRE(c.bins.size() == 3);
  CHECK(c.bins[0].predicted == doctest::Approx(.15));
  CHECK(c.bins[0].observed == 0);
  CHECK(c.bins[1].lowest == .3f);
  CHECK(c.bins[1].highest == .7f);
  CHECK(c.bins[1].predicted == doctest::Approx(.5));
  CHECK(c.bins[1].observed == .5);
  CHECK(c.bins[2].predicted == doctest::Approx(.85));
  CHECK(c.bins[2].observed == 1);
  CHECK(c.predicted == doctest::Approx(.5));
  CHECK(c.ratio == doctest::Approx(1));
  CHECK(c.expected_error == doctest::Approx((.15 + 0 + .15) / 3));
}

TEST_CASE("calibration: equal predictions stay together, bins are never empty and hold every row") {
  Scores p(70, .5f);
  for (int i = 0; i < 30; ++i) p.push_back(.6f + .01f * static_cast<float>(i));
  Labels l(100, 0);
  std::fill(l.begin(), l.begin() + 35, std::uint8_t{1});
  const Calibration c = calibration({p, l}, 10);
  REQUIRE(c.bins.size() == 4);
  CHECK(c.bins[0].rows == 70);
  CHECK(c.bins[0].observed == .5);
  for (int b = 1; b < 4; ++b) CHECK(c.bins[b].rows == 10);
  constexpr unsigned seed = 31;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 50; ++trial) {
    Rows r = random_rows(random, 1 + random() % 300, 2 + static_cast<int>(random() % 90), 3, trial % 2);
    for (float& s : r.scores) s = 1 / (1 + std::exp(-s));
    const std::size_t bins = 1 + random() % 20;
    const Calibration one = calibration(r.view(), bins);
    CHECK(one.bins.size() <= bins);
    std::uint64_t rows = 0;
    for (std::size_t b = 0; b < one.bins.size(); ++b) {
      rows += one.bins[b].rows;
      CHECK(one.bins[b].rows > 0);
      if (b > 0) CHECK(one.bins[b].lowest > one.bins[b - 1].highest);
    }
    CHECK(rows == one.rows);
  }
}

TEST_CASE("calibration: undefined and refused") {
  const Scores p{.5f, .25f};
  const Calibration none = calibration({p, Labels{1, 0}, Labels{0, 0}});
  CHECK(none.bins.empty());
  CHECK(std::isnan(none.expected_error));
  CHECK(std::isnan(calibration({p, Labels{0, 0}}).ratio));
  CHECK(calibration({p, Labels{1, 0}}, SIZE_MAX).bins.size() == 2);
  CHECK_THROWS_AS(calibration({p, Labels{1, 0}}, 0), ConfigError);
  CHECK_THROWS_AS(calibration({Scores{2}, Labels{1}}), DataError);
}

TEST_CASE("clicks: ten million rows, time printed") {
  constexpr std::size_t n = 10'000'000;
  Rows r;
  r.scores.resize(n), r.labels.resize(n), r.users.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto words = philox(1, 0, i);
    const float p = philox_uniform(words[0]);
    r.scores[i] = p;
    r.labels[i] = philox_uniform(words[1]) < p;
    r.users[i] = words[2] % 500'000;
  }
  const auto timed = [&](const std::string& what, auto f) {
    const auto begin = std::chrono::steady_clock::now();
    const double value = f();
    MESSAGE(what << " " << value << " in "
                 << std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() << " s");
    return value;
  };
  // P(click) = p: clicks have density 2p, others 2 (1 - p): AUC 5 / 6, entropy 1 / 2.
  CHECK(timed("auc", [&] { return auc(r.view()).value; }) == doctest::Approx(5. / 6).epsilon(1e-3));
  CHECK(timed("gauc", [&] { return gauc(r.view(), r.users).value; }) == doctest::Approx(5. / 6).epsilon(2e-3));
  CHECK(timed("calibration error", [&] { return calibration(r.view()).expected_error; }) < 1e-3);
  CHECK(timed("log loss", [&] { return log_loss_of_probabilities(r.view()).mean; }) ==
        doctest::Approx(.5).epsilon(1e-3));
}
