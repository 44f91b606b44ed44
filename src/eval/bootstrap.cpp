#include "chronotope/eval/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/eval/targets.hpp"

namespace chronotope {
namespace {

// What is drawn as a whole: one target, or all targets of a group.
struct Unit {
  double difference = 0;  // summed over its targets
  double targets = 0;
};

void check(std::span<const double> first, std::span<const double> second, const BootstrapOptions& options,
           std::span<const std::size_t> group) {
  if (first.empty() || first.size() != second.size() || (!group.empty() && group.size() != first.size()))
    throw DataError("paired_bootstrap: " + std::to_string(first.size()) + " and " + std::to_string(second.size()) +
                    " values, " + std::to_string(group.size()) +
                    " groups; the values must pair up, at least one, and groups must be none or one a value");
  if (first.size() > std::numeric_limits<std::uint32_t>::max())
    throw DataError("paired_bootstrap: " + std::to_string(first.size()) + " targets; at most 2^32 - 1 can be drawn");
  for (std::size_t i = 0; i < first.size(); ++i)
    if (!std::isfinite(first[i]) || !std::isfinite(second[i]))
      throw DataError("paired_bootstrap: values of target " + std::to_string(i) + " are not finite");
  if (options.resamples == 0 || !(options.level > 0 && options.level < 1))
    throw ConfigError("paired_bootstrap: " + std::to_string(options.resamples) + " resamples, level " +
                      std::to_string(options.level) + "; at least one resample and a level inside (0, 1) are needed");
}

std::vector<Unit> make_units(std::span<const double> first, std::span<const double> second,
                             std::span<const std::size_t> group) {
  std::vector<Unit> units;
  std::unordered_map<std::size_t, std::size_t> unit_of;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::size_t u = group.empty() ? i : unit_of.try_emplace(group[i], unit_of.size()).first->second;
    if (u == units.size()) units.emplace_back();
    units[u].difference += first[i] - second[i];
    units[u].targets += 1;
  }
  return units;
}

double mean_of_resample(std::span<const Unit> units, std::uint64_t seed, std::uint64_t resample) {
  Unit sum;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (i % 4 == 0) words = philox(seed, resample, i / 4);
    const Unit& drawn = units[(std::uint64_t{words[i % 4]} * units.size()) >> 32];  // word / 2^32 of the way
    sum.difference += drawn.difference;
    sum.targets += drawn.targets;
  }
  return sum.difference / sum.targets;
}

// Linear between the order statistics next to p (n - 1).
double quantile(std::span<const double> sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

PairedDifference paired_bootstrap(std::span<const double> first, std::span<const double> second,
                                  const BootstrapOptions& options, std::span<const std::size_t> group) {
  check(first, second, options, group);
  const std::vector<Unit> units = make_units(first, second, group);
  double sum = 0;
  for (const Unit& u : units) sum += u.difference;
  std::vector<double> means(options.resamples);
  for (std::size_t r = 0; r < means.size(); ++r) means[r] = mean_of_resample(units, options.seed, r);
  std::sort(means.begin(), means.end());
  const double outside = (1 - options.level) / 2;
  return {sum / static_cast<double>(first.size()), quantile(means, outside), quantile(means, 1 - outside)};
}

std::vector<std::size_t> target_users(const CheckinTable& table, Split split) {
  std::vector<std::size_t> users;
  for (const EvalTarget& target : evaluation_targets(table, split)) users.push_back(target.user);
  return users;
}

}  // namespace chronotope
