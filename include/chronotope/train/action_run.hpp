#pragma once
// Spacetime-GR on action logs from a config: training in a folder, and what was trained.

#include <string>

#include "chronotope/train/action_ranking.hpp"
#include "chronotope/train/run.hpp"

namespace chronotope {

/// Pre-trains on a log over the index that the config names; best is the epoch with the highest hr@1 + MRR / 2 on validation
/// targets. Rules, files and options as train_checkins. Throws too when the index cannot be opened.
TrainingState train_actions(Context<any_backend>& context, const ActionSource& log, const Config& config, const std::string& folder,
                            const RunOptions& options, const RunObserver& observer = {});

/// Sets rates, warm-up and epochs to the paper's for a stage that follows pre-training (Spacetime-GR, 4.1.2): "embed", "rank" or "align".
void use_stage_rates(TrainingConfig& training, const std::string& stage);

/// Fine-tunes or aligns on a request log, as `config.stage` says, from the model in `stage.from` or from scratch. The log has the users' actions
/// before the requests. Best is the epoch with the highest AUC (embed, rank) or hr@1 + MRR / 2 (align) on validation data. Rules as
/// train_actions. Throws too when `stage.from` cannot be read or was made for another index.
TrainingState train_stage(Context<any_backend>& context, const ActionSource& log, const std::string& requests, const Config& config,
                          const std::string& folder, const RunOptions& options, const RunObserver& observer = {});

/// The version of an index folder with this fingerprint, the current one with 0. Throws DataError with the versions that are there
/// when none has it.
GeoIndex open_index(const std::string& folder, std::uint64_t fingerprint);

/// A trained model of actions with all that it needs to be asked.
struct TrainedActions {
  Config config;
  ActionTokenizer tokenizer;
  AnyGenerativeModel<any_backend> model;
};

/// Throws ConfigError for a checkpoint of another system, FormatError when its parts do not belong together, and as open_index.
/// `index` names another folder than the config's, "" does not.
TrainedActions load_actions(Context<any_backend>& context, const Checkpoint& checkpoint, const std::string& index = "");

}  // namespace chronotope
