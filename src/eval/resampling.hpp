#pragma once
// What every bootstrap here does: drawing units, and the percentile interval of the resampled values.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/metrics.hpp"
#include "chronotope/eval/user_clicks.hpp"

namespace chronotope::resampling {

/// Throws ConfigError; `what` begins the message.
inline void check(const BootstrapOptions& options, const std::string& what) {
  if (options.resamples == 0 || !(options.level > 0 && options.level < 1))
    throw ConfigError(what + ": " + std::to_string(options.resamples) + " resamples, level " +
                      std::to_string(options.level) + "; at least one resample and a level inside (0, 1) are needed");
}

/// visit(unit) `units` times, each unit drawn uniformly with replacement. Depends on (seed, resample, units) alone.
template <class Visit> void draw(std::size_t units, std::uint64_t seed, std::uint64_t resample, Visit visit) {
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < units; ++i) {
    if (i % 4 == 0) words = philox(seed, resample, i / 4);
    visit(static_cast<std::size_t>((std::uint64_t{words[i % 4]} * units) >> 32));  // word / 2^32 of the way
  }
}

/// Linear between the order statistics next to p (n - 1).
inline double quantile(std::span<const double> sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// `value` with the deviation and the percentiles of `values` [resamples], of which NaNs are left out and counted.
inline MeasuredInterval interval(double value, std::vector<double> values, const BootstrapOptions& options) {
  const std::size_t drawn = values.size();
  std::erase_if(values, [](double v) { return std::isnan(v); });
  MeasuredInterval result{value, NAN, NAN, NAN, drawn - values.size()};
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  const double outside = (1 - options.level) / 2, mean = estimate(values).mean;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  if (values.size() > 1) result.standard_error = std::sqrt(squares / static_cast<double>(values.size() - 1));
  result.low = quantile(values, outside);
  result.high = quantile(values, 1 - outside);
  return result;
}

/// What is drawn as a whole: a user's share, or a single value's, of the two sums whose ratio is the measure.
struct Unit {
  double weighted = 0, weight = 0;
};

/// `values` gathered by group, every value of weight 1; without groups each value is a unit.
inline std::vector<Unit> units_of(std::span<const double> values, std::span<const std::size_t> group) {
  std::vector<Unit> units;
  std::unordered_map<std::size_t, std::size_t> unit_of;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t u = group.empty() ? i : unit_of.try_emplace(group[i], unit_of.size()).first->second;
    if (u == units.size()) units.emplace_back();
    units[u].weighted += values[i];
    units[u].weight += 1;
  }
  return units;
}

/// The ratio of every resample [resamples].
inline std::vector<double> ratios(std::span<const Unit> units, const BootstrapOptions& options) {
  std::vector<double> values(options.resamples);
  for (std::size_t r = 0; r < values.size(); ++r) {
    Unit sum;
    draw(units.size(), options.seed, r, [&](std::size_t u) {
      sum.weighted += units[u].weighted;
      sum.weight += units[u].weight;
    });
    values[r] = sum.weighted / sum.weight;
  }
  return values;
}

/// `value` with the interval of the ratio; NaN throughout without units.
inline MeasuredInterval ratio_interval(std::span<const Unit> units, double value, const BootstrapOptions& options) {
  if (units.empty()) return {NAN, NAN, NAN, NAN, 0};
  return interval(value, ratios(units, options), options);
}

}  // namespace chronotope::resampling
