#include "chronotope/eval/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"
#include "eval/resampling.hpp"

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
  resampling::check(options, "paired_bootstrap");
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
  resampling::draw(units.size(), seed, resample, [&](std::size_t unit) {
    sum.difference += units[unit].difference;
    sum.targets += units[unit].targets;
  });
  return sum.difference / sum.targets;
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
  return {sum / static_cast<double>(first.size()), resampling::quantile(means, outside),
          resampling::quantile(means, 1 - outside)};
}

std::vector<std::size_t> target_users(const CheckinTable& table, Split split) {
  std::vector<std::size_t> users;
  for (const EvalTarget& target : evaluation_targets(table, split)) users.push_back(target.user);
  return users;
}

}  // namespace chronotope
