#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/metrics.hpp"

using namespace chronotope;
using doctest::Approx;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

TEST_CASE("rank_scores counts what is above and level, among candidates only") {
  const std::vector<float> scores{0.5f, 0.9f, 0.5f, 0.1f, 0.5f, 0.7f};
  const RankedTarget all = rank_scores(scores, 2);
  CHECK(all.greater == 2);
  CHECK(all.ties == 2);
  CHECK(!all.revisit);

  const std::vector<std::uint8_t> candidate{0, 1, 1, 1, 1, 0};
  const RankedTarget some = rank_scores(scores, 2, candidate);
  CHECK(some.greater == 1);
  CHECK(some.ties == 1);

  const RankedTarget missing = rank_scores(scores, 0, candidate);
  CHECK(std::isinf(missing.greater));
  CHECK(hit(missing, 1000) == 0);
  CHECK(reciprocal_rank(missing) == 0);
}

TEST_CASE("rank_scores distinguishes doubles that are one float") {
  const std::vector<double> scores{1.0, 1.0 + 1e-12};
  CHECK(rank_scores(scores, 0).greater == 1);
  const std::vector<float> rounded{1.0f, static_cast<float>(1.0 + 1e-12)};
  CHECK(rank_scores(rounded, 0).ties == 1);
}

TEST_CASE("rank_scores refuses NaN, but not outside the candidates, and takes infinities") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> scores{1, nan, 2, -inf, -inf};
  CHECK_THROWS_AS(rank_scores(scores, 0), DataError);
  CHECK_THROWS_AS(rank_scores(scores, 1), DataError);
  const std::vector<std::uint8_t> candidate{1, 0, 1, 1, 1};
  CHECK(rank_scores(scores, 0, candidate).greater == 1);
  CHECK(rank_scores(scores, 3, candidate).greater == 2);
  CHECK(rank_scores(scores, 3, candidate).ties == 1);
  CHECK_THROWS_AS(rank_scores(scores, 5, candidate), DataError);
  CHECK_THROWS_AS(rank_scores(scores, 0, std::span(candidate).first(4)), DataError);
  CHECK_THROWS_AS(rank_scores(std::span<const float>{}, 0), DataError);
}

TEST_CASE("ties share the places they stand on") {
  const RankedTarget t{3, 3, false};  // rank 4, 5, 6 or 7 with probability 1/4 each
  CHECK(hit(t, 1) == 0);
  CHECK(hit(t, 3) == 0);
  CHECK(hit(t, 5) == Approx(0.5));
  CHECK(hit(t, 7) == 1);
  CHECK(hit(t, 10) == 1);
  CHECK(reciprocal_rank(t) == Approx((1 / 4.0 + 1 / 5.0 + 1 / 6.0 + 1 / 7.0) / 4).epsilon(1e-14));
  CHECK(reciprocal_rank({0, 0, false}) == 1);
  const std::vector<RankedTarget> one{t};
  CHECK(reciprocal_rank(ties_won(one)[0]) == 0.25);
}

TEST_CASE("reciprocal_rank in closed form equals the sum") {
  for (const double greater : {0.0, 1.0, 30.0, 31.0, 32.0, 500.0, 4000.0})
    for (const double ties : {0.0, 1.0, 5.0, 31.0, 40.0, 4979.0}) {
      CAPTURE(greater);
      CAPTURE(ties);
      double sum = 0;
      for (double rank = greater + ties + 1; rank > greater; --rank) sum += 1 / rank;
      CHECK(reciprocal_rank({greater, ties, false}) == Approx(sum / (ties + 1)).epsilon(1e-12));
    }
  CHECK(reciprocal_rank({0, 1e15, false}) == Approx((std::log(1e15) + 0.5772156649) / 1e15));  // and in constant time
}

TEST_CASE("means and standard errors") {
  const Estimate e = estimate(std::vector<double>{1, 0, 0, 1});
  CHECK(e.mean == 0.5);
  CHECK(e.standard_error == Approx(std::sqrt(4 * 0.25 / 3 / 4)));
  CHECK(std::isnan(estimate({}).mean));
  CHECK(estimate(std::vector<double>{0.3}).mean == 0.3);
  CHECK(std::isnan(estimate(std::vector<double>{0.3}).standard_error));
}

TEST_CASE("evaluate splits revisits from new places") {
  const std::vector<RankedTarget> ranks{{0, 0, true}, {4, 0, true}, {9, 0, false}, {infinity, 0, false}};
  const EvaluationResult r = evaluate(ranks);
  CHECK(r.all.targets == 4);
  CHECK(r.revisit.targets == 2);
  CHECK(r.discovery.targets == 2);
  CHECK(r.all.accuracy[0].mean == 0.25);
  CHECK(r.all.accuracy[1].mean == 0.5);
  CHECK(r.all.accuracy[2].mean == 0.75);
  CHECK(r.all.accuracy[3].mean == 0.75);
  CHECK(r.all.mrr.mean == Approx((1 + 0.2 + 0.1 + 0) / 4));
  CHECK(r.revisit.mrr.mean == Approx(0.6));
  CHECK(r.discovery.mrr.mean == Approx(0.05));
  CHECK_THROWS_AS(summarise(std::vector<RankedTarget>{{std::nan(""), 0, false}}), DataError);
  CHECK_THROWS_AS(summarise(std::vector<RankedTarget>{{0, -1, false}}), DataError);
  CHECK(evaluate({}).all.targets == 0);
}
