#pragma once
// What reports over predictors of clicks share: measuring one, comparing two, and how numbers are written.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/eval/click_results.hpp"

namespace chronotope::clicks {

/// One predictor on one subset, with what comparisons need of it. Views of the rows.
struct Measured {
  ClickRows rows;
  MeasuredInterval auc, gauc;
  std::vector<UserAuc> users;
};

/// Throws as auc_delong and gauc_interval.
Measured measure(const ClickRows& rows, std::span<const std::uint32_t> users, const BootstrapOptions& options);

/// `first` minus `second`, both on the rows of `users` and the same subset.
ClickDifference difference(const Measured& first, const Measured& second, std::span<const std::uint32_t> users,
                           const BootstrapOptions& options);

using Json = nlohmann::ordered_json;

/// {"value", "standard_error", "interval"}; a library's NaN and infinity are null.
Json interval_json(const MeasuredInterval& interval);
/// {"auc", "gauc"} of two intervals with "p".
Json difference_json(const ClickDifference& difference);
/// With blanks, a line at the end, and any bytes that are not UTF-8 replaced.
std::string json_text(const Json& json);

/// "0.9459 to 0.9501", with signs for differences; "-" where there is none.
std::string bounds(const MeasuredInterval& interval);
std::string signed_bounds(const MeasuredInterval& interval);

/// "95 %"
std::string percent(double level);

}  // namespace chronotope::clicks
