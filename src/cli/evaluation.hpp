#pragma once
// One evaluation from the command line's point of view: ranks, counters, report page.

#include <optional>
#include <string>
#include <vector>

#include "chronotope/eval/results.hpp"
#include "chronotope/eval/targets.hpp"
#include "chronotope/report/report.hpp"
#include "chronotope/train/checkpoint.hpp"
#include "cli/device.hpp"

namespace chronotope::cli {

/// Ranks the split's targets under each checkpoint (at most one trained with the target's time and one without) and puts
/// them beside the counters. Throws ConfigError when two checkpoints see the same inputs.
EvaluationReport evaluate_checkpoints(const std::vector<Checkpoint>& checkpoints, const CheckinTable& table, Split split, const Device& device);

/// "Spacetime-GR", "Spacetime-GR + history pointer", …
std::string model_name(const ModelConfig& config);
/// The same for a model of actions.
std::string action_model_name(const Config& config);

/// The page of a checkpoint: curves from its log, the evaluation, one user's map. `source` names the data in words.
ReportContent report_content(const std::string& folder, const CheckinTable& table, Split split, const EvaluationReport& evaluation,
                             const Device& device, const std::string& source);

}  // namespace chronotope::cli
