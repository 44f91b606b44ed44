#include "chronotope/eval/click_intervals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "chronotope/core/error.hpp"
#include "eval/click_rows.hpp"

namespace chronotope {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// Adds sign x (placement - AUC) to components [rows]. The placement of a click is the share of others below it, that of
// another row the share of clicks above it, level ones counting half; both classes' placements have the AUC as mean.
void add_placements(const ClickRows& rows, const Auc& whole, double sign, std::vector<double>& components) {
  const std::vector<std::uint64_t> order = clicks::rows_by_score(rows);
  const auto label = [&](std::size_t at) { return rows.labels[static_cast<std::uint32_t>(order[at])]; };
  const auto p = static_cast<double>(whole.clicks), n = static_cast<double>(whole.others);
  double clicks_below = 0, others_below = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double level[2]{};
    for (end = begin; end < order.size() && order[end] >> 32 == order[begin] >> 32; ++end) level[label(end)] += 1;
    const double click = (others_below + level[0] / 2) / n, other = (p - clicks_below - level[1] / 2) / p;
    for (std::size_t at = begin; at < end; ++at)
      components[static_cast<std::uint32_t>(order[at])] += sign * ((label(at) ? click : other) - whole.value);
    clicks_below += level[1];
    others_below += level[0];
  }
}

// Sums over clusters, which are users or single rows: squares of the two classes' sums, and their product.
struct ClusterSums {
  double squares[2]{}, product = 0;
  double clusters[2]{}, all = 0;

  void add(double others, bool has_others, double clicks, bool has_clicks) {
    squares[0] += others * others;
    squares[1] += clicks * clicks;
    product += others * clicks;
    clusters[0] += has_others;
    clusters[1] += has_clicks;
    all += 1;
  }
  // Obuchowski's variance; DeLong's where clusters are rows.
  double variance(const Auc& whole) const {
    if (clusters[0] < 2 || clusters[1] < 2) return undefined;
    const auto p = static_cast<double>(whole.clicks), n = static_cast<double>(whole.others);
    return squares[1] * clusters[1] / (clusters[1] - 1) / (p * p) +
           squares[0] * clusters[0] / (clusters[0] - 1) / (n * n) + 2 * product * all / (all - 1) / (p * n);
  }
};

ClusterSums sums_by_row(const ClickRows& rows, const std::vector<double>& components) {
  ClusterSums sums;
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (!clicks::counts(rows, i)) continue;
    if (rows.labels[i]) sums.add(0, false, components[i], true);
    else sums.add(components[i], true, 0, false);
  }
  return sums;
}

ClusterSums sums_by_user(const ClickRows& rows, const std::vector<double>& components,
                         std::span<const std::uint32_t> users) {
  struct User {
    double sum[2]{};
    bool has[2]{};
  };
  std::unordered_map<std::uint32_t, std::size_t> index;
  std::vector<User> all;  // by first row: the order of the sums, and so their rounding, is that of the rows
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (!clicks::counts(rows, i)) continue;
    const std::size_t u = index.try_emplace(users[i], all.size()).first->second;
    if (u == all.size()) all.emplace_back();
    all[u].sum[rows.labels[i]] += components[i];
    all[u].has[rows.labels[i]] = true;
  }
  ClusterSums sums;
  for (const User& u : all) sums.add(u.sum[0], u.has[0], u.sum[1], u.has[1]);
  return sums;
}

// z with P(|N(0, 1)| < z) = level, by bisection: erf is monotone, and 60 halvings exhaust a double.
double normal_half_width(double level) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < level ? low : high) = middle;
  }
  return low;
}

void check(const ClickRows& rows, const char* measure, double level, std::span<const std::uint32_t> users) {
  if (!(level > 0 && level < 1))
    throw ConfigError(std::string(measure) + ": level " + std::to_string(level) + "; it must be inside (0, 1)");
  clicks::check(rows, measure);
  if (!users.empty()) clicks::check_length(measure, rows.scores.size(), "users", users.size());
}

MeasuredInterval normal_interval(double value, const ClusterSums& sums, const Auc& whole, double level) {
  // Nothing but rounding can make the variance of clusters negative.
  const double error = std::sqrt(std::max(sums.variance(whole), 0.0)), half = normal_half_width(level) * error;
  return {value, error, value - half, value + half, 0};
}

}  // namespace

MeasuredInterval auc_delong(const ClickRows& rows, double level, std::span<const std::uint32_t> users) {
  check(rows, "auc_delong", level, users);
  const Auc whole = auc(rows);
  if (std::isnan(whole.value)) return {undefined, undefined, undefined, undefined, 0};
  std::vector<double> components(rows.scores.size());
  add_placements(rows, whole, 1, components);
  const ClusterSums sums = users.empty() ? sums_by_row(rows, components) : sums_by_user(rows, components, users);
  MeasuredInterval result = normal_interval(whole.value, sums, whole, level);
  if (result.low < 0) result.low = 0;  // comparisons, as NaN must stay
  if (result.high > 1) result.high = 1;
  return result;
}

MeasuredInterval auc_difference_delong(const ClickRows& rows, std::span<const float> second, double level,
                                       std::span<const std::uint32_t> users) {
  const ClickRows other{second, rows.labels, rows.subset};
  check(rows, "auc_difference_delong", level, users);
  check(other, "auc_difference_delong", level, users);
  const Auc a = auc(rows), b = auc(other);
  if (std::isnan(a.value)) return {undefined, undefined, undefined, undefined, 0};
  std::vector<double> components(rows.scores.size());
  add_placements(rows, a, 1, components);
  add_placements(other, b, -1, components);
  const ClusterSums sums = users.empty() ? sums_by_row(rows, components) : sums_by_user(rows, components, users);
  return normal_interval(a.value - b.value, sums, a, level);
}

}  // namespace chronotope
