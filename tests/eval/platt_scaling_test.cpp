// PlattScaling of logits on held-out samples.

#include "chronotope/eval/platt_scaling.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "chronotope/core/philox.hpp"

using namespace chronotope;

namespace {

double uniform(std::uint64_t i) { return (philox(7, 0, i)[0] + 0.5) * 0x1p-32; }

}  // namespace

TEST_CASE("a line that was planted is found again") {
  const double slope = 0.6, shift = -1.25;
  std::vector<float> logits;
  std::vector<std::uint8_t> labels;
  for (std::uint64_t i = 0; i < 60'000; ++i) {
    logits.push_back(static_cast<float>(8 * uniform(2 * i) - 4));
    labels.push_back(uniform(2 * i + 1) < 1 / (1 + std::exp(-(slope * static_cast<double>(logits.back()) + shift))));
  }
  const PlattScaling c = fit_platt_scaling(logits, labels);
  CHECK(c.slope == doctest::Approx(slope).epsilon(0.05));
  CHECK(c.shift == doctest::Approx(shift).epsilon(0.05));
  double difference = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) difference += labels[i] - 1 / (1 + std::exp(-static_cast<double>(c(logits[i]))));
  CHECK(std::abs(difference) < 1e-3);  // at the best line the probabilities add up to the clicks
}

TEST_CASE("labels that can be told apart give a finite, rising line") {
  const PlattScaling c = fit_platt_scaling(std::vector<float>{-1, -0.5f, 0.5f, 1}, std::vector<std::uint8_t>{0, 0, 1, 1});
  CHECK(std::isfinite(c.slope));
  CHECK(c.slope > 1);
}

TEST_CASE("where there is nothing to learn the logits stay as they are") {
  const auto unchanged = [](const std::vector<float>& logits, const std::vector<std::uint8_t>& labels) {
    const PlattScaling c = fit_platt_scaling(logits, labels);
    return c.slope == 1 && c.shift == 0;
  };
  CHECK(unchanged({}, {}));
  CHECK(unchanged({1, 2}, {1, 1}));
  CHECK(unchanged({1, 2, 3, 4}, {1, 1, 0, 0}));  // falls with the labels
  CHECK(unchanged({1, std::numeric_limits<float>::quiet_NaN(), 3}, {1, 0, 0}));
}
