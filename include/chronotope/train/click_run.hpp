#pragma once
// Click models from a config: reading a log, training in a folder, scoring a split.

#include <string>
#include <vector>

#include "chronotope/train/run.hpp"
#include "chronotope/train/trained_clicks.hpp"

namespace chronotope {

/// A click cache, mapped, or any check-in file as clicks (data/checkin_clicks.hpp): the file's first bytes tell.
/// Throws as open_click_cache, read_checkins and checkins_as_clicks.
ClickLog read_clicks(const std::string& path, const ClicksConfig& config);

/// Trains on the training samples of `log`; best is the epoch with the highest validation AUC; a calibration is
/// fitted to each validation and kept with the weights. Rules, files and options as train_checkins; `threads` build batches.
/// Throws too when clicks.soft_from cannot be read or was trained for other columns or on other invented data.
TrainingState train_clicks(Context<any_backend>& context, const ClickLog& log, const Config& config, const std::string& folder,
                           const RunOptions& options, int threads, const RunObserver& observer = {});

/// Calibrated scores of samples of `log`, evaluation.batch at a time. Throws ConfigError for a checkpoint of another system, FormatError
/// when its parts do not belong together, DataError when the log is not of the schema, or not the data, it was made for: ids
/// of another check-in file mean other places.
TaskLogits score_clicks(Context<any_backend>& context, const Checkpoint& checkpoint, const ClickLog& log,
                         std::span<const std::uint64_t> samples, int threads);

/// The masks of a STIM checkpoint for the samples of a batch, before the layer that follows the curve, [B, M, k]. Throws ConfigError for another behaviour module.
std::vector<float> forgetting_masks(Context<any_backend>& context, const Checkpoint& checkpoint, const ClickBatch& batch);

}  // namespace chronotope
