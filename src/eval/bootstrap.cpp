#include "chronotope/eval/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

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

}  // namespace

PairedDifference paired_bootstrap(std::span<const double> first, std::span<const double> second,
                                  const BootstrapOptions& options, std::span<const std::size_t> group) {
  check(first, second, options, group);
  std::vector<double> differences(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) differences[i] = first[i] - second[i];
  const std::vector<resampling::Unit> units = resampling::units_of(differences, group);
  double sum = 0;
  for (const resampling::Unit& u : units) sum += u.weighted;
  std::vector<double> means = resampling::ratios(units, options);
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
