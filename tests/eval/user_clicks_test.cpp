#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/user_clicks.hpp"
#include "eval/click_fixture.hpp"

using namespace chronotope;
using namespace chronotope::click_test;

namespace {

using Labels = std::vector<std::uint8_t>;
using Users = std::vector<std::uint32_t>;

bool same(const MeasuredInterval& a, const MeasuredInterval& b) {
  return a.value == b.value && a.standard_error == b.standard_error && a.low == b.low && a.high == b.high;
}

// The rows of one user as rows of their own.
ClickRows only(const Rows& r, std::uint32_t user, Labels& subset) {
  subset.assign(r.users.size(), 0);
  for (std::size_t i = 0; i < r.users.size(); ++i) subset[i] = r.users[i] == user && counts(r.view(), i);
  return {r.scores, r.labels, subset};
}

}  // namespace

TEST_CASE("gauc: by hand, users left out are counted") {
  //                      user 7: .5     user 3: 1     user 1: one class, user 2: one class
  const std::vector<float> s{1, 2, 2, 3, 5, 4, 9, 1, 2, 3};
  const Labels l{0, 1, 0, 0, 1, 0, 1, 0, 0, 0};
  const Users u{7, 7, 7, 7, 3, 3, 1, 2, 2, 2};
  const auto users = user_aucs({s, l}, u);
  REQUIRE(users.size() == 4);
  CHECK(users[0].user == 1);
  CHECK(std::isnan(users[0].auc));
  CHECK(users[2].auc == 1);
  CHECK(users[3].user == 7);
  CHECK(users[3].impressions == 4);
  CHECK(users[3].clicks == 1);
  CHECK(users[3].auc == .5);
  const Gauc g = gauc({s, l}, u);
  CHECK(g.value == doctest::Approx((4 * .5 + 2) / 6));
  CHECK(g.users == 2);
  CHECK(g.impressions == 6);
  CHECK(g.users_left_out == 2);
  CHECK(g.impressions_left_out == 4);
  const Labels without_seven{0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
  CHECK(gauc({s, l, without_seven}, u).value == 1);
  CHECK(gauc({s, l, without_seven}, u).users_left_out == 2);
}

TEST_CASE("gauc: user by user with the double loop, ties and subsets, users in any order") {
  constexpr unsigned seed = 23;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 40; ++trial) {
    CAPTURE(trial);
    const Rows r = random_rows(random, 10 + random() % 200, 2 + static_cast<int>(random() % 20), 6, trial % 2);
    double sum = 0, weight = 0;
    std::map<std::uint32_t, std::uint64_t> impressions;
    for (std::size_t i = 0; i < r.users.size(); ++i) impressions[r.users[i]] += counts(r.view(), i);
    Labels subset;
    for (const auto& [user, n] : impressions) {
      const double one = slow_auc(only(r, user, subset));
      if (std::isnan(one)) continue;
      sum += one * static_cast<double>(n);
      weight += static_cast<double>(n);
    }
    const Gauc g = gauc(r.view(), r.users);
    if (weight > 0) CHECK(g.value == doctest::Approx(sum / weight).epsilon(1e-13));
    else CHECK(std::isnan(g.value));
    CHECK(static_cast<double>(g.impressions) == weight);
  }
}

TEST_CASE("gauc: users with the largest numbers and infinite scores keep apart") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> s{inf, -inf, -inf, inf};
  const Users u{0xFFFFFFFF, 0xFFFFFFFF, 0, 0};
  const auto users = user_aucs({s, Labels{1, 0, 1, 0}}, u);
  REQUIRE(users.size() == 2);
  CHECK(users[0].auc == 0);
  CHECK(users[1].auc == 1);
}

TEST_CASE("gauc interval: deterministic, of the right width, unmoved by users left out") {
  std::vector<UserAuc> users;
  for (std::uint32_t u = 0; u < 800; ++u) users.push_back({u, 10, 2, u % 4 == 0 ? .5 : 1.});
  const BootstrapOptions few{.resamples = 2000};
  const MeasuredInterval one = gauc_interval(users, few);
  const double error = .5 * std::sqrt(.25 * .75 / 800);
  CHECK(one.value == doctest::Approx(.875));
  CHECK(one.standard_error == doctest::Approx(error).epsilon(.05));
  CHECK(one.low == doctest::Approx(.875 - 1.96 * error).epsilon(.002));
  CHECK(one.high == doctest::Approx(.875 + 1.96 * error).epsilon(.002));
  CHECK(same(one, gauc_interval(users, few)));
  CHECK(!same(one, gauc_interval(users, {.resamples = 2000, .seed = 2})));
  users.push_back({9000, 100, 0, std::nan("")});
  CHECK(same(one, gauc_interval(users, few)));
}

TEST_CASE("gauc interval: users weigh by their impressions") {
  const std::vector<UserAuc> users{{1, 30, 3, 1.}, {2, 10, 1, 0.}};
  const MeasuredInterval one = gauc_interval(users, {.resamples = 400});
  CHECK(one.value == .75);
  CHECK(one.low == 0);
  CHECK(one.high == 1);
  // Resamples of two users are worth 1, 1, 0 (a quarter, ...) and .75 (a half): deviation by hand.
  const double mean = .25 + .75 / 2, variance = .25 + .75 * .75 / 2 - mean * mean;
  CHECK(one.standard_error == doctest::Approx(std::sqrt(variance)).epsilon(.1));
}

TEST_CASE("gauc difference: pairing cancels what users share") {
  constexpr unsigned seed = 8;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::vector<UserAuc> a, b;
  for (std::uint32_t u = 0; u < 300; ++u) {
    const double easy = static_cast<double>(random() % 1000) / 2000 + .3;
    a.push_back({u, 5 + random() % 20, 2, easy + .05 + static_cast<double>(random() % 100) / 1000});
    b.push_back(a.back());
    b.back().auc = easy;
  }
  const BootstrapOptions few{.resamples = 500};
  const MeasuredInterval d = gauc_difference(a, b, few), turned = gauc_difference(b, a, few);
  CHECK(d.value == doctest::Approx(gauc(a).value - gauc(b).value));
  CHECK(d.low > .08);
  CHECK(turned.low == doctest::Approx(-d.high));
  CHECK(p_value(d) < 1e-9);
  CHECK(d.standard_error < gauc_interval(a, few).standard_error / 3);
  const MeasuredInterval none = gauc_difference(a, a, few);
  CHECK(none.value == 0);
  CHECK(none.high == 0);
  CHECK(p_value(none) == 1);
  CHECK(p_value({1.959963985, 1, 0, 0, 0}) == doctest::Approx(.05).epsilon(1e-8));
  CHECK(p_value({-.1, 0, 0, 0, 0}) == 0);
  CHECK(std::isnan(p_value({0, std::nan(""), 0, 0, 0})));
}

TEST_CASE("gauc: undefined and refused") {
  const std::vector<float> s{1, 2}, broken{1, std::nanf("")};
  const Labels l{1, 0};
  const Users u{1, 2}, shorter{1};
  CHECK(std::isnan(gauc({s, l}, u).value));
  CHECK(std::isnan(gauc_interval(user_aucs({s, l}, u)).low));
  CHECK(user_aucs({{}, {}}, {}).empty());
  CHECK_THROWS_AS(user_aucs({s, l}, shorter), DataError);
  CHECK_THROWS_AS(user_aucs({broken, l}, u), DataError);
  const std::vector<UserAuc> one{{1, 3, 1, .5}}, other{{1, 4, 1, .5}}, bad{{1, 3, 1, std::nan("")}};
  CHECK_THROWS_AS(gauc_difference(one, other), DataError);
  CHECK_THROWS_AS(gauc_difference(one, {}), DataError);
  CHECK_THROWS_AS(gauc_interval(bad), DataError);
  CHECK_THROWS_AS(gauc_interval(one, {.resamples = 0}), ConfigError);
  CHECK(std::isnan(gauc_interval(one, {.resamples = 1}).standard_error));
}
