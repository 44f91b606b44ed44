#pragma once
// Accuracy and reciprocal rank of single targets, and their means with standard errors.
// Equal scores are not resolved in anyone's favour (but see ties_won): the rank of a target is uniformly distributed
// over the ranks it shares with others, and every measure is the exact expectation over that distribution.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// Where a target stands among the candidates. An infinite `greater` is a target that cannot be reached at all
/// (its place is no candidate): a miss in every measure.
struct RankedTarget {
  double greater = 0;    ///< candidates with a higher score; a finite value may be fractional
  double ties = 0;       ///< other candidates with exactly the target's score
  bool revisit = false;  ///< the user was at the place before
};

/// Counts the candidates above and level with place `target` in `scores` [places].
/// `candidate` [places], non-zero for a candidate, restricts the comparison; empty means all places. -inf is a valid
/// score. `revisit` is left false. O(places). Throws DataError for a NaN among the compared scores, a target outside
/// the vector or a mask of another length.
RankedTarget rank_scores(std::span<const float> scores, std::size_t target,
                         std::span<const std::uint8_t> candidate = {});
RankedTarget rank_scores(std::span<const double> scores, std::size_t target,
                         std::span<const std::uint8_t> candidate = {});

/// Probability that the target is among the best `k`.
double hit(const RankedTarget& target, std::size_t k);

/// Expectation of 1 / rank, (H(greater + ties + 1) - H(greater)) / (ties + 1) with the harmonic numbers H, to 1e-12.
double reciprocal_rank(const RankedTarget& target);

/// The same targets with every tie resolved for them: rank 1 + greater.
std::vector<RankedTarget> ties_won(std::span<const RankedTarget> targets);

/// hit and reciprocal_rank of every target, for the paired bootstrap.
std::vector<double> hits(std::span<const RankedTarget> targets, std::size_t k);
std::vector<double> reciprocal_ranks(std::span<const RankedTarget> targets);

/// Mean over targets and its standard error, the sample deviation (n - 1) over sqrt(n).
/// NaN where it is not defined: the mean of no target, the error of fewer than two.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
};
Estimate estimate(std::span<const double> values);

inline constexpr std::array<std::size_t, 4> accuracy_cutoffs{1, 5, 10, 20};

struct Metrics {
  std::size_t targets = 0;
  std::array<Estimate, accuracy_cutoffs.size()> accuracy;  ///< acc@1, acc@5, acc@10, acc@20
  Estimate mrr;
};

/// Metrics over all targets and over the two kinds, which are different problems: returning and discovering.
struct EvaluationResult {
  Metrics all;
  Metrics revisit;    ///< the user was at the place before
  Metrics discovery;  ///< the place is new to the user
};

/// Throws DataError when a rank is NaN or negative.
Metrics summarise(std::span<const RankedTarget> targets);
EvaluationResult evaluate(std::span<const RankedTarget> targets);

}  // namespace chronotope
