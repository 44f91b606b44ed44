#include "chronotope/eval/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// H(n) - ln(n) - gamma by its asymptotic series; the first term left out is below 1e-13 for n >= 32.
double harmonic_tail(double n) {
  const double r = 1 / (n * n);
  return 0.5 / n - r * (1.0 / 12 - r * (1.0 / 120 - r / 252));
}

// 1 / (first + 1) + ... + 1 / (first + count), in constant time: short sums directly, the rest by the series.
double harmonic_range(double first, double count) {
  double sum = 0;
  for (; count > 0 && first < 32; --count) sum += 1 / ++first;
  if (count <= 0) return sum;
  return sum + std::log1p(count / first) + harmonic_tail(first + count) - harmonic_tail(first);
}

template <class T>
RankedTarget rank(std::span<const T> scores, std::size_t target, std::span<const std::uint8_t> candidate) {
  if (target >= scores.size())
    throw DataError("rank_scores: target place " + std::to_string(target) + " of " + std::to_string(scores.size()) +
                    " scores does not exist");
  if (!candidate.empty() && candidate.size() != scores.size())
    throw DataError("rank_scores: " + std::to_string(candidate.size()) + " candidate flags for " +
                    std::to_string(scores.size()) + " scores; there must be one a score");
  RankedTarget result;
  const T own = scores[target];
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!candidate.empty() && !candidate[i]) continue;
    if (std::isnan(scores[i])) throw DataError("rank_scores: the score of place " + std::to_string(i) + " is NaN");
    result.greater += scores[i] > own;
    result.ties += scores[i] == own && i != target;
  }
  if (!candidate.empty() && !candidate[target]) return {std::numeric_limits<double>::infinity(), 0, false};
  return result;
}

void check(const RankedTarget& t) {
  if (!(t.greater >= 0) || !(t.ties >= 0) || std::isinf(t.ties))
    throw DataError("metrics: a target has " + std::to_string(t.greater) + " candidates above and " +
                    std::to_string(t.ties) + " level with it; neither may be NaN or negative");
}

template <class Keep>
std::vector<RankedTarget> subset(std::span<const RankedTarget> targets, Keep keep) {
  std::vector<RankedTarget> kept;
  std::copy_if(targets.begin(), targets.end(), std::back_inserter(kept), keep);
  return kept;
}

}  // namespace

RankedTarget rank_scores(std::span<const float> scores, std::size_t target, std::span<const std::uint8_t> candidate) {
  return rank(scores, target, candidate);
}

RankedTarget rank_scores(std::span<const double> scores, std::size_t target, std::span<const std::uint8_t> candidate) {
  return rank(scores, target, candidate);
}

double hit(const RankedTarget& t, std::size_t k) {
  return std::clamp((static_cast<double>(k) - t.greater) / (t.ties + 1), 0.0, 1.0);
}

double reciprocal_rank(const RankedTarget& t) {
  if (std::isinf(t.greater)) return 0;
  return harmonic_range(t.greater, t.ties + 1) / (t.ties + 1);
}

std::vector<RankedTarget> ties_won(std::span<const RankedTarget> targets) {
  std::vector<RankedTarget> won(targets.begin(), targets.end());
  for (RankedTarget& t : won) t.ties = 0;
  return won;
}

std::vector<double> hits(std::span<const RankedTarget> targets, std::size_t k) {
  std::vector<double> values;
  values.reserve(targets.size());
  for (const RankedTarget& t : targets) values.push_back(hit(t, k));
  return values;
}

std::vector<double> reciprocal_ranks(std::span<const RankedTarget> targets) {
  std::vector<double> values;
  values.reserve(targets.size());
  for (const RankedTarget& t : targets) values.push_back(reciprocal_rank(t));
  return values;
}

Estimate estimate(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (values.empty()) return {undefined, undefined};
  double sum = 0, squares = 0;
  for (double v : values) sum += v;
  const double mean = sum / n;
  for (double v : values) squares += (v - mean) * (v - mean);
  return {mean, values.size() < 2 ? undefined : std::sqrt(squares / (n - 1) / n)};
}

Metrics summarise(std::span<const RankedTarget> targets) {
  for (const RankedTarget& t : targets) check(t);
  Metrics m;
  m.targets = targets.size();
  for (std::size_t i = 0; i < accuracy_cutoffs.size(); ++i)
    m.accuracy[i] = estimate(hits(targets, accuracy_cutoffs[i]));
  m.mrr = estimate(reciprocal_ranks(targets));
  return m;
}

EvaluationResult evaluate(std::span<const RankedTarget> targets) {
  return {summarise(targets), summarise(subset(targets, [](const RankedTarget& t) { return t.revisit; })),
          summarise(subset(targets, [](const RankedTarget& t) { return !t.revisit; }))};
}

}  // namespace chronotope
