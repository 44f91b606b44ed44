#pragma once
// Intervals of AUC over all rows, and of the difference of two models' AUCs on the same rows.
//
// Which to take: rows of one user share what the user is like, so they say less than as many independent rows. DeLong
// over rows is then too narrow, up to the square root of the rows a user has; it is right where every user has one row.
// With `users` it adds up each user's rows first and costs little more: the one to take for logs. The bootstrap does
// without the normal distribution, of use with few users or an AUC near 1, and walks all rows once for every resample.

#include <cstdint>
#include <span>

#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {

/// AUC with the normal interval of DeLong et al., "Comparing the areas under two or more correlated receiver operating
/// characteristic curves: a nonparametric approach", Biometrics 1988, by ranks in O(rows log rows) (Sun and Xu, "Fast
/// implementation of DeLong's algorithm", IEEE Signal Processing Letters 2014); 16 bytes a row. With `users` [rows],
/// the variance of Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 1997. NaN: everything
/// when a class has no row; error and bounds when a class has one row only (with `users`: rows of one user only). An
/// error of 0 (perfect order) is what the formula gives, not certainty. Throws DataError as ClickRows says, ConfigError
/// for a level outside (0, 1).
MeasuredInterval auc_delong(const ClickRows& rows, double level = 0.95, std::span<const std::uint32_t> users = {});

/// AUC of `rows` minus the AUC of the scores `second` [rows] of another model; the variance takes in that both are of
/// the same rows. Memory and the rest as auc_delong.
MeasuredInterval auc_difference_delong(const ClickRows& rows, std::span<const float> second, double level = 0.95,
                                       std::span<const std::uint32_t> users = {});

/// AUC with the percentile interval of a bootstrap over users [rows]: whole users are drawn, from those with rows that
/// count. A user may have one class or both. Everything is NaN when a class has no row; resamples that lack a class are
/// left out and counted. O(rows log rows + resamples x rows) time, 12 bytes a row.
/// Throws as auc_delong and ConfigError for options out of range.
MeasuredInterval auc_bootstrap(const ClickRows& rows, std::span<const std::uint32_t> users,
                               const BootstrapOptions& options = {});

/// The same for a difference: both models are measured on the same users drawn. 16 bytes a row.
MeasuredInterval auc_difference_bootstrap(const ClickRows& rows, std::span<const float> second,
                                          std::span<const std::uint32_t> users, const BootstrapOptions& options = {});

}  // namespace chronotope
