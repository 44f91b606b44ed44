#pragma once
// Training a place model on the windows of check-in histories.

#include "chronotope/components/concepts.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/config.hpp"
#include "chronotope/train/histories.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

/// A TrainingTask. Keeps references: context, model and histories must outlive it.
template <PlaceModel M> class PlaceTask {
 public:
  using backend = typename M::backend;
  using Sample = Window;

  /// Throws DataError when no user has two training rows.
  PlaceTask(Context<backend>& context, M& model, const Config& config, const Histories& histories)
      : context_(context), model_(model), histories_(histories), length_(config.model.length), target_time_(config.model.target_time),
        seed_(static_cast<std::uint64_t>(config.seed)) {
    if (samples(0).empty()) throw DataError("no user has two training rows: there is nothing to predict");
  }

  M& model() { return model_; }
  std::vector<Window> samples(std::uint64_t epoch) const { return training_windows(histories_, length_, seed_, epoch); }

  TaskLoss<backend> loss(std::span<const Window> windows) {
    ActionBatch host = make_batch(histories_, windows, target_time_);
    if (host.selected.empty()) return {};
    const auto targets = static_cast<std::int64_t>(host.selected.size()), actions = static_cast<std::int64_t>(host.actions.size());
    const ActionTensors<backend> batch(context_, std::move(host));
    return {sum(model_.nll(batch)), targets, actions};
  }

 private:
  Context<backend>& context_;
  M& model_;
  const Histories& histories_;
  std::int64_t length_;
  bool target_time_;
  std::uint64_t seed_;
};

}  // namespace chronotope
