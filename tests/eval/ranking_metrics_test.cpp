#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/metrics.hpp"
#include "chronotope/eval/ranking_metrics.hpp"

using namespace chronotope;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity(), no_value = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t day = 86400;

std::vector<TimedPlace> visits(std::initializer_list<std::pair<std::uint64_t, std::int64_t>> places_at) {
  std::vector<TimedPlace> history;
  for (const auto& [place, local] : places_at) history.push_back({place, local});
  return history;
}

}  // namespace

TEST_CASE("ranking: any of several targets is a hit") {
  const RankedList list{{7, 3, 9, 3}, {5, 3, 9}};
  CHECK(hit(list, 0) == 0);
  CHECK(hit(list, 1) == 0);
  CHECK(hit(list, 2) == 1);
  CHECK(hit(list, 100) == 1);
  CHECK(reciprocal_rank(list) == 0.5);
  const RankedList missed{{7, 3}, {5}};
  CHECK(hit(missed, never) == 0);
  CHECK(reciprocal_rank(missed) == 0);
  CHECK(hit(RankedList{{}, {5}}, 3) == 0);
  CHECK(std::isnan(hit(RankedList{{1}, {}}, 3)));
  CHECK(std::isnan(reciprocal_rank(RankedList{{1}, {}})));
}

TEST_CASE("ranking: NDCG by hand") {
  const double second = 1 / std::log2(3.0), third = 0.5;
  const RankedList list{{7, 3, 9, 3}, {5, 3, 9, 9}};
  CHECK(ndcg(list, 1) == 0);
  CHECK(ndcg(list, 2) == doctest::Approx(second / (1 + second)));
  CHECK(ndcg(list, 10) == doctest::Approx((second + third) / (1 + second + third)));
  CHECK(ndcg(RankedList{{9, 5, 3}, {5, 3, 9}}, 3) == doctest::Approx(1));
  CHECK(ndcg(RankedList{{9}, {5, 3, 9}}, 1) == doctest::Approx(1));
  CHECK(std::isnan(ndcg(RankedList{{9}, {}}, 1)));
  CHECK_THROWS_AS(ndcg(list, 0), ConfigError);
}

TEST_CASE("ranking: NDCG of scores is that of the list they make, equal scores the mean over all orders") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (int i = 0; i < 6; ++i) scores.push_back(static_cast<float>(random() % 4)), labels.push_back(random() % 2);
    labels[0] = 1;
    std::vector<std::size_t> order(6);
    std::iota(order.begin(), order.end(), 0u);
    for (const std::size_t k : {1u, 3u, 6u, 9u}) {
      double sum = 0, orders = 0;
      do {
        if (!std::is_sorted(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; })) continue;
        RankedList list;
        for (const std::size_t i : order) list.places.push_back(i);
        for (std::size_t i = 0; i < 6; ++i)
          if (labels[i]) list.targets.push_back(i);
        sum += ndcg(list, k);
        ++orders;
      } while (std::next_permutation(order.begin(), order.end()));
      CHECK(ndcg(scores, labels, k) == doctest::Approx(sum / orders));
    }
  }
  CHECK(std::isnan(ndcg(std::vector<float>{1, 2}, std::vector<std::uint8_t>{0, 0}, 2)));
  CHECK_THROWS_AS(ndcg(std::vector<float>{1}, std::vector<std::uint8_t>{0, 1}, 2), DataError);
  CHECK_THROWS_AS(ndcg(std::vector<float>{NAN}, std::vector<std::uint8_t>{1}, 2), DataError);
  CHECK_THROWS_AS(ndcg(std::vector<float>{1}, std::vector<std::uint8_t>{2}, 2), DataError);
}

TEST_CASE("ranking: active days are those with an action, by the wall clock") {
  // Place 1 on day 0, 2 on day 3, both on day 4, 3 one second before 1970.
  const auto history = visits({{2, 4 * day + 5}, {1, 10}, {2, 3 * day}, {1, 4 * day + day - 1}, {3, -1}});
  const std::vector<std::uint64_t> places{1, 2, 3, 4};
  CHECK(active_days_since(places, history) == std::vector<std::size_t>{1, 1, 4, never});
  CHECK(active_days_since(places, visits({{1, 0}, {2, 3 * day}, {3, 3 * day + 1}, {4, 9 * day}})) == std::vector<std::size_t>{3, 2, 2, 1});
  CHECK(active_days_since(places, {}) == std::vector<std::size_t>(4, never));
  CHECK(active_days_since({}, history).empty());
}

TEST_CASE("ranking: the discovery rate by hand") {
  const std::vector<std::size_t> since{3, never, 1, 2};
  CHECK(discovery_rate(since, 1, 2) == 1);
  CHECK(discovery_rate(since, 1, 3) == 0);
  CHECK(discovery_rate(since, 4, 0) == 1);
  CHECK(discovery_rate(since, 4, 1) == 0.75);
  CHECK(discovery_rate(since, 4, 2) == 0.5);
  CHECK(discovery_rate(since, 4, never) == 0.25);
  CHECK(discovery_rate(since, 3, 2) == doctest::Approx(2.0 / 3));
  CHECK(discovery_rate(since, 100, 2) == 0.5);
  CHECK(std::isnan(discovery_rate({}, 5, 2)));
  CHECK(std::isnan(discovery_rate(since, 0, 2)));
}

TEST_CASE("ranking: means by user agree with single draws where a user has one request") {
  const std::vector<double> values{1, 0, 1, 1, 0, no_value, 0.5};
  const std::vector<std::size_t> users{8, 1, 4, 3, 9, 9, 77};
  const MeasuredInterval m = mean_by_user(values, users);
  CHECK(m.value == doctest::Approx(3.5 / 6));
  CHECK(m.low < m.value);
  CHECK(m.high > m.value);
  const double error = estimate(std::vector<double>{1, 0, 1, 1, 0, 0.5}).standard_error;
  CHECK(m.standard_error == doctest::Approx(error * std::sqrt(5.0 / 6)).epsilon(0.03));  // a bootstrap divides by n
  const MeasuredInterval none = mean_by_user(std::vector<double>{no_value}, std::vector<std::size_t>{1});
  CHECK(std::isnan(none.value));
  CHECK(std::isnan(none.standard_error));
}

TEST_CASE("ranking: requests of one user are drawn together") {
  std::vector<double> values;
  std::vector<std::size_t> users, own;
  for (std::size_t user = 0; user < 40; ++user)
    for (int i = 0; i < 10; ++i) values.push_back(user % 2), users.push_back(user), own.push_back(own.size());
  const double by_user = mean_by_user(values, users, {.resamples = 2000}).standard_error;
  CHECK(by_user == doctest::Approx(std::sqrt(0.25 / 40)).epsilon(0.1));
  CHECK(mean_by_user(values, own, {.resamples = 2000}).standard_error < 0.5 * by_user);
}

TEST_CASE("ranking: the paired difference agrees with paired_bootstrap") {
  const std::vector<double> a{1, 0, 1, 1, no_value, 0, 1, 0.5}, b{0, 0, 1, 0, no_value, 1, 1, 0.25};
  const std::vector<std::size_t> users{1, 1, 2, 2, 2, 3, 4, 5};
  const MeasuredInterval d = difference_by_user(a, b, users);
  const PairedDifference expected = paired_bootstrap(std::vector<double>{1, 0, 1, 1, 0, 1, 0.5}, std::vector<double>{0, 0, 1, 0, 1, 1, 0.25},
                                                     {}, std::vector<std::size_t>{1, 1, 2, 2, 3, 4, 5});
  CHECK(d.value == doctest::Approx(expected.difference));
  CHECK(d.low == expected.low);
  CHECK(d.high == expected.high);
  CHECK(difference_by_user(a, a, users).standard_error == 0);
}

TEST_CASE("ranking: values and users that do not fit are refused") {
  const std::vector<double> a{1, 0}, b{1, no_value}, endless{1, infinite};
  const std::vector<std::size_t> users{1, 2}, one{1};
  CHECK_THROWS_AS(mean_by_user(a, one), DataError);
  CHECK_THROWS_AS(mean_by_user(endless, users), DataError);
  CHECK_THROWS_AS(difference_by_user(a, b, users), DataError);
  CHECK_THROWS_AS(difference_by_user(a, std::vector<double>{1}, users), DataError);
  CHECK_THROWS_AS(difference_by_user(a, endless, users), DataError);
  CHECK_THROWS_AS(mean_by_user(a, users, {.resamples = 0}), ConfigError);
}

TEST_CASE("ranking: all measures of a model's lists") {
  const std::vector<RankedList> lists{{{1, 2}, {1}}, {{1, 2}, {2}}, {{1, 2}, {3}}, {{1, 2}, {}}};
  const std::vector<std::size_t> users{5, 5, 6, 7}, cutoffs{1, 2};
  const ListMetrics m = measure_lists(lists, users, cutoffs, {.resamples = 50});
  CHECK(m.requests == 3);
  CHECK(m.users == 2);
  CHECK(m.without_targets == 1);
  CHECK(m.mrr.value == doctest::Approx(0.5));
  REQUIRE(m.cutoffs.size() == 2);
  CHECK(m.cutoffs[1].k == 2);
  CHECK(m.cutoffs[0].hit_rate.value == doctest::Approx(1.0 / 3));
  CHECK(m.cutoffs[1].hit_rate.value == doctest::Approx(2.0 / 3));
  CHECK(m.cutoffs[1].ndcg.value == doctest::Approx((1 + 1 / std::log2(3.0)) / 3));
  CHECK_THROWS_AS(measure_lists(lists, cutoffs, cutoffs), DataError);
}
