#pragma once
// The training loop: batches, backward, clipping, AdamW, schedule, validation, early stopping, checkpoints. Every number it
// uses comes from the config and the state, so that a resumed training continues to the bit.

#include <cmath>
#include <functional>

#include "chronotope/backend/graphs.hpp"
#include "chronotope/core/stopwatch.hpp"
#include "chronotope/ops/shape.hpp"
#include "chronotope/train/checkpoint.hpp"
#include "chronotope/train/gradient_exchange.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/reports.hpp"
#include "chronotope/train/schedule.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

/// What an epoch came to.
struct EpochReport {
  std::int64_t epoch = 0;
  double loss = 0;                   ///< mean over the epoch's targets, nats
  std::optional<Validation> validation;  ///< none without validation targets
  bool best = false, stop = false;   ///< best so far; early stopping
  double seconds = 0;                ///< since the epoch began (in this process)
};

/// What the trainer tells and asks while it runs. All optional.
struct TrainerHooks {
  std::function<void(const StepReport&)> on_step;
  std::function<std::optional<Validation>()> validate;                ///< of the present weights; the first process's answer counts
  std::function<void(const EpochReport&)> on_epoch;
  std::function<void(const TrainingState&, bool best)> save;          ///< write last, and best too when `best`
};

/// Trains a task's model as the config's `training` says. Several processes (`ranks`) train as one whose training.batch is as many times as large:
/// each takes its share of every pass, and gradients and reports are sums over all. With dropout they draw different numbers.
template <TrainingTask T> class Trainer {
 public:
  using B = typename T::backend;
  using Sample = typename T::Sample;

  /// Throws DataError when the task has no samples, ConfigError for training.graphs where there are none or several processes.
  Trainer(Context<B>& context, T& task, const TrainingConfig& config, AnyCommunicator<B> ranks = {})
      : context_(context), task_(task), config_(config), ranks_(std::move(ranks)), optimizer_(named_parameters(task.model()), options(config)) {
    schedule_ = {config.learning_rate, config.min_learning_rate, config.warmup_steps, all_steps()};
    state_.ranks = ranks_.size();
    if (config.graphs && ranks_.size() > 1) throw ConfigError("training.graphs is for one process: buckets of gradients leave during the backward pass; leave it off");
    if (config.graphs) as_graph_ = AsGraph<B>(context.stream(), "training.graphs");
    context.trim();  // what drawing first weights took has sizes that no step asks for
    if (ranks_.size() == 1) return;
    exchange_.emplace(ranks_, named_parameters(task.model()));
    context.random().seed += static_cast<std::uint64_t>(ranks_.rank()) * 0x9E3779B97F4A7C15u;
  }

  /// Goes on where `checkpoint` stands. Throws FormatError when it is of another model, ConfigError when other than as many processes made it.
  void resume(const Checkpoint& checkpoint) {
    if (checkpoint.state.ranks != ranks_.size())
      throw ConfigError("this training was begun by " + std::to_string(checkpoint.state.ranks) + " processes and cannot be gone on with by " +
                        std::to_string(ranks_.size()) + ": a step has training.batch samples of each");
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

  /// One optimizer step over these samples (batch x accumulate of them for each process, the same list in all); what run() does for each. A
  /// PreparingTask gets to know the samples of the step after this one, `next`.
  StepReport step(std::span<const Sample> samples, std::span<const Sample> next = {}) {
    const Stopwatch watch;
    StepReport report;
    try {
      passes(samples, next, report);
    } catch (...) {
      for (auto& [path, parameter] : named_parameters(task_.model())) parameter.zero_grad();  // half a step's
      throw;
    }
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
  /// Samples of one pass, and of the passes of a step, of all processes.
  std::size_t pass_size() const { return static_cast<std::size_t>(config_.batch) * static_cast<std::size_t>(ranks_.size()); }
  std::size_t step_size() const { return pass_size() * static_cast<std::size_t>(config_.accumulate); }

  std::int64_t steps_for(std::size_t samples) const { return static_cast<std::int64_t>((samples + step_size() - 1) / step_size()); }
  std::int64_t all_steps() const {
    std::int64_t all = 0;
    if constexpr (UnevenTask<T>)
      for (std::int64_t epoch = 0; epoch < config_.epochs; ++epoch) all += steps_for(static_cast<std::size_t>(task_.sample_count(static_cast<std::uint64_t>(epoch))));
    else all = config_.epochs * steps_for(task_.samples(0).size());
    if (all == 0) throw DataError("there is nothing to train on: no sample of the training split has something to predict");
    return all;
  }

  /// What this process takes of a pass: the first processes have one more where it does not come out even.
  std::span<const Sample> share(std::span<const Sample> all) const {
    const auto size = static_cast<std::size_t>(ranks_.size()), rank = static_cast<std::size_t>(ranks_.rank());
    const auto begin = [&](std::size_t r) { return (all.size() * r + size - 1) / size; };
    return all.subspan(begin(rank), begin(rank + 1) - begin(rank));
  }

  static AdamOptions options(const TrainingConfig& t) {
    return {t.beta1, t.beta2, t.eps, t.weight_decay, t.embedding_updates == "lazy" ? RowUpdates::lazy : RowUpdates::dense};
  }

  /// Leaves the step's gradients in the parameters. The losses are read when all is queued: the host waits for them once.
  void passes(std::span<const Sample> samples, std::span<const Sample> next, StepReport& report) {
    const std::size_t size = pass_size();
    const auto part = [&](std::span<const Sample> of, std::size_t at) { return share(of.subspan(at, std::min(size, of.size() - at))); };
    std::vector<TaskLoss<B>> losses;
    for (std::size_t at = 0; at < samples.size(); at += size) {
      const bool last = at + size >= samples.size();
      TaskLoss<B> loss = pass(part(samples, at), last ? part(next, 0) : part(samples, at + size), last);
      if (loss.targets > 0) losses.push_back(std::move(loss));
    }
    read(losses, report);
    if (exchange_) exchange_->finish();
    if (!std::isfinite(report.loss))
      throw Error("the loss is " + std::to_string(report.loss) + " at step " + std::to_string(state_.steps + 1) + " of epoch " +
                  std::to_string(state_.epoch + 1) + "; the last checkpoint is untouched: lower training.learning_rate and resume");
    if (exchange_) context_.random().counter = detail::add_up(ranks_, report, context_.random().counter);
  }

  /// Forward and backward of one batch, which may be empty where processes share it.
  TaskLoss<B> pass(std::span<const Sample> samples, [[maybe_unused]] std::span<const Sample> next, bool last) {
    TaskLoss<B> loss;
    as_graph_(context_.stream(), [&] {
      if (!samples.empty()) loss = task_.loss(samples);
      if constexpr (PreparingTask<T>) task_.prepare(next);
      if (loss.targets == 0) return;
      if (exchange_ && last) exchange_->watch(loss.sum);
      backward(loss.sum);
      loss.sum = loss.sum.detach();
    });
    return loss;
  }

  /// Adds what the passes came to, read from the device at once.
  static void read(const std::vector<TaskLoss<B>>& losses, StepReport& report) {
    std::vector<Tensor<B>> scalars;
    const auto want = [&](const Tensor<B>& scalar) { scalars.push_back(reshape(scalar, {1})); };
    for (const TaskLoss<B>& loss : losses) {
      want(loss.sum);
      for (const auto& [name, value] : loss.measures) want(value);
    }
    if (scalars.empty()) return;
    const std::vector<float> values = concat(scalars, 0).template to_host<float>();
    auto value = values.begin();
    for (const TaskLoss<B>& loss : losses) {
      report.inputs += loss.inputs, report.targets += loss.targets;
      report.loss += *value++;
      for (std::size_t i = 0; i < loss.measures.size(); ++i) {
        if (report.measures.size() <= i) report.measures.emplace_back(loss.measures[i].first, 0);
        report.measures[i].second += static_cast<double>(*value++) * static_cast<double>(loss.targets);
      }
    }
  }

  void run_epoch(const TrainerHooks& hooks) {
    const std::vector<Sample> all = task_.samples(static_cast<std::uint64_t>(state_.epoch));
    const std::size_t stride = step_size();
    const std::int64_t steps = steps_for(all.size());
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
    if (exchange_) report.validation = detail::of_first(ranks_, report.validation);
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
  AnyCommunicator<B> ranks_;
  AdamW<B> optimizer_;
  std::optional<GradientExchange<B>> exchange_;  ///< where there are several processes
  AsGraph<B> as_graph_;
  WarmupCosine schedule_;
  TrainingState state_;
};

}  // namespace chronotope
