#pragma once
// The training loop: batches, backward, clipping, AdamW, schedule, validation, early stopping, checkpoints. Every number it
// uses comes from the config and the state, so that a resumed training continues to the bit.

#include <cmath>
#include <functional>
#include <optional>

#include "chronotope/core/stopwatch.hpp"
#include "chronotope/train/checkpoint.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/schedule.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

/// What just happened in one step.
struct StepReport {
  std::int64_t epoch = 0, step = 0, steps_in_epoch = 0, steps = 0;
  double loss = 0;         ///< mean -log p of the step's targets, nats
  double rate = 0;         ///< learning rate used
  double norm = 0;         ///< gradient norm before clipping
  double seconds = 0;      ///< wall time of the step
  std::int64_t inputs = 0, targets = 0;  ///< as in TaskLoss
  std::vector<std::pair<std::string, double>> measures = {};  ///< as in TaskLoss, over the step's targets
};

/// What the present weights are worth on validation data.
struct Validation {
  double score = 0;  ///< decides which epoch is best; larger is better
  std::vector<std::pair<std::string, double>> measures;  ///< by name, for people and logs
};

/// What an epoch came to.
struct EpochReport {
  std::int64_t epoch = 0;
  double loss = 0;                   ///< mean over the epoch's targets, nats
  std::optional<Validation> validation;  ///< none without validation targets
  bool best = false, stop = false;   ///< best so far; early stopping
  double seconds = 0;                ///< since the epoch began (in this process)
};

/// What the trainer tells and asks while it runs. All optional but `save`.
struct TrainerHooks {
  std::function<void(const StepReport&)> on_step;
  std::function<std::optional<Validation>()> validate;                ///< of the present weights
  std::function<void(const EpochReport&)> on_epoch;
  std::function<void(const TrainingState&, bool best)> save;          ///< write last, and best too when `best`
};

/// Trains a task's model as the config's `training` says.
template <TrainingTask T> class Trainer {
 public:
  using B = typename T::backend;
  using Sample = typename T::Sample;

  /// Throws DataError when the task has no samples.
  Trainer(Context<B>& context, T& task, const TrainingConfig& config)
      : context_(context), task_(task), config_(config), optimizer_(named_parameters(task.model()), options(config)) {
    schedule_ = {config.learning_rate, config.min_learning_rate, config.warmup_steps, all_steps(task, config)};
    context.trim();  // what drawing first weights took has sizes that no step asks for
  }

  /// Goes on where `checkpoint` stands. Throws FormatError when it is of another model.
  void resume(const Checkpoint& checkpoint) {
    load_state(context_, task_.model(), checkpoint.tensors, "model.");
    optimizer_.load(context_, checkpoint.tensors, checkpoint.state.steps);
    state_ = checkpoint.state;
    context_.random().counter = state_.random_counter;
  }

  /// Weights and moments as a checkpoint holds them.
  std::map<std::string, HostTensor> tensors(bool with_optimizer) {
    auto all = state_of(task_.model(), "model.");
    if (with_optimizer) optimizer_.save(all);
    return all;
  }
  const TrainingState& state() const { return state_; }
  std::int64_t total_steps() const { return schedule_.steps; }

  /// Runs until the config's epochs are done or early stopping ends it, or, with `until` above 0, `until` epochs are done
  /// in all. Throws Error when a loss is not finite; the last checkpoint stays as it was.
  void run(const TrainerHooks& hooks, std::int64_t until = 0) {
    while (!state_.finished && (until <= 0 || state_.epoch < until)) {
      const Stopwatch watch;
      run_epoch(hooks);
      finish_epoch(hooks, watch.seconds());
    }
  }

  /// One optimizer step over these samples (batch x accumulate of them); what run() does for each. A PreparingTask gets to know
  /// the samples of the step after this one, `next`.
  StepReport step(std::span<const Sample> samples, std::span<const Sample> next = {}) {
    const Stopwatch watch;
    StepReport report;
    const auto batch = static_cast<std::size_t>(config_.batch);
    const auto part = [&](std::span<const Sample> of, std::size_t at) { return of.subspan(at, std::min(batch, of.size() - at)); };
    for (std::size_t at = 0; at < samples.size(); at += batch)
      pass(part(samples, at), at + batch < samples.size() ? part(samples, at + batch) : part(next, 0), report);
    if (report.targets == 0) return report;
    const auto targets = static_cast<double>(report.targets);
    report.loss /= targets;
    for (auto& [name, value] : report.measures) value /= targets;
    report.rate = schedule_(state_.steps);
    report.norm = optimizer_.step(report.rate, 1 / targets, config_.clip_norm);
    ++state_.steps;
    report.seconds = watch.seconds();
    return report;
  }

 private:
  static std::int64_t all_steps(const T& task, const TrainingConfig& config) {
    const std::int64_t stride = config.batch * config.accumulate;
    const auto steps = [&](std::int64_t samples) { return (samples + stride - 1) / stride; };
    std::int64_t all = 0;
    if constexpr (UnevenTask<T>)
      for (std::int64_t epoch = 0; epoch < config.epochs; ++epoch) all += steps(task.sample_count(static_cast<std::uint64_t>(epoch)));
    else all = config.epochs * steps(static_cast<std::int64_t>(task.samples(0).size()));
    if (all == 0) throw DataError("there is nothing to train on: no sample of the training split has something to predict");
    return all;
  }
  static AdamOptions options(const TrainingConfig& t) {
    return {t.beta1, t.beta2, t.eps, t.weight_decay, t.embedding_updates == "lazy" ? RowUpdates::lazy : RowUpdates::dense};
  }

  /// Forward and backward of one batch.
  void pass(std::span<const Sample> samples, [[maybe_unused]] std::span<const Sample> next, StepReport& report) {
    const TaskLoss<B> loss = task_.loss(samples);
    if constexpr (PreparingTask<T>) task_.prepare(next);
    if (loss.targets == 0) return;
    report.inputs += loss.inputs;
    report.targets += loss.targets;
    const double value = loss.sum.template item<float>();
    if (!std::isfinite(value))
      throw Error("the loss is " + std::to_string(value) + " at step " + std::to_string(state_.steps + 1) + " of epoch " +
                  std::to_string(state_.epoch + 1) + "; the last checkpoint is untouched: lower training.learning_rate and resume");
    backward(loss.sum);
    report.loss += value;
    for (std::size_t i = 0; i < loss.measures.size(); ++i) {
      if (report.measures.size() <= i) report.measures.emplace_back(loss.measures[i].first, 0);
      report.measures[i].second += loss.measures[i].second * static_cast<double>(loss.targets);
    }
  }

  void run_epoch(const TrainerHooks& hooks) {
    const std::vector<Sample> all = task_.samples(static_cast<std::uint64_t>(state_.epoch));
    const auto stride = static_cast<std::size_t>(config_.batch * config_.accumulate);
    const auto steps = static_cast<std::int64_t>((all.size() + stride - 1) / stride);
    Stopwatch since_saved;
    while (state_.step < steps) {
      const std::size_t at = static_cast<std::size_t>(state_.step) * stride;
      const auto part = [&](std::size_t from) { return std::span(all).subspan(from, std::min(stride, all.size() - from)); };
      StepReport report = step(part(at), part(std::min(at + stride, all.size())));
      ++state_.step;
      state_.loss_sum += report.loss * static_cast<double>(report.targets);
      state_.loss_count += report.targets;
      state_.random_counter = context_.random().counter;
      report.epoch = state_.epoch, report.step = state_.step, report.steps_in_epoch = steps, report.steps = state_.steps;
      if (hooks.on_step) hooks.on_step(report);
      if (hooks.save && state_.step < steps && since_saved.seconds() >= config_.checkpoint_seconds) {
        hooks.save(state_, false);
        since_saved = Stopwatch();
      }
    }
  }

  void finish_epoch(const TrainerHooks& hooks, double seconds) {
    EpochReport report{state_.epoch, state_.loss_sum / static_cast<double>(std::max<std::int64_t>(state_.loss_count, 1)), {}, false, false, seconds};
    if (hooks.validate) report.validation = hooks.validate();
    report.best = !report.validation || report.validation->score > state_.best_score;  // without validation the last weights are the best known
    if (report.best) {
      if (report.validation) state_.best_score = report.validation->score;
      state_.best_epoch = state_.epoch;
    }
    const std::int64_t patience = config_.patience;
    report.stop = patience > 0 && state_.epoch - state_.best_epoch >= patience;
    ++state_.epoch;
    state_.step = 0, state_.loss_sum = 0, state_.loss_count = 0;
    state_.finished = report.stop || state_.epoch >= config_.epochs;
    if (hooks.save) hooks.save(state_, report.best);
    if (hooks.on_epoch) hooks.on_epoch(report);
  }

  Context<B>& context_;
  T& task_;
  TrainingConfig config_;
  AdamW<B> optimizer_;
  WarmupCosine schedule_;
  TrainingState state_;
};

}  // namespace chronotope
