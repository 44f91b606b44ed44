#pragma once
// Paired bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: percentile intervals):
// both predictors are scored on the same resampled targets, so what makes a target easy or hard cancels.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

struct BootstrapOptions {
  std::size_t resamples = 10000;
  double level = 0.95;     ///< coverage of the interval, inside (0, 1)
  std::uint64_t seed = 1;  ///< the interval is a function of the values, the options and nothing else
};

/// A difference of means, first minus second, and the percentile interval around it.
struct PairedDifference {
  double difference = 0;
  double low = 0;
  double high = 0;
};

/// Interval of mean(first) - mean(second), both [targets] (hits or reciprocal ranks). Targets are resampled one by one;
/// with `group` [targets], any numbers, all targets of a group are drawn together, as a user's targets are not
/// independent of one another. O(resamples x units) time, O(resamples + units) memory.
/// Throws DataError for no targets, differing lengths or NaN; ConfigError for options out of range.
PairedDifference paired_bootstrap(std::span<const double> first, std::span<const double> second,
                                  const BootstrapOptions& options = {}, std::span<const std::size_t> group = {});

/// [targets] the user of every target of `split`: groups for paired_bootstrap.
std::vector<std::size_t> target_users(const CheckinTable& table, Split split);

}  // namespace chronotope
