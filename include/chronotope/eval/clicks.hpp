#pragma once
// Measures of click prediction: AUC, log loss, calibration. Measures by user (GAUC) are in user_clicks.hpp, intervals
// in click_intervals.hpp. All are exact, whatever the number of rows (below 2^32), and give a stated NaN where they are
// not defined, so that a report over many subsets loses no line to a subset of one class.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// Shown items: what a model said and what the user did. Rows outside `subset` are not looked at by any measure.
/// Every measure throws DataError for differing lengths and, among the rows that count, for a label other than 0 and 1
/// and a NaN score.
struct ClickRows {
  std::span<const float> scores;              ///< [rows] the higher, the likelier a click; what unit, each measure says
  std::span<const std::uint8_t> labels;       ///< [rows] 1 for a click, 0 for none
  std::span<const std::uint8_t> subset = {};  ///< [rows] non-zero: the row counts; empty: all count
};

/// [rows] a subset: 1 where from <= behaviours < below. Cold start is the default, (0, 10); the others are (10, none).
/// `behaviours` [rows] are the user's behaviours before the request.
inline constexpr std::uint32_t no_limit = 0xFFFFFFFF;
std::vector<std::uint8_t> rows_with_behaviours(std::span<const std::uint32_t> behaviours, std::uint32_t from = 0,
                                               std::uint32_t below = 10);

/// NaN when a class has no row.
struct Auc {
  double value = 0;
  std::uint64_t clicks = 0, others = 0;  ///< rows that count, by class
};

/// Probability that a click scores above a non-click, equal scores counting one half (Mann and Whitney, "On a test of
/// whether one of two random variables is stochastically larger", 1947). Any real scores; infinite ones are compared
/// like others, -0 equals 0. Pairs are counted in integers: the only rounding is the last division.
/// O(rows) time in three passes, 2 bytes a row and 2 MB beside the input.
Auc auc(const ClickRows& rows);

/// Mean negative log likelihood in nats.
struct LogLoss {
  double mean = 0;               ///< +inf when `impossible` is not 0, NaN without rows
  std::uint64_t rows = 0;        ///< that count
  std::uint64_t impossible = 0;  ///< rows whose label was given a probability of exactly 0: check before using the mean
  double mean_possible = 0;      ///< over the other rows; NaN when there are none
  double base = 0;               ///< the loss of predicting the subset's share of clicks for every row
};

/// Scores are probabilities of a click; nothing is clipped. One of exactly 0 or 1 costs nothing where it is right and
/// infinitely much where it is wrong. O(rows) time, no memory. Throws DataError also for scores outside [0, 1].
LogLoss log_loss_of_probabilities(const ClickRows& rows);

/// Scores are logits, ln(p / (1 - p)). Preferable: f32 probabilities close to 1 are rounded to 1, logits are not.
/// An infinite logit is a probability of 0 or 1. O(rows) time, no memory.
LogLoss log_loss_of_logits(const ClickRows& rows);

/// Rows of similar predictions.
struct CalibrationBin {
  std::uint64_t rows = 0;
  double lowest = 0, highest = 0;  ///< predictions in the bin
  double predicted = 0;            ///< mean prediction
  double observed = 0;             ///< share of clicks
};

/// Without rows everything is NaN and there are no bins.
struct Calibration {
  std::uint64_t rows = 0;
  double predicted = 0, observed = 0;  ///< means over the rows that count
  double ratio = 0;                    ///< predicted / observed, 1 at best; NaN without clicks
  double expected_error = 0;           ///< sum over bins of rows' share x |predicted - observed|
  std::vector<CalibrationBin> bins;    ///< by rising prediction, none empty
};

/// Compares probabilities with what happened, in `bins` bins of equal counts (Nguyen and O'Connor, "Posterior
/// calibration and exploratory analysis for natural language processing models", EMNLP 2015). Equal predictions are
/// never separated: a bin ends at the first change of prediction at or after its share, so bins may be larger, and
/// fewer. The expected error of a perfectly calibrated model is not 0 but about sqrt(2 bins o (1 - o) / (pi rows)) with
/// o the share of clicks, or less: compare with that. Time and memory as auc. Throws DataError also for scores outside
/// [0, 1], ConfigError for no bins.
Calibration calibration(const ClickRows& rows, std::size_t bins = 10);

}  // namespace chronotope
