#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/bootstrap.hpp"

using namespace chronotope;

namespace {

bool same(const PairedDifference& a, const PairedDifference& b) {
  return a.difference == b.difference && a.low == b.low && a.high == b.high;
}

}  // namespace

TEST_CASE("bootstrap: deterministic by seed, different by seed") {
  const std::vector<double> a{1, 0, 1, 1, 0, 1, 0.5, 0, 1, 1}, b{0, 0, 1, 0, 0, 1, 0, 1, 1, 0};
  const PairedDifference first = paired_bootstrap(a, b);
  CHECK(first.difference == doctest::Approx(0.25));
  CHECK(first.low < first.difference);
  CHECK(first.high > first.difference);
  CHECK(same(first, paired_bootstrap(a, b)));
  BootstrapOptions few{.resamples = 200, .level = 0.95, .seed = 1}, other = few;
  other.seed = 2;
  CHECK(!same(paired_bootstrap(a, b, few), paired_bootstrap(a, b, other)));
}

TEST_CASE("bootstrap: only the differences matter, their sign turns the interval") {
  const std::vector<double> a{1, 0, 1, 1, 0, 1}, b{0, 0, 1, 0, 0, 1}, up{1, 1, 2, 1, 1, 2}, more{2, 1, 2, 2, 1, 2};
  const PairedDifference d = paired_bootstrap(a, b), shifted = paired_bootstrap(more, up);
  CHECK(same(d, shifted));
  const PairedDifference reversed = paired_bootstrap(b, a);
  CHECK(reversed.low == doctest::Approx(-d.high));
  CHECK(reversed.high == doctest::Approx(-d.low));
  const PairedDifference none = paired_bootstrap(a, a);
  CHECK(none.low == 0);
  CHECK(none.high == 0);
}

TEST_CASE("bootstrap: the width is that of the normal interval for many targets") {
  std::vector<double> a(2000), b(2000, 0.0);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = i % 4 == 0;
  const PairedDifference d = paired_bootstrap(a, b);
  const double half = 1.96 * std::sqrt(0.25 * 0.75 / 2000);
  CHECK(d.difference == 0.25);
  CHECK(d.low == doctest::Approx(0.25 - half).epsilon(0.01));
  CHECK(d.high == doctest::Approx(0.25 + half).epsilon(0.01));
}

TEST_CASE("bootstrap: a 95 % interval covers the truth about 95 times in 100") {
  constexpr unsigned seed = 20240;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::bernoulli_distribution first(0.4), second(0.3);
  int covered = 0;
  constexpr int trials = 400;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> a, b;
    for (int i = 0; i < 120; ++i) {
      a.push_back(first(random));
      b.push_back(second(random));
    }
    const PairedDifference d = paired_bootstrap(a, b, {.resamples = 400, .level = 0.95, .seed = 7});
    covered += d.low <= 0.1 && 0.1 <= d.high;
  }
  CHECK(covered > 0.91 * trials);  // standard deviation of the share: 1.1 points
  CHECK(covered < 0.985 * trials);
}

TEST_CASE("bootstrap: targets of a user that agree are worth one") {
  std::vector<double> a, b;
  std::vector<std::size_t> user;
  for (std::size_t u = 0; u < 40; ++u)
    for (int i = 0; i < 10; ++i) {
      a.push_back(u % 2);
      b.push_back(0);
      user.push_back(1000 - u);
    }
  const PairedDifference targets = paired_bootstrap(a, b), users = paired_bootstrap(a, b, {}, user);
  CHECK(users.difference == targets.difference);
  CHECK((users.high - users.low) / (targets.high - targets.low) == doctest::Approx(std::sqrt(10.0)).epsilon(0.1));
}

TEST_CASE("bootstrap: groups of unequal size weigh by their targets") {
  const std::vector<double> a{1, 1, 1, 0}, b{0, 0, 0, 0};
  const std::vector<std::size_t> user{5, 5, 5, 9};
  const PairedDifference d = paired_bootstrap(a, b, {}, user);
  CHECK(d.difference == 0.75);
  CHECK(d.low == 0);
  CHECK(d.high == 1);
}

TEST_CASE("bootstrap: inputs out of range") {
  const std::vector<double> a{1, 0}, one{1}, nan{1, std::nan("")};
  const std::vector<std::size_t> group{0};
  CHECK_THROWS_AS(paired_bootstrap({}, {}), DataError);
  CHECK_THROWS_AS(paired_bootstrap(a, one), DataError);
  CHECK_THROWS_AS(paired_bootstrap(a, nan), DataError);
  CHECK_THROWS_AS(paired_bootstrap(a, a, {}, group), DataError);
  CHECK_THROWS_AS(paired_bootstrap(a, a, {.resamples = 0}), ConfigError);
  CHECK_THROWS_AS(paired_bootstrap(a, a, {.level = 1}), ConfigError);
  CHECK_THROWS_AS(paired_bootstrap(a, a, {.level = std::nan("")}), ConfigError);
  const PairedDifference single = paired_bootstrap(one, std::vector<double>{0.25}, {.resamples = 1});
  CHECK(single.low == 0.75);
  CHECK(single.high == 0.75);
}
