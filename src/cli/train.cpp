// chronotope train

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "chronotope/train/action_run.hpp"
#include "chronotope/train/click_run.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string config, data, out, requests, stage, from;
  std::vector<std::string> set;
  bool resume = false;
  std::int64_t stop_after = 0;
  Device device;
};

/// The paper's rates for a stage that follows another, under the sizes of the model it starts from (Spacetime-GR, 4.1.2).
Config stage_defaults(const Options& o) {
  Config config = read_checkpoint_config(o.from, has_checkpoint(o.from, best_checkpoint) ? best_checkpoint : last_checkpoint);
  use_stage_rates(config.training, o.stage);
  return config;
}

Config config_of(const Options& o) {
  if (o.resume && !o.set.empty()) throw ConfigError("--resume goes on under the config of the checkpoint: leave --set out");
  if (o.resume) return read_checkpoint_config(o.out, last_checkpoint);
  Config config = !o.config.empty() ? read_config(o.config) : !o.from.empty() ? stage_defaults(o) : Config{};
  std::vector<std::string> set = o.set;
  if (!o.stage.empty()) set.push_back("stage.name=" + o.stage), set.push_back("system=actions");
  if (!o.from.empty()) set.push_back("stage.from=" + o.from);
  set_config(config, set);
  return config;
}

/// One training in this process: what is asked for, where it computes, and with whom.
struct Training {
  const Options& o;
  const Config& config;
  Context<any_backend>& context;
  const Ranks& ranks;

  RunOptions options() const { return {o.resume, o.stop_after, ranks.connection()}; }
  /// Shows `text` and, in `progress`, how the training goes on: the first process does.
  RunObserver show(std::optional<Progress>& progress, ProgressTexts texts) const {
    if (!ranks.first()) return {};
    const std::string several = std::to_string(ranks.size()) + (o.device.backend == "cuda" ? " processes, the first with " : " processes, each ");
    const std::string device = (ranks.size() > 1 ? several : "") + o.device.describe();
    progress.emplace(std::move(texts), [&context = context, n = ranks.size()] { return n * measure_gemm_peak(context); }, device);
    return progress->observer();
  }
};

TrainingState train_places(const Training& t) {
  const CheckinTable table = read_checkins(t.o.data);
  if (t.ranks.first())
    std::fprintf(stderr, "data: %zu check-ins of %zu users at %zu places\n", table.rows.size(), table.users.size(), table.places.size());
  std::optional<Progress> progress;
  const RunObserver observer = t.show(progress, place_progress(static_cast<std::int64_t>(table.places.size())));
  return train_checkins(t.context, table, t.config, t.o.out, t.options(), observer);
}

TrainingState train_on_clicks(const Training& t) {
  const ClickLog log = read_clicks(t.o.data, t.config.clicks);
  if (t.ranks.first())
    std::fprintf(stderr, "data: %zu samples with %zu behaviours%s\n", log.size(), log.behaviours.size(), log.semi_synthetic ? "; semi-synthetic: what was shown is invented" : "");
  std::optional<Progress> progress;
  const RunObserver observer = t.show(progress, click_progress());
  return train_clicks(t.context, log, t.config, t.o.out, t.options(), t.o.device.usable_threads(), observer);
}

TrainingState train_on_actions(const Training& t) {
  std::optional<Progress> progress;
  const RunObserver observer = t.show(progress, action_progress());
  const ActionSource log = actions_in(t.o.data);
  if (t.config.stage.name == "pretrain") return train_actions(t.context, log, t.config, t.o.out, t.options(), observer);
  if (t.o.requests.empty()) throw ConfigError("the stage " + t.config.stage.name + " needs --requests, a log of what was shown and clicked");
  return train_stage(t.context, log, t.o.requests, t.config, t.o.out, t.options(), observer);
}

TrainingState train(const Training& t) {
  if (!t.o.requests.empty() && (t.config.system != "actions" || t.config.stage.name == "pretrain"))
    throw ConfigError("--requests is for the stages embed, rank and align of models of actions; leave it out");
  if (t.config.system == "clicks") return train_on_clicks(t);
  return t.config.system == "actions" ? train_on_actions(t) : train_places(t);
}

void run(Options o, Ranks& ranks) {
  const Config config = config_of(o);
  ranks.choose_gpu(o.device);
  o.device.threads = ranks.threads(o.device.threads);
  Context<any_backend> context(o.device.stream());
  ranks.connect_gpus(o.device);
  TrainingState state;
  ranks.run([&] { state = train({o, config, context, ranks}); });  // says what is wrong before the context goes, which waits for the others' sums
  if (!ranks.first()) return;
  const std::string started = ranks.size() > 1 && !state.finished ? "mpirun -np " + std::to_string(ranks.size()) + " " : "";
  std::printf("best epoch %lld of %lld; checkpoint in %s\nnext: %schronotope %s %s --data %s\n", static_cast<long long>(state.best_epoch + 1),
              static_cast<long long>(state.epoch), o.out.c_str(), started.c_str(), state.finished ? "evaluate --checkpoint" : "train --resume --out", o.out.c_str(), o.data.c_str());
}

}  // namespace

void add_train(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("train", "train a place recommender on check-ins, a model of actions in stages, or a click model");
  command->add_option("--config", o->config, "JSON config, such as configs/nyc_fast.json; every key has a default (docs/config.md)")->check(CLI::ExistingFile);
  command->add_option("--data", o->data, "check-in file, CSV or CSV.gz; for a model of actions an action log, for a click model also a click cache (docs/data.md)")->required();
  command->add_option("--out", o->out, "folder for checkpoints and log")->required();
  command->add_option("--stage", o->stage, "Spacetime-GR on action logs: pretrain, then embed, rank or align, which need --requests")->check(CLI::IsMember({"pretrain", "embed", "rank", "align"}));
  command->add_option("--from", o->from, "folder of the model that a stage starts from")->check(CLI::ExistingDirectory);
  command->add_option("--requests", o->requests, "log of requests: what was shown, what was clicked (docs/data.md)")->check(CLI::ExistingFile);
  command->add_option("--set", o->set, "change a key of the config: --set training.epochs=5")->type_name("KEY=VALUE");
  command->add_flag("--resume", o->resume, "go on where the last checkpoint in --out stands, to the bit");
  command->add_option("--stop-after", o->stop_after, "pause after this many epochs in all; --resume goes on")->check(CLI::Range(1, 1000000));
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] {
    Ranks ranks;
    ranks.run([&] { run(*o, ranks); });
  }; });
}

}  // namespace chronotope::cli
