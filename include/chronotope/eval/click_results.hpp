#pragma once
// One evaluation of click models as a table for people and as JSON for programs: models beside counting predictors and,
// where the truth is known, beside the best possible.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/data/checkins.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {

enum class PredictorKind : std::uint8_t {
  model,
  counter,       ///< only counts (eval/click_counters.hpp)
  best_possible  ///< the truth itself
};

/// "model", "counter" or "best_possible".
std::string_view predictor_kind_name(PredictorKind kind);

/// What one predictor says of every row.
struct ClickScores {
  std::string name;
  std::vector<float> scores;   ///< [rows]
  bool probabilities = false;  ///< of a click; else logits, ln(p / (1 - p))
  PredictorKind kind = PredictorKind::model;
};

/// The true probabilities [rows] of a generated log as a predictor called "best possible".
ClickScores best_possible(std::span<const double> truth);

/// What is predicted: clicks ("ctr"), clicks that led to a conversion ("ctcvr").
struct ScoredTask {
  std::string name;
  std::vector<std::uint8_t> labels;     ///< [rows] 0 or 1
  std::vector<ClickScores> predictors;  ///< names differ; the first is the one the others are compared with
};

struct ScoredClicks {
  Split split = Split::test;
  bool semi_synthetic = false;            ///< ClickLog::semi_synthetic: every table and sentence then says so
  std::vector<std::uint32_t> users;       ///< [rows] any numbers
  std::vector<std::uint32_t> behaviours;  ///< [rows] of the user before the request
  std::vector<ScoredTask> tasks;
};

/// Of two predictors on the same rows: AUC with DeLong's interval by users, GAUC with the bootstrap over users.
struct ClickDifference {
  MeasuredInterval auc, gauc;
};

struct PredictorResult {
  std::string name;
  PredictorKind kind = PredictorKind::model;
  MeasuredInterval auc, gauc;  ///< as in ClickDifference
  LogLoss log_loss;
  Calibration calibration;
  std::optional<ClickDifference> difference;  ///< this minus the reference; none for the reference
  std::optional<ClickDifference> gap;         ///< best possible minus this; none where the truth is not known
};

/// A subset of the rows, everything NaN where it is not defined (no rows, one class).
struct ClickSubset {
  std::string name;  ///< "all", "cold start" (fewer than 10 behaviours), "others"
  std::uint64_t rows = 0, clicks = 0;
  std::uint64_t users = 0, users_left_out = 0;  ///< in GAUC; left out for having one class only
  std::vector<PredictorResult> predictors;      ///< the reference first
};

struct ClickTaskResult {
  std::string name;
  std::vector<ClickSubset> subsets;  ///< all, cold start, others
};

struct ClickReport {
  Split split = Split::test;
  bool semi_synthetic = false;
  double level = 0.95;  ///< coverage of all intervals
  std::vector<ClickTaskResult> tasks;
};

/// The resamples of a report: enough for two digits of a bound, at a fifth of the usual time.
inline constexpr BootstrapOptions report_bootstrap{.resamples = 2000};

/// Measures every predictor on every subset. O(predictors x (rows log rows + resamples x users)) time a task, 20 bytes a
/// row and 32 bytes a user and predictor beside the input. Throws DataError, naming task and predictor, for lengths that differ, labels other than 0 and 1,
/// NaN scores, probabilities outside [0, 1], a name that stands twice, a task without predictors or no task;
/// ConfigError for options out of range.
ClickReport make_click_report(const ScoredClicks& scored, const BootstrapOptions& options = report_bootstrap);

/// How the reference stands against another predictor in one measure, by a difference as in PredictorResult.
enum class Standing : std::uint8_t {
  beats,    ///< higher, and the interval says so
  ahead,    ///< higher, by no more than chance may explain
  level,    ///< equal to the last digit
  behind,   ///< lower, by no more than chance may explain
  beaten,   ///< lower, and the interval says so
  undefined
};
Standing standing_of_reference(const MeasuredInterval& other_minus_reference);

/// Tables of aligned columns, a task and a subset each, then in words what the reference beats and what it does not.
std::string format_click_report(const ClickReport& report);

/// {"split", "semi_synthetic", "level", "tasks": {TASK: {"reference": NAME, "subsets": {SUBSET: S}}}}
/// with SUBSET "all", "cold start" and "others",
/// S = {"rows", "clicks", "users", "users_left_out", "predictors": {NAME: P}},
/// P = {"kind": "model", "counter" or "best_possible", "auc": I, "gauc": I, "log_loss", "log_loss_impossible" (rows whose
/// label had a probability of 0), "log_loss_possible" (mean over the others), "log_loss_base", "calibration": C,
/// "minus_reference": D or null, "below_best_possible": D or null},
/// C = {"ratio", "expected_error", "bins": [{"rows", "predicted", "observed"}]}, D = {"auc": I with "p", "gauc": I with
/// "p"} and I = {"value", "standard_error", "interval": [low, high]}. Numbers that are undefined or infinite are null.
std::string click_report_json(const ClickReport& report);

}  // namespace chronotope
