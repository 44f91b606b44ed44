#pragma once
// A whole training on check-ins: tokenizer, model, loop, validation, checkpoints and log in one folder.

#include <functional>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/components/tokenizer.hpp"
#include "chronotope/data/checkins.hpp"
#include "chronotope/eval/metrics.hpp"
#include "chronotope/models/place_model.hpp"
#include "chronotope/train/trainer.hpp"

namespace chronotope {

/// What a run reports while it goes on.
struct RunObserver {
  std::function<void(const Config&, std::int64_t parameters, std::int64_t total_steps)> on_start;
  std::function<void(const StepReport&)> on_step;
  std::function<void(const EpochReport&)> on_epoch;
};

/// How a run begins and ends.
struct RunOptions {
  bool resume = false;          ///< go on from the last checkpoint, to the bit, under the config it was started with
  std::int64_t stop_after = 0;  ///< epochs in all after which to pause, to be resumed later; 0: the config's
  AnyCommunicator<any_backend> ranks = {};  ///< processes that train together: all call the same; the first validates and writes the folder, which all can read
};

/// Trains on the training rows of `table` and writes `folder`: last and best checkpoint, log.jsonl (a line a step and an
/// epoch). Without `resume` a folder that already holds a checkpoint is a ConfigError. Returns the final state.
TrainingState train_checkins(Context<any_backend>& context, const CheckinTable& table, const Config& config,
                             const std::string& folder, const RunOptions& options, const RunObserver& observer = {});

/// The vocabulary of a place model's checkpoint. Throws ConfigError for a checkpoint of another system, FormatError when it is
/// damaged or does not belong to the rest.
PlaceTokenizer place_tokenizer(const Checkpoint& checkpoint);

/// A checkpoint's place model on a device. Throws FormatError when the parts of the checkpoint do not belong together.
AnyPlaceModel<any_backend> load_model(Context<any_backend>& context, const Checkpoint& checkpoint);

/// Ranks of a split's targets under a checkpoint's model; see rank_targets.
std::vector<RankedTarget> rank_checkpoint(Context<any_backend>& context, const Checkpoint& checkpoint, const CheckinTable& table, Split split);

/// Floating-point operations of the matrix products of one training step: forward and twice that backward, counting a
/// multiplication and an addition as two. Attention scores and element-wise work are left out.
double step_flops(const ModelConfig& model, std::int64_t places, std::int64_t actions, std::int64_t targets);

/// Matrix product speed of a context in FLOP/s: best of several 512 x 1024 x 1024 products.
double measure_gemm_peak(Context<any_backend>& context);

}  // namespace chronotope
