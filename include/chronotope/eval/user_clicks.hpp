#pragma once
// Measures of click prediction inside users: how well a model orders what one user was shown.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/clicks.hpp"

namespace chronotope {

/// One user's rows that count.
struct UserAuc {
  std::uint32_t user = 0;
  std::uint64_t impressions = 0, clicks = 0;
  double auc = 0;  ///< NaN when all were clicked, or none
};

/// The AUC of every user that has a row that counts, by rising user. `users` [rows] are any numbers, in any order.
/// O(rows log rows) time, 8 bytes a row beside input and result. Throws DataError as ClickRows says.
std::vector<UserAuc> user_aucs(const ClickRows& rows, std::span<const std::uint32_t> users);

/// The mean of the users' AUCs, weighted by impressions (Zhou et al., "Deep interest network for click-through rate
/// prediction", KDD 2018). Users of a single class have no AUC: they are left out, and counted.
struct Gauc {
  double value = 0;                          ///< NaN when every user is left out
  std::uint64_t users = 0, impressions = 0;  ///< used
  std::uint64_t users_left_out = 0, impressions_left_out = 0;
};
Gauc gauc(std::span<const UserAuc> users);

/// The same in one call. Time, memory and errors as user_aucs.
Gauc gauc(const ClickRows& rows, std::span<const std::uint32_t> users);

/// A measure, or a difference of two models' measures, with what is known of its error.
struct MeasuredInterval {
  double value = 0;
  double standard_error = 0;  ///< of DeLong, or the deviation (n - 1) of the resamples
  double low = 0, high = 0;   ///< normal for DeLong, cut to [0, 1] for a single AUC; percentiles for a bootstrap
  std::size_t undefined = 0;  ///< resamples without a value (all of one class), which were left out; 0 for DeLong
};

/// Two-sided p of `difference.value` being 0 at heart, by its standard error and the normal distribution. 1 for a
/// difference of 0, 0 for another with no error, NaN where there is no standard error.
double p_value(const MeasuredInterval& difference);

/// Bootstrap over users: whole users are drawn, as the rows of one are not independent of one another. Only users with
/// an AUC are drawn, so that every resample has as many of them as the data. Everything is NaN when there are none.
/// O(resamples x users) time, O(resamples + users) memory. Throws DataError for a NaN AUC of a user with both classes,
/// ConfigError for options out of range.
MeasuredInterval gauc_interval(std::span<const UserAuc> users, const BootstrapOptions& options = {});

/// GAUC of `first` minus that of `second`, two models on the same rows: users are drawn for both at once.
/// Throws also DataError where users, impressions or clicks differ: then the rows were not the same.
MeasuredInterval gauc_difference(std::span<const UserAuc> first, std::span<const UserAuc> second,
                                 const BootstrapOptions& options = {});

}  // namespace chronotope
