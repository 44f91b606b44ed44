#pragma once
// chronotope evaluate, for models of actions: generated places, or scores of candidates, beside counting predictors.

#include <span>
#include <string>
#include <vector>

#include "chronotope/eval/result_table.hpp"
#include "cli/action_commands.hpp"

namespace chronotope::cli {

struct ActionEvaluation {
  std::vector<std::string> names;          ///< of the checkpoints
  std::string data, requests, truth, index;
  bool validation = false;                 ///< the validation split instead of test
  std::int64_t targets = 2000;             ///< how many are drawn; 0: all
};

/// Pre-trained and aligned models: hr@1, hr@10, hr@100, MRR of the places they generate on targets of the split.
ResultTable evaluate_places(const ActionEvaluation& options, std::span<const Checkpoint> checkpoints, const Device& device);

/// Models that were fine-tuned on requests: AUC, GAUC, NDCG of the split's candidates.
ResultTable evaluate_requests(const ActionEvaluation& options, std::span<const Checkpoint> checkpoints, const Device& device);

}  // namespace chronotope::cli
