#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "eval/click_fixture.hpp"

using namespace chronotope;
using namespace chronotope::click_test;

namespace {

using Labels = std::vector<std::uint8_t>;
using Users = std::vector<std::uint32_t>;
using Scores = std::vector<float>;

// `users` users of `each` rows, of which half are clicks; scores are normal, clicks `shift` higher, `shared` of the
// variance is the user's own. True AUC: Phi(shift / sqrt 2) by the marginal distribution if users are many.
Rows clustered_rows(std::mt19937& random, std::uint32_t users, int each, double shift, double shared) {
  std::normal_distribution<double> normal;
  Rows r;
  for (std::uint32_t u = 0; u < users; ++u) {
    const double own = std::sqrt(shared) * normal(random);
    const bool clicker = normal(random) > 0;  // users of one class: their level moves the whole AUC
    for (int i = 0; i < each; ++i) {
      r.users.push_back(u);
      r.labels.push_back(clicker);
      r.scores.push_back(static_cast<float>(own + std::sqrt(1 - shared) * normal(random) + shift * clicker));
    }
  }
  return r;
}

bool covers(const MeasuredInterval& i, double truth) { return i.low <= truth && truth <= i.high; }

}  // namespace

TEST_CASE("DeLong: by hand") {
  // Clicks 3, 5, 2 against others 1, 2, 4, 2: placements of the clicks 3/4, 1, 2/4 (two ties), of the others 1, 5/6,
  // 1/3, 5/6; both have mean 3/4.
  const Scores s{3, 5, 2, 1, 2, 4, 2};
  const Labels l{1, 1, 1, 0, 0, 0, 0};
  const MeasuredInterval d = auc_delong({s, l});
  CHECK(d.value == .75);
  const double clicks = (0. + 1. / 16 + 1. / 16) / 2;
  const double others = (1. / 16 + 2. / 144 + 25. / 144) / 3;
  CHECK(d.standard_error == doctest::Approx(std::sqrt(clicks / 3 + others / 4)).epsilon(1e-14));
  CHECK(d.low == doctest::Approx(.75 - 1.959963984540054 * d.standard_error).epsilon(1e-12));
  CHECK(d.high == 1);  // cut
  CHECK(auc_delong({s, l}, .5).low == doctest::Approx(.75 - .6744897501960817 * d.standard_error).epsilon(1e-12));
}

TEST_CASE("DeLong: the double loop, single and difference, with ties and subsets") {
  constexpr unsigned seed = 1988;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 30; ++trial) {
    CAPTURE(trial);
    const Rows r = random_rows(random, 20 + random() % 100, 3 + static_cast<int>(random() % 30), 4, trial % 2);
    const MeasuredInterval one = auc_delong(r.view()), d = auc_difference_delong(r.view(), r.second);
    const ClickRows second{r.second, r.labels, r.subset};
    const double variance = slow_delong_variance(r.view(), {}),
                 of_difference = slow_delong_variance(r.view(), r.second);
    CHECK(one.standard_error == doctest::Approx(std::sqrt(variance)).epsilon(1e-11));
    CHECK(d.value == doctest::Approx(slow_auc(r.view()) - slow_auc(second)).epsilon(1e-12));
    CHECK(d.standard_error == doctest::Approx(std::sqrt(of_difference)).epsilon(1e-11));
    // Every row a user of its own: the clustered formula becomes DeLong's.
    Users own(r.users.size());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = static_cast<std::uint32_t>(7 * i + 3);
    CHECK(auc_delong(r.view(), .95, own).standard_error == doctest::Approx(one.standard_error).epsilon(1e-12));
  }
}

TEST_CASE("DeLong by users: the definition with double loops") {
  constexpr unsigned seed = 1997;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 20; ++trial) {
    CAPTURE(trial);
    const Rows r = random_rows(random, 60 + random() % 60, 12, 5, trial % 2);
    const double auc = slow_auc(r.view());
    struct Sums {
      double v[2]{}, n[2]{};
    };
    std::map<std::uint32_t, Sums> users;
    double rows[2]{};
    for (std::size_t i = 0; i < r.users.size(); ++i) {
      if (!counts(r.view(), i)) continue;
      const int label = r.labels[i];
      users[r.users[i]].v[label] += slow_placement(r.view(), i);
      users[r.users[i]].n[label] += 1;
      rows[label] += 1;
    }
    double s[2]{}, both = 0, with[2]{};
    for (const auto& [name, u] : users) {
      for (const int label : {0, 1}) {
        s[label] += std::pow(u.v[label] - u.n[label] * auc, 2);
        with[label] += u.n[label] > 0;
      }
      both += (u.v[0] - u.n[0] * auc) * (u.v[1] - u.n[1] * auc);
    }
    const auto all = static_cast<double>(users.size());
    double variance = 2 * both * all / (all - 1) / (rows[0] * rows[1]);
    for (const int label : {0, 1}) variance += s[label] * with[label] / (with[label] - 1) / (rows[label] * rows[label]);
    CHECK(auc_delong(r.view(), .95, r.users).standard_error == doctest::Approx(std::sqrt(variance)).epsilon(1e-11));
  }
}

TEST_CASE("DeLong: independent rows are covered, and so is the difference of two correlated models") {
  constexpr unsigned seed = 271;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const double truth = .5 * std::erfc(-.5), second_truth = .5 * std::erfc(-.25);  // Phi(shift / sqrt 2)
  int one = 0, difference = 0;
  constexpr int trials = 600;
  for (int trial = 0; trial < trials; ++trial) {
    Rows r;
    for (int i = 0; i < 150; ++i) {
      const bool click = i % 3 == 0;
      const double common = normal(random);
      r.labels.push_back(click);
      r.scores.push_back(static_cast<float>(.8 * common + .6 * normal(random) + click));
      r.second.push_back(static_cast<float>(.8 * common + .6 * normal(random) + .5 * click));
    }
    one += covers(auc_delong(r.view()), truth);
    difference += covers(auc_difference_delong(r.view(), r.second), truth - second_truth);
  }
  CAPTURE(one);
  CAPTURE(difference);
  for (const int covered : {one, difference}) {  // standard deviation of the share: .9 points
    CHECK(covered > .91 * trials);
    CHECK(covered < .98 * trials);
  }
}

TEST_CASE("dependent rows: DeLong over rows is too narrow, by users it covers, and so does the bootstrap") {
  constexpr unsigned seed = 17;
  CAPTURE(seed);
  std::mt19937 random(seed);
  const double truth = .5 * std::erfc(-.5);
  int rows = 0, by_users = 0, bootstrap = 0;
  constexpr int trials = 300;
  for (int trial = 0; trial < trials; ++trial) {
    const Rows r = clustered_rows(random, 60, 8, 1, .5);
    rows += covers(auc_delong(r.view()), truth);
    by_users += covers(auc_delong(r.view(), .95, r.users), truth);
    bootstrap += covers(auc_bootstrap(r.view(), r.users, {.resamples = 200}), truth);
  }
  CAPTURE(rows);
  CAPTURE(by_users);
  CAPTURE(bootstrap);
  CHECK(rows < .8 * trials);
  for (const int covered : {by_users, bootstrap}) {  // standard deviation of the share: 1.3 points
    CHECK(covered > .89 * trials);
    CHECK(covered < .99 * trials);
  }
}

TEST_CASE("AUC bootstrap: its error agrees with the formula by users, single and difference") {
  constexpr unsigned seed = 3;
  CAPTURE(seed);
  std::mt19937 random(seed);
  Rows r = clustered_rows(random, 200, 5, .7, .4);
  std::normal_distribution<float> normal;
  for (const float s : r.scores) r.second.push_back(s + normal(random));
  for (std::size_t i = 0; i < r.scores.size(); ++i) r.subset.push_back(i % 7 != 0);
  const BootstrapOptions options{.resamples = 1500};
  const MeasuredInterval a = auc_bootstrap(r.view(), r.users, options), b = auc_delong(r.view(), .95, r.users);
  CHECK(a.value == b.value);
  CHECK(a.undefined == 0);
  CHECK(a.standard_error == doctest::Approx(b.standard_error).epsilon(.08));
  const MeasuredInterval c = auc_difference_bootstrap(r.view(), r.second, r.users, options);
  const MeasuredInterval d = auc_difference_delong(r.view(), r.second, .95, r.users);
  CHECK(c.value == d.value);
  CHECK(c.standard_error == doctest::Approx(d.standard_error).epsilon(.08));
  CHECK(c.low == doctest::Approx(d.low).epsilon(.1));
}

TEST_CASE("AUC bootstrap: every resample is the AUC of the users drawn") {
  // Two users with a tie between them, the click first: resamples are user 4 twice, user 9 twice, or both.
  const Scores s{1, 2, 2, 3, 2.5f, 0};
  const Labels l{0, 1, 0, 1, 1, 0};
  const Users u{4, 4, 9, 9, 4, 9};
  const double four = 1, nine = 1, both = slow_auc({s, l});
  const MeasuredInterval i = auc_bootstrap({s, l}, u, {.resamples = 4000});
  CHECK(i.value == both);
  CHECK(i.low == both);
  CHECK(i.high == std::max(four, nine));
  CHECK(i.standard_error == doctest::Approx((1 - both) / 2).epsilon(.05));  // a half of the resamples is `both`
  const MeasuredInterval again = auc_bootstrap({s, l}, u, {.resamples = 4000});
  CHECK(again.standard_error == i.standard_error);
  CHECK(auc_bootstrap({s, l}, u, {.resamples = 4000, .seed = 2}).standard_error != i.standard_error);
  const MeasuredInterval same = auc_difference_bootstrap({s, l}, s, u, {.resamples = 50});
  CHECK(same.low == 0);
  CHECK(same.high == 0);
}

TEST_CASE("AUC bootstrap: resamples of one class are left out and counted") {
  const Scores s{1, 2};
  const Users u{1, 2};
  const MeasuredInterval i = auc_bootstrap({s, Labels{0, 1}}, u, {.resamples = 1000});
  CHECK(i.undefined > 400);
  CHECK(i.undefined < 600);
  CHECK(i.low == 1);
  const MeasuredInterval never = auc_bootstrap({s, Labels{0, 0}}, u, {.resamples = 10});
  CHECK(std::isnan(never.value));
  CHECK(std::isnan(never.low));
}

TEST_CASE("AUC intervals: undefined and refused") {
  const Scores s{1, 2, 3}, broken{1, std::nanf(""), 2}, shorter{1};
  const Labels l{0, 1, 0}, one{1, 1, 1}, all{0, 1, 1};
  const Users u{1, 1, 2};
  CHECK(std::isnan(auc_delong({s, one}).value));
  const MeasuredInterval few = auc_delong({s, l});
  CHECK(few.value == .5);
  CHECK(std::isnan(few.standard_error));
  CHECK(std::isnan(few.low));
  CHECK(std::isnan(few.high));
  CHECK(std::isnan(auc_delong({s, all}, .95, Users{1, 2, 2}).standard_error));  // all clicks are of one user
  const Scores four{1, 2, 3, 4};
  const MeasuredInterval perfect = auc_delong({four, Labels{0, 0, 1, 1}});
  CHECK(perfect.standard_error == 0);
  CHECK(perfect.low == 1);
  CHECK_THROWS_AS(auc_delong({s, l}, 1), ConfigError);
  CHECK_THROWS_AS(auc_delong({s, l}, std::nan("")), ConfigError);
  CHECK_THROWS_AS(auc_delong({broken, l}), DataError);
  CHECK_THROWS_AS(auc_delong({s, l}, .95, Users{1}), DataError);
  CHECK_THROWS_AS(auc_difference_delong({s, l}, broken), DataError);
  CHECK_THROWS_AS(auc_difference_delong({s, l}, shorter), DataError);
  CHECK_THROWS_AS(auc_bootstrap({s, l}, {}), DataError);
  CHECK_THROWS_AS(auc_bootstrap({s, l}, u, {.resamples = 0}), ConfigError);
  CHECK_THROWS_AS(auc_difference_bootstrap({s, l}, broken, u), DataError);
  CHECK_THROWS_AS(auc_difference_bootstrap({s, l}, shorter, u), DataError);
}

TEST_CASE("DeLong by users: a class of one user has no error, whatever rounding leaves of it") {
  constexpr unsigned seed = 61;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 20; ++trial) {
    Rows r = random_rows(random, 50, 20, 6, false);
    for (std::size_t i = 0; i < r.users.size(); ++i)
      if (r.labels[i]) r.users[i] = 1000;
    const MeasuredInterval d = auc_delong(r.view(), .95, r.users);
    CHECK(!std::isnan(d.value));
    CHECK(std::isnan(d.standard_error));
    CHECK(std::isnan(d.high));
  }
}

TEST_CASE("AUC intervals: a million rows, time printed") {
  constexpr std::size_t n = 1'000'000;
  Rows r;
  for (std::size_t i = 0; i < n; ++i) {
    const auto words = philox(2, 0, i);
    r.scores.push_back(philox_uniform(words[0]));
    r.second.push_back(r.scores.back() + .3f * philox_uniform(words[3]));
    r.labels.push_back(philox_uniform(words[1]) < r.scores.back());
    r.users.push_back(words[2] % 50'000);
  }
  const auto timed = [&](const std::string& what, auto f) {
    const auto begin = std::chrono::steady_clock::now();
    const MeasuredInterval i = f();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    MESSAGE(what << " " << i.value << " +- " << i.standard_error << " in " << took.count() << " s");
    return i.standard_error;
  };
  const double rows = timed("DeLong, difference", [&] { return auc_difference_delong(r.view(), r.second); });
  const double users =
      timed("by 50,000 users", [&] { return auc_difference_delong(r.view(), r.second, .95, r.users); });
  CHECK(users == doctest::Approx(rows).epsilon(.03));  // users mean nothing here
  timed("bootstrap, 20 resamples",
        [&] { return auc_difference_bootstrap(r.view(), r.second, r.users, {.resamples = 20}); });
}
