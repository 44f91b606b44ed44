#pragma once
// A trained click model with everything that scoring needs: schema, search, weights and calibration.

#include <string>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/data/click_batcher.hpp"
#include "chronotope/eval/platt_scaling.hpp"
#include "chronotope/models/any_click_model.hpp"
#include "chronotope/train/checkpoint.hpp"

namespace chronotope {

/// The embeddings of items that a soft search compares, [rows of the item table, width]; empty for other searches. They are
/// those of a model trained before (`clicks.soft_from`) and stay as they are, so that a resumed training finds the same.
struct SearchRows {
  std::vector<float> values;
  std::int64_t width = 0;
  EmbeddingRows view() const { return {values, width}; }
};

/// How a config's `clicks` section makes batches; what `rows` views must outlive the batcher.
BatchRules batch_rules(const ClicksConfig& config, EmbeddingRows rows = {});

/// The columns that a checkpoint's click model was made for. Throws ConfigError for a checkpoint of another system.
ClickSchema click_schema(const Checkpoint& checkpoint);

/// The item embeddings of a trained click model. Throws FormatError when it has none that fit its schema.
SearchRows item_rows(const Checkpoint& checkpoint);

struct TrainedClicks {
  Config config;
  ClickSchema schema;
  SearchRows rows;
  std::vector<PlattScaling> calibration;  ///< one a task
  AnyClickModel<any_backend> model;
};

/// Throws as click_schema, and FormatError when the parts of the checkpoint do not belong together.
TrainedClicks load_clicks(Context<any_backend>& context, const Checkpoint& checkpoint);

/// What a model says of some samples: log(p / (1 - p)).
struct TaskLogits {
  std::vector<std::string> tasks;          ///< "ctr", then "ctcvr" where the model has it
  std::vector<std::vector<float>> logits;  ///< one a task, [samples]
};

/// As the model says it, evaluation.batch samples at a time.
TaskLogits raw_logits(Context<any_backend>& context, const AnyClickModel<any_backend>& model, const Config& config, const ClickBatcher& batcher,
                      std::span<const std::uint64_t> samples, int threads);

/// The same, calibrated. Throws DataError when the log does not fit the schema.
TaskLogits score_samples(Context<any_backend>& context, const TrainedClicks& trained, const ClickLog& log, std::span<const std::uint64_t> samples, int threads);

namespace detail {

/// What a checkpoint of a click model holds besides "model." and the optimizer.
std::map<std::string, HostTensor> click_extras(const SearchRows& rows, const std::vector<PlattScaling>& calibration);
SearchRows rows_in(const Checkpoint& checkpoint, const ClickSchema& schema);
std::vector<PlattScaling> calibration_in(const Checkpoint& checkpoint, std::size_t tasks);

}  // namespace detail
}  // namespace chronotope
