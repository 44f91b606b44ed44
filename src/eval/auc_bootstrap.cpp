#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "eval/click_rows.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// A row by rising score in one word: the unit it is drawn with, its label, and whether its score is that of the row
// before.
constexpr std::uint32_t level_bit = 1, label_bit = 2;
constexpr int unit_shift = 2;
constexpr std::size_t most_units = std::size_t{1} << 30;

using Units = std::unordered_map<std::uint32_t, std::uint32_t>;

Units units_of(const ClickRows& rows, std::span<const std::uint32_t> users, const char* measure) {
  Units units;
  for (std::size_t i = 0; i < users.size(); ++i)
    if (clicks::counts(rows, i)) units.try_emplace(users[i], static_cast<std::uint32_t>(units.size()));
  if (units.size() > most_units)
    throw DataError(std::string(measure) + ": " + std::to_string(units.size()) + " users; at most 2^30 can be drawn");
  return units;
}

std::vector<std::uint32_t> ordered_rows(const ClickRows& rows, std::span<const std::uint32_t> users,
                                        const Units& units) {
  const std::vector<std::uint64_t> order = clicks::rows_by_score(rows);
  std::vector<std::uint32_t> result(order.size());
  for (std::size_t at = 0; at < order.size(); ++at) {
    const auto row = static_cast<std::uint32_t>(order[at]);
    result[at] = units.at(users[row]) << unit_shift | (rows.labels[row] ? label_bit : 0) |
                 (at > 0 && order[at - 1] >> 32 == order[at] >> 32 ? level_bit : 0);
  }
  return result;
}

// The AUC with every row counted as often as its unit was drawn.
double auc_of(std::span<const std::uint32_t> ordered, std::span<const std::uint32_t> times) {
  std::uint64_t half_pairs = 0, clicked = 0, others = 0, level_clicked = 0, level_others = 0;
  const auto close = [&] {
    half_pairs += level_clicked * (2 * others + level_others);
    clicked += level_clicked;
    others += level_others;
    level_clicked = level_others = 0;
  };
  for (const std::uint32_t row : ordered) {
    if (!(row & level_bit)) close();
    (row & label_bit ? level_clicked : level_others) += times[row >> unit_shift];
  }
  close();
  const double pairs = static_cast<double>(clicked) * static_cast<double>(others);
  return pairs > 0 ? static_cast<double>(half_pairs) / (2 * pairs) : undefined;
}

void check(const ClickRows& rows, std::span<const std::uint32_t> users, const BootstrapOptions& options,
           const char* measure) {
  resampling::check(options, measure);
  clicks::check(rows, measure);
  clicks::check_length(measure, rows.scores.size(), "users", users.size());
}

// value(times) of every resample, `times` [units] saying how often each was drawn.
template <class Value>
MeasuredInterval resample(std::size_t units, double whole, const BootstrapOptions& options, Value value) {
  if (std::isnan(whole)) return {undefined, undefined, undefined, undefined, 0};
  std::vector<double> values(options.resamples);
  std::vector<std::uint32_t> times;
  for (std::size_t r = 0; r < values.size(); ++r) {
    times.assign(units, 0);
    resampling::draw(units, options.seed, r, [&](std::size_t u) { ++times[u]; });
    values[r] = value(times);
  }
  return resampling::interval(whole, std::move(values), options);
}

}  // namespace

MeasuredInterval auc_bootstrap(const ClickRows& rows, std::span<const std::uint32_t> users,
                               const BootstrapOptions& options) {
  check(rows, users, options, "auc_bootstrap");
  const Units units = units_of(rows, users, "auc_bootstrap");
  const auto ordered = ordered_rows(rows, users, units);
  return resample(units.size(), auc(rows).value, options,
                  [&](std::span<const std::uint32_t> times) { return auc_of(ordered, times); });
}

MeasuredInterval auc_difference_bootstrap(const ClickRows& rows, std::span<const float> second,
                                          std::span<const std::uint32_t> users, const BootstrapOptions& options) {
  const ClickRows other{second, rows.labels, rows.subset};
  check(rows, users, options, "auc_difference_bootstrap");
  check(other, users, options, "auc_difference_bootstrap");
  const Units units = units_of(rows, users, "auc_difference_bootstrap");
  const auto a = ordered_rows(rows, users, units), b = ordered_rows(other, users, units);
  return resample(units.size(), auc(rows).value - auc(other).value, options,
                  [&](std::span<const std::uint32_t> times) { return auc_of(a, times) - auc_of(b, times); });
}

}  // namespace chronotope
