#include "eval/measured_clicks.hpp"

#include <cmath>

#include "chronotope/eval/click_intervals.hpp"
#include "eval/text_table.hpp"

namespace chronotope::clicks {
namespace {

using text_table::fixed;
using text_table::with_sign;

Json tested_json(const MeasuredInterval& interval) {
  Json json = interval_json(interval);
  json["p"] = p_value(interval);
  return json;
}

bool bounded(const MeasuredInterval& interval) { return std::isfinite(interval.low) && std::isfinite(interval.high); }

}  // namespace

Measured measure(const ClickRows& rows, std::span<const std::uint32_t> users, const BootstrapOptions& options) {
  Measured result{rows, auc_delong(rows, options.level, users), {}, user_aucs(rows, users)};
  result.gauc = gauc_interval(result.users, options);
  return result;
}

ClickDifference difference(const Measured& first, const Measured& second, std::span<const std::uint32_t> users,
                           const BootstrapOptions& options) {
  return {auc_difference_delong(first.rows, second.rows.scores, options.level, users),
          gauc_difference(first.users, second.users, options)};
}

Json interval_json(const MeasuredInterval& i) {
  return {{"value", i.value}, {"standard_error", i.standard_error}, {"interval", Json::array({i.low, i.high})}};
}

Json difference_json(const ClickDifference& d) {
  return {{"auc", tested_json(d.auc)}, {"gauc", tested_json(d.gauc)}};
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string bounds(const MeasuredInterval& i) { return bounded(i) ? fixed(i.low) + " to " + fixed(i.high) : "-"; }

std::string signed_bounds(const MeasuredInterval& i) {
  return bounded(i) ? with_sign(i.low) + " to " + with_sign(i.high) : "-";
}

std::string percent(double level) {
  const double whole = std::round(100 * level);
  return fixed(100 * level, std::abs(100 * level - whole) < 1e-9 ? 0 : 1) + " %";
}

}  // namespace chronotope::clicks
