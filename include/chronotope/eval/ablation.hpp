#pragma once
// One table of variants of a model: what each switch earns, with paired intervals.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chronotope/eval/click_results.hpp"

namespace chronotope {

/// A variant with its scores, or with what went wrong.
struct AblationRow {
  std::string name;
  std::string group;           ///< "curve", "Rinit", "N1 to N4", "baseline"…; rows of one group are shown together
  std::vector<float> scores;   ///< [rows] any real numbers, the higher, the likelier a click
  std::string error = {};      ///< not empty: the variant failed, the scores do not matter
};

struct ScoredAblation {
  std::string task;  ///< "ctr", "ctcvr"
  Split split = Split::test;
  bool semi_synthetic = false;
  std::vector<std::uint8_t> labels;  ///< [rows] 0 or 1
  std::vector<std::uint32_t> users;  ///< [rows] any numbers
  std::string reference;             ///< name of the row the others are compared with
  std::vector<AblationRow> rows;     ///< names differ
};

struct AblationResult {
  std::string name, group;
  std::string error;                          ///< not empty: everything below is NaN and absent
  MeasuredInterval auc, gauc;                 ///< DeLong by users, bootstrap over users
  std::optional<ClickDifference> difference;  ///< this minus the reference; none for it, and where one of both failed
};

struct AblationTable {
  std::string task, reference;
  Split split = Split::test;
  bool semi_synthetic = false;
  double level = 0.95;
  std::uint64_t rows = 0, clicks = 0;
  std::uint64_t users = 0, users_left_out = 0;  ///< in GAUC; left out for having one class only. 0 where all rows failed
  std::vector<AblationResult> results;          ///< the reference first, then by group in the order of first appearance
};

/// A row whose scores cannot be measured (their number, a NaN) becomes a failed one with that error; the others are not
/// touched by it. Time and memory as make_click_report. Throws DataError where labels and users contradict each other, a
/// label is not 0 or 1, a name stands twice or the reference is not among the rows; ConfigError for options out of range.
AblationTable make_ablation(const ScoredAblation& scored, const BootstrapOptions& options = report_bootstrap);

/// A table of aligned columns, then the errors, and how many of so many differences chance alone would show.
std::string format_ablation(const AblationTable& table);

/// {"task", "split", "semi_synthetic", "level", "reference", "rows", "clicks", "users", "users_left_out",
/// "results": [{"name", "group", "error": text or null, "auc": I, "gauc": I, "minus_reference": D or null}]} with I and D
/// as in click_report_json. Undefined numbers are null.
std::string ablation_json(const AblationTable& table);

}  // namespace chronotope
