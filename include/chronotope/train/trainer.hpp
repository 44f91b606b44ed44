#pragma once
// The training loop: batches, backward, clipping, AdamW, schedule, validation, early stopping, checkpoints. Every number it
// uses comes from the config and the state, so that a resumed training continues to the bit.

#include <cmath>
#include <functional>
#include <optional>

#include "chronotope/components/concepts.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/checkpoint.hpp"
#include "chronotope/train/histories.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/schedule.hpp"
#include "chronotope/core/stopwatch.hpp"

namespace chronotope {

/// What just happened in one step.
struct StepReport {
  std::int64_t epoch = 0, step = 0, steps_in_epoch = 0, steps = 0;
  double loss = 0;         ///< mean -log p of the step's targets, nats
  double rate = 0;         ///< learning rate used
  double norm = 0;         ///< gradient norm before clipping
  double seconds = 0;      ///< wall time of the step
  std::int64_t actions = 0, targets = 0;
};

/// What an epoch came to.
struct EpochReport {
  std::int64_t epoch = 0;
  double loss = 0;                   ///< mean over the epoch's targets, nats
  std::optional<double> score;       ///< validation acc@1 + MRR / 2; none without validation targets
  bool best = false, stop = false;   ///< best so far; early stopping
  double seconds = 0;                ///< since the epoch began (in this process)
};

/// What the trainer tells and asks while it runs. All optional but `save`.
struct TrainerHooks {
  std::function<void(const StepReport&)> on_step;
  std::function<std::optional<double>(std::int64_t epoch)> validate;  ///< score of the present weights
  std::function<void(const EpochReport&)> on_epoch;
  std::function<void(const TrainingState&, bool best)> save;          ///< write last, and best too when `best`
};

/// Trains `model` on the training windows of `histories` as the config says.
template <PlaceModel M> class Trainer {
 public:
  using B = typename M::backend;

  Trainer(Context<B>& context, M& model, const Config& config, const Histories& histories)
      : context_(context), model_(model), config_(config), histories_(histories), optimizer_(named_parameters(model), options(config.training)) {
    const auto n = static_cast<std::int64_t>(windows(0).size());
    if (n == 0) throw DataError("no user has two training rows: there is nothing to predict");
    const std::int64_t windows_a_step = config.training.batch * config.training.accumulate;
    schedule_ = {config.training.learning_rate, config.training.min_learning_rate, config.training.warmup_steps,
                 config.training.epochs * ((n + windows_a_step - 1) / windows_a_step)};
  }

  /// Goes on where `checkpoint` stands. Throws FormatError when it is of another model.
  void resume(const Checkpoint& checkpoint) {
    load_state(context_, model_, checkpoint.tensors, "model.");
    optimizer_.load(context_, checkpoint.tensors, checkpoint.state.steps);
    state_ = checkpoint.state;
    context_.random().counter = state_.random_counter;
  }

  /// Weights and moments as a checkpoint holds them.
  std::map<std::string, HostTensor> tensors(bool with_optimizer) {
    auto all = state_of(model_, "model.");
    if (with_optimizer) optimizer_.save(all);
    return all;
  }
  const TrainingState& state() const { return state_; }
  std::int64_t total_steps() const { return schedule_.steps; }

  /// Runs until the config's epochs are done or early stopping ends it. Throws Error when a loss is not finite; the last
  /// checkpoint stays as it was.
  void run(const TrainerHooks& hooks) {
    while (!state_.finished) {
      const Stopwatch watch;
      run_epoch(hooks);
      finish_epoch(hooks, watch.seconds());
    }
  }

  /// One optimizer step over these windows (batch x accumulate of them); what run() does for each.
  StepReport step(std::span<const Window> windows) {
    const Stopwatch watch;
    StepReport report;
    const auto batch = static_cast<std::size_t>(config_.training.batch);
    for (std::size_t at = 0; at < windows.size(); at += batch) pass(windows.subspan(at, std::min(batch, windows.size() - at)), report);
    if (report.targets == 0) return report;
    const auto targets = static_cast<double>(report.targets);
    report.loss /= targets;
    report.rate = schedule_(state_.steps);
    report.norm = optimizer_.step(report.rate, 1 / targets, config_.training.clip_norm);
    ++state_.steps;
    report.seconds = watch.seconds();
    return report;
  }

  std::vector<Window> windows(std::int64_t epoch) const {
    return training_windows(histories_, config_.model.length, static_cast<std::uint64_t>(config_.seed), static_cast<std::uint64_t>(epoch));
  }

 private:
  static AdamOptions options(const TrainingConfig& t) {
    return {t.beta1, t.beta2, t.eps, t.weight_decay, t.embedding_updates == "lazy" ? RowUpdates::lazy : RowUpdates::dense};
  }

  /// Forward and backward of one batch; losses and gradients are sums over targets, so that every target of a step weighs
  /// the same however it was cut into passes.
  void pass(std::span<const Window> windows, StepReport& report) {
    ActionBatch host = make_batch(histories_, windows, config_.model.target_time);
    if (host.selected.empty()) return;
    report.actions += static_cast<std::int64_t>(host.actions.size());
    report.targets += static_cast<std::int64_t>(host.selected.size());
    const ActionTensors<B> batch(context_, std::move(host));
    const Tensor<B> loss = sum(model_.nll(batch));
    const double value = loss.template item<float>();
    if (!std::isfinite(value))
      throw Error("the loss is " + std::to_string(value) + " at step " + std::to_string(state_.steps + 1) + " of epoch " +
                  std::to_string(state_.epoch + 1) + "; the last checkpoint is untouched: lower training.learning_rate and resume");
    backward(loss);
    report.loss += value;
  }

  void run_epoch(const TrainerHooks& hooks) {
    const std::vector<Window> all = windows(state_.epoch);
    const auto stride = static_cast<std::size_t>(config_.training.batch * config_.training.accumulate);
    const auto steps = static_cast<std::int64_t>((all.size() + stride - 1) / stride);
    Stopwatch since_saved;
    while (state_.step < steps) {
      const std::size_t at = static_cast<std::size_t>(state_.step) * stride;
      StepReport report = step(std::span(all).subspan(at, std::min(stride, all.size() - at)));
      ++state_.step;
      state_.loss_sum += report.loss * static_cast<double>(report.targets);
      state_.loss_count += report.targets;
      state_.random_counter = context_.random().counter;
      report.epoch = state_.epoch, report.step = state_.step, report.steps_in_epoch = steps, report.steps = state_.steps;
      if (hooks.on_step) hooks.on_step(report);
      if (hooks.save && state_.step < steps && since_saved.seconds() >= config_.training.checkpoint_seconds) {
        hooks.save(state_, false);
        since_saved = Stopwatch();
      }
    }
  }

  void finish_epoch(const TrainerHooks& hooks, double seconds) {
    EpochReport report{state_.epoch, state_.loss_sum / static_cast<double>(std::max<std::int64_t>(state_.loss_count, 1)), {}, false, false, seconds};
    if (hooks.validate) report.score = hooks.validate(state_.epoch);
    report.best = !report.score || *report.score > state_.best_score;  // without validation the last weights are the best known
    if (report.best) {
      state_.best_score = report.score.value_or(state_.best_score);
      state_.best_epoch = state_.epoch;
    }
    const std::int64_t patience = config_.training.patience;
    report.stop = patience > 0 && state_.epoch - state_.best_epoch >= patience;
    ++state_.epoch;
    state_.step = 0, state_.loss_sum = 0, state_.loss_count = 0;
    state_.finished = report.stop || state_.epoch >= config_.training.epochs;
    if (hooks.save) hooks.save(state_, report.best);
    if (hooks.on_epoch) hooks.on_epoch(report);
  }

  Context<B>& context_;
  M& model_;
  Config config_;
  const Histories& histories_;
  AdamW<B> optimizer_;
  WarmupCosine schedule_;
  TrainingState state_;
};

}  // namespace chronotope
