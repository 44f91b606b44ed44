#pragma once
// One evaluation as a table for people and as JSON for programs: the model, if any, always beside the counters.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/checkins.hpp"
#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/counters.hpp"
#include "chronotope/eval/metrics.hpp"

namespace chronotope {

/// The ranks of a model, each [targets] in the order of evaluation_targets.
struct ModelRanks {
  std::string name;
  std::optional<std::vector<RankedTarget>> with_time;     ///< the target's time was an input
  std::optional<std::vector<RankedTarget>> without_time;  ///< nothing of the target was
};

/// A model against the best counter (acc@1 on these very targets) whose inputs it has too: with the time, any counter;
/// without it, those that do not see it. Ties are shared out on both sides.
struct CounterComparison {
  std::string against;          ///< name of the counter
  double model = 0;             ///< acc@1
  double counter = 0;           ///< acc@1, CounterResult::shared
  PairedDifference difference;  ///< acc@1, model minus counter
};

struct ComparedModel {
  EvaluationResult result;
  CounterComparison comparison;
};

struct EvaluationReport {
  Split split = Split::test;
  std::size_t targets = 0;
  std::string model;  ///< name, empty without a model
  std::optional<ComparedModel> with_time;
  std::optional<ComparedModel> without_time;
  std::vector<CounterResult> counters;
};

/// Puts results together and compares. `group` as in paired_bootstrap (target_users, to resample users).
/// Throws DataError without counters, with a model without ranks, or where the numbers of targets differ or their
/// `revisit` flags contradict the counters', which means that other targets, or another order, were ranked.
EvaluationReport make_report(Split split, std::vector<CounterResult> counters,
                             const std::optional<ModelRanks>& model = std::nullopt,
                             const BootstrapOptions& options = {}, std::span<const std::size_t> group = {});

/// A table of aligned columns, then in words how the model fares against the counters that see the same inputs.
std::string format_report(const EvaluationReport& report);

/// {"split", "targets", "model": {"name", "with_time": M, "without_time": M} or null, "counters": {NAME: M},
/// "paired": C} with M = {"targets", "acc@1", "acc@5", "acc@10", "acc@20", "mrr", each also with suffix "_se",
/// "revisit": {the same}, "new": {the same}} or null, for counters (CounterResult::result) also
/// "acc@1_ties_shared", "sees_time" and "weights", and C = {"against", "acc@1_difference",
/// "interval": [low, high]} or null. "paired" is about the model with the time where there is one, else without; where
/// there are both, "paired_without_time" is about the other. Undefined numbers (no targets) are null.
std::string report_json(const EvaluationReport& report);

}  // namespace chronotope
