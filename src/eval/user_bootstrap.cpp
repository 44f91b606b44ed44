// Means over requests, with intervals by user.

#include <cmath>
#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/ranking_metrics.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

void check(std::span<const double> values, std::size_t others, std::span<const std::size_t> users, const char* what) {
  if (values.size() != others || values.size() != users.size())
    throw DataError(std::string(what) + ": " + std::to_string(values.size()) + " and " + std::to_string(others) +
                    " values, " + std::to_string(users.size()) + " users; there must be one of each a request");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isinf(values[i])) throw DataError(std::string(what) + ": the value of request " + std::to_string(i) + " is infinite");
}

/// Over requests with a value.
MeasuredInterval interval_by_user(std::span<const double> values, std::span<const std::size_t> users,
                                  const BootstrapOptions& options) {
  std::vector<double> there;
  std::vector<std::size_t> their_users;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isnan(values[i])) there.push_back(values[i]), their_users.push_back(users[i]);
  return resampling::ratio_interval(resampling::units_of(there, their_users), estimate(there).mean, options);
}

}  // namespace

MeasuredInterval mean_by_user(std::span<const double> values, std::span<const std::size_t> users,
                              const BootstrapOptions& options) {
  resampling::check(options, "mean_by_user");
  check(values, values.size(), users, "mean_by_user");
  return interval_by_user(values, users, options);
}

MeasuredInterval difference_by_user(std::span<const double> first, std::span<const double> second,
                                    std::span<const std::size_t> users, const BootstrapOptions& options) {
  resampling::check(options, "difference_by_user");
  check(first, second.size(), users, "difference_by_user");
  check(second, first.size(), users, "difference_by_user");
  std::vector<double> differences;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (std::isnan(first[i]) != std::isnan(second[i]))
      throw DataError("difference_by_user: only one of the two has a value for request " + std::to_string(i) +
                      "; both must be measured on the same targets");
    differences.push_back(first[i] - second[i]);
  }
  return interval_by_user(differences, users, options);
}

}  // namespace chronotope
