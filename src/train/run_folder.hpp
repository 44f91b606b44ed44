#pragma once
// What every training does around its loop: one folder with checkpoints and a log, held by one process, resumable.

#include <filesystem>
#include <optional>

#include "chronotope/core/error.hpp"
#include "chronotope/train/run.hpp"
#include "core/folder_lock.hpp"
#include "train/ranks_agree.hpp"
#include "train/run_log.hpp"

namespace chronotope {

/// What run_training needs of a system (a Spacetime-GR on check-ins, a click model on a log):
///   vocabulary()  text for the checkpoint: what ids mean; a resumed run must have the same
///   fingerprint() of the data trained on, not 0
///   task()        a TrainingTask
///   validate()    optional<Validation> of the present weights
///   extras()      tensors by name that a checkpoint holds besides weights and optimizer
template <class S>
concept TrainedSystem = requires(S& system) {
  { system.vocabulary() } -> std::convertible_to<std::string>;
  { system.fingerprint() } -> std::convertible_to<std::uint64_t>;
  requires TrainingTask<std::remove_reference_t<decltype(system.task())>>;
  { system.validate() } -> std::same_as<std::optional<Validation>>;
  { system.extras() } -> std::same_as<std::map<std::string, HostTensor>>;
};

/// Calls f; what it finds wrong with the checkpoint is told with the checkpoint's path.
template <class F> auto in_checkpoint(const Checkpoint& checkpoint, F f) {
  try {
    return f();
  } catch (const FormatError& e) {
    throw FormatError(checkpoint.path.empty() ? e.what() : checkpoint.path + ": " + e.what());
  }
}

/// How many values the model in a checkpoint has.
double values_of(const Checkpoint& checkpoint);

namespace detail {

void make_folder(const std::string& folder);
/// Throws DataError when a checkpoint was trained on other data.
void check_same_data(const Checkpoint& from, const std::string& folder, const std::string& vocabulary, std::uint64_t fingerprint);
/// The checkpoint to go on from, or none; the process that writes locks the folder, and throws ConfigError when there is one and resume was not asked for.
std::optional<Checkpoint> starting_point(const std::string& folder, bool resume, bool writes, std::optional<FolderLock>& lock);

/// Writes best (when `best`) and last. Best first, so that last never names a best epoch that is not on disk.
template <class T>
void save_run(const std::string& folder, Checkpoint checkpoint, Trainer<T>& trainer, const std::map<std::string, HostTensor>& extras, bool best) {
  const auto write = [&](const char* name, bool with_optimizer) {
    checkpoint.tensors = trainer.tensors(with_optimizer);
    checkpoint.tensors.insert(extras.begin(), extras.end());
    write_checkpoint(folder, name, checkpoint);
  };
  if (best) write(best_checkpoint, false);
  write(last_checkpoint, true);
}

}  // namespace detail

/// Trains the system that `make(config, from)` returns and writes `folder`; see train_checkins for the rules. `from` is the
/// checkpoint to go on from, or null: make refuses one whose parts do not belong together before it makes anything large.
/// Of several processes the first validates and writes; the others wait for it.
template <class Make>
TrainingState run_training(Context<any_backend>& context, Config config, const std::string& folder, const RunOptions& options,
                           const RunObserver& observer, Make make) {
  AnyCommunicator<any_backend> ranks = options.ranks;
  const bool writes = ranks.rank() == 0;
  std::optional<FolderLock> lock;
  std::optional<Checkpoint> from = detail::starting_point(folder, options.resume, writes, lock);
  if (from) config = from->config;
  context.random() = {static_cast<std::uint64_t>(config.seed), 0};
  TrainedSystem auto system = make(config, from ? &*from : nullptr);
  const std::string vocabulary = system.vocabulary();
  if (from) detail::check_same_data(*from, folder, vocabulary, system.fingerprint());
  Trainer trainer(context, system.task(), config.training, ranks);
  if (from) in_checkpoint(*from, [&] { trainer.resume(*from); });
  const auto weights = [&] { return digest_of(trainer.tensors(false)); };
  if (ranks.size() > 1) check_same_start(ranks, {digest_of(to_json(config)), digest_of(vocabulary) ^ system.fingerprint(), weights()});
  std::optional<RunLog> log;
  if (writes) {
    detail::make_folder(folder);
    if (!lock) lock.emplace(folder);
    remove_leftovers(folder);
    log.emplace(folder, from ? &from->state : nullptr);
  }
  from.reset();
  if (observer.on_start) observer.on_start(config, parameter_count(system.task().model()), trainer.total_steps());
  TrainerHooks hooks;
  hooks.on_step = [&](const StepReport& r) {
    if (log) log->step(r);
    if (observer.on_step) observer.on_step(r);
  };
  hooks.validate = [&] {
    if (ranks.size() > 1) check_same_weights(ranks, weights());
    return writes ? system.validate() : std::optional<Validation>();
  };
  hooks.on_epoch = [&](const EpochReport& r) {
    if (log) log->epoch(r);
    if (observer.on_epoch) observer.on_epoch(r);
  };
  if (writes)
    hooks.save = [&](TrainingState state, bool best) {
      log->flush();
      state.data = system.fingerprint();
      detail::save_run(folder, Checkpoint{config, vocabulary, state, {}}, trainer, system.extras(), best);
    };
  trainer.run(hooks, options.stop_after);
  return trainer.state();
}

}  // namespace chronotope
