#pragma once
// Click models from a config: reading a log, training in a folder, scoring a split.

#include <string>
#include <vector>

#include "chronotope/data/click_batcher.hpp"
#include "chronotope/models/any_click_model.hpp"
#include "chronotope/train/run.hpp"

namespace chronotope {

/// A click cache, mapped, or any check-in file as clicks (data/checkin_clicks.hpp): the file's first bytes tell.
/// Throws as open_click_cache, read_checkins and checkins_as_clicks.
ClickLog read_clicks(const std::string& path, const ClicksConfig& config);

/// Trains on the training samples of `log`; best is the epoch with the highest validation AUC. Rules, files and options as
/// train_checkins; `threads` build batches.
TrainingState train_clicks(Context<any_backend>& context, const ClickLog& log, const Config& config, const std::string& folder,
                           const RunOptions& options, int threads, const RunObserver& observer = {});

/// The columns that a checkpoint's click model was made for. Throws ConfigError for a checkpoint of another system.
ClickSchema click_schema(const Checkpoint& checkpoint);

/// What a checkpoint's model says of some samples.
struct TaskLogits {
  std::vector<std::string> tasks;          ///< "ctr", then "ctcvr" where the model has it
  std::vector<std::vector<float>> logits;  ///< one a task, [samples]
};

/// Scores samples of `log`, evaluation.batch at a time. Throws ConfigError for a checkpoint of another system, FormatError
/// when its parts do not belong together, DataError when the log is not of the schema, or not the data, it was made for: ids
/// of another check-in file mean other places.
TaskLogits score_clicks(Context<any_backend>& context, const Checkpoint& checkpoint, const ClickLog& log,
                         std::span<const std::uint64_t> samples, int threads);

/// How a config's `clicks` section makes batches.
BatchRules batch_rules(const ClicksConfig& config);

/// The masks of a STIM checkpoint for the samples of a batch, before the layer that follows the curve, [B, M, k]. Throws ConfigError for another behaviour module.
std::vector<float> forgetting_masks(Context<any_backend>& context, const Checkpoint& checkpoint, const ClickBatch& batch);

/// A checkpoint's click model on a device. Throws as click_schema and when the weights are those of another model.
AnyClickModel<any_backend> load_click_model(Context<any_backend>& context, const Checkpoint& checkpoint);

/// The same with a model at hand, made for `schema` under `config`. Throws DataError when the log does not fit the schema.
TaskLogits score_samples(Context<any_backend>& context, const AnyClickModel<any_backend>& model, const Config& config,
                         const ClickSchema& schema, const ClickLog& log, std::span<const std::uint64_t> samples, int threads);

}  // namespace chronotope
