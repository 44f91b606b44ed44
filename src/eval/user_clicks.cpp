#include "chronotope/eval/user_clicks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "eval/click_rows.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

using resampling::Unit;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// (user, score key) of the rows of a class, sorted: 64 bits hold no label, so the classes are kept apart.
std::vector<std::uint64_t> rows_by_user(const ClickRows& rows, std::span<const std::uint32_t> users, int label) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < users.size(); ++i) n += clicks::counts(rows, i) && rows.labels[i] == label;
  std::vector<std::uint64_t> result;
  result.reserve(n);
  for (std::size_t i = 0; i < users.size(); ++i)
    if (clicks::counts(rows, i) && rows.labels[i] == label)
      result.push_back(std::uint64_t{users[i]} << 32 | clicks::key_of(rows.scores[i]));
  std::sort(result.begin(), result.end());
  return result;
}

// The rows from the front on that belong to `user`.
std::span<const std::uint64_t> rows_of(std::span<const std::uint64_t> sorted, std::uint32_t user) {
  std::size_t n = 0;
  while (n < sorted.size() && sorted[n] >> 32 == user) ++n;
  return sorted.first(n);
}

// Clicks and others of one user, each sorted: one walk over both.
double auc_of(std::span<const std::uint64_t> clicked, std::span<const std::uint64_t> others) {
  std::uint64_t half_pairs = 0;
  std::size_t below = 0, level = 0;  // others below, and not above, the click
  for (const std::uint64_t c : clicked) {
    while (below < others.size() && others[below] < c) ++below;
    level = std::max(level, below);
    while (level < others.size() && others[level] == c) ++level;
    half_pairs += below + level;
  }
  const double pairs = static_cast<double>(clicked.size()) * static_cast<double>(others.size());
  return pairs > 0 ? static_cast<double>(half_pairs) / (2 * pairs) : undefined;
}

bool used(const UserAuc& u) { return u.clicks > 0 && u.clicks < u.impressions; }

Unit unit_of(const UserAuc& user, double value, const char* what) {
  if (!std::isfinite(value))
    throw DataError(std::string(what) + ": user " + std::to_string(user.user) + " with " + std::to_string(user.clicks) +
                    " clicks in " + std::to_string(user.impressions) + " impressions has no finite AUC");
  const auto weight = static_cast<double>(user.impressions);
  return {weight * value, weight};
}

void check_same_rows(std::span<const UserAuc> first, std::span<const UserAuc> second) {
  if (first.size() != second.size())
    throw DataError("gauc_difference: " + std::to_string(first.size()) + " and " + std::to_string(second.size()) +
                    " users; both models must be measured on the same rows");
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i].user != second[i].user || first[i].impressions != second[i].impressions ||
        first[i].clicks != second[i].clicks)
      throw DataError("gauc_difference: users " + std::to_string(first[i].user) + " and " +
                      std::to_string(second[i].user) + " differ in name, impressions or clicks at position " +
                      std::to_string(i) + "; both models must be measured on the same rows");
}

}  // namespace

std::vector<UserAuc> user_aucs(const ClickRows& rows, std::span<const std::uint32_t> users) {
  clicks::check(rows, "user_aucs");
  clicks::check_length("user_aucs", rows.scores.size(), "users", users.size());
  const auto clicked = rows_by_user(rows, users, 1), others = rows_by_user(rows, users, 0);
  std::vector<UserAuc> result;
  for (std::span<const std::uint64_t> c = clicked, o = others; !c.empty() || !o.empty();) {
    const auto user = static_cast<std::uint32_t>(std::min(c.empty() ? o[0] : c[0], o.empty() ? c[0] : o[0]) >> 32);
    const auto mine = rows_of(c, user), rest = rows_of(o, user);
    result.push_back({user, mine.size() + rest.size(), mine.size(), auc_of(mine, rest)});
    c = c.subspan(mine.size());
    o = o.subspan(rest.size());
  }
  return result;
}

Gauc gauc(std::span<const UserAuc> users) {
  Gauc result;
  double sum = 0;
  for (const UserAuc& u : users) {
    ++(used(u) ? result.users : result.users_left_out);
    (used(u) ? result.impressions : result.impressions_left_out) += u.impressions;
    if (used(u)) sum += static_cast<double>(u.impressions) * u.auc;
  }
  result.value = result.users ? sum / static_cast<double>(result.impressions) : undefined;
  return result;
}

Gauc gauc(const ClickRows& rows, std::span<const std::uint32_t> users) { return gauc(user_aucs(rows, users)); }

double p_value(const MeasuredInterval& d) {
  if (std::isnan(d.standard_error)) return undefined;
  if (d.value == 0) return 1;
  return std::erfc(std::abs(d.value) / d.standard_error / std::sqrt(2.0));
}

MeasuredInterval gauc_interval(std::span<const UserAuc> users, const BootstrapOptions& options) {
  resampling::check(options, "gauc_interval");
  std::vector<Unit> units;
  for (const UserAuc& u : users)
    if (used(u)) units.push_back(unit_of(u, u.auc, "gauc_interval"));
  return resampling::ratio_interval(units, gauc(users).value, options);
}

MeasuredInterval gauc_difference(std::span<const UserAuc> first, std::span<const UserAuc> second,
                                 const BootstrapOptions& options) {
  resampling::check(options, "gauc_difference");
  check_same_rows(first, second);
  std::vector<Unit> units;
  for (std::size_t i = 0; i < first.size(); ++i)
    if (used(first[i])) units.push_back(unit_of(first[i], first[i].auc - second[i].auc, "gauc_difference"));
  return resampling::ratio_interval(units, gauc(first).value - gauc(second).value, options);
}

}  // namespace chronotope
