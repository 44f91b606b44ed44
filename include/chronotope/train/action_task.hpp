#pragma once
// Pre-training on the sequences of an action log (Spacetime-GR, 3.2.1).

#include "chronotope/core/shuffle.hpp"
#include "chronotope/components/token_tensors.hpp"
#include "chronotope/nn/module.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/action_windows.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

/// What an epoch reads.
struct CurriculumOptions {
  bool curriculum = true;   ///< see pretraining_samples
  std::int64_t epochs = 1;  ///< in all
  std::int64_t length = 128;
  std::uint64_t seed = 1;
};

/// The windows of an epoch, in its order. Each epoch is two passes; the first half of all passes of a training goes over the sequences
/// of one status, the second over those of several, so that with one epoch both follow each other within it. Where no user
/// travelled all passes are of the first kind. Without the curriculum every epoch has both, shuffled together. Reads actions
/// before `until` (UTC). O(actions).
std::vector<ActionWindow> pretraining_samples(const ActionHistories& histories, const CurriculumOptions& options, std::int64_t until, std::uint64_t epoch);

/// A TrainingTask whose epochs differ in length. Keeps references. M has nll(TokenTensors) [Q].
template <Module M> class PretrainingTask {
 public:
  using backend = typename M::backend;
  using Sample = ActionWindow;

  PretrainingTask(Context<backend>& context, M& model, const ActionTokens& tokens, const CurriculumOptions& options)
      : context_(context), model_(model), tokens_(tokens), options_(options) {}

  M& model() { return model_; }
  std::vector<ActionWindow> samples(std::uint64_t epoch) const {
    return pretraining_samples(tokens_.histories(), options_, tokens_.tokenizer().vocabulary().validation_from, epoch);
  }
  std::int64_t sample_count(std::uint64_t epoch) const { return static_cast<std::int64_t>(samples(epoch).size()); }

  TaskLoss<backend> loss(std::span<const ActionWindow> windows) {
    TokenBatch batch;
    std::int64_t actions = 0;
    for (const ActionWindow& w : windows)
      if (tokens_.add(w, batch)) actions += static_cast<std::int64_t>(w.end - w.begin);
    if (batch.asks().empty()) return {};
    const TokenTensors<backend> tensors(context_, std::move(batch));
    return {sum(model_.nll(tensors)), static_cast<std::int64_t>(tensors.host.asks().size()), actions};
  }

 private:
  Context<backend>& context_;
  M& model_;
  const ActionTokens& tokens_;
  CurriculumOptions options_;
};

}  // namespace chronotope
