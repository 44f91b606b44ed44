// chronotope train

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "cli/progress.hpp"
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

TrainingState train_places(const Options& o, const Config& config, Context<any_backend>& context) {
  const CheckinTable table = read_checkins(o.data);
  std::fprintf(stderr, "data: %zu check-ins of %zu users at %zu places\n", table.rows.size(), table.users.size(), table.places.size());
  Progress progress(place_progress(static_cast<std::int64_t>(table.places.size())), [&] { return measure_gemm_peak(context); }, o.device.describe());
  return train_checkins(context, table, config, o.out, {o.resume, o.stop_after}, progress.observer());
}

TrainingState train_on_clicks(const Options& o, const Config& config, Context<any_backend>& context) {
  const ClickLog log = read_clicks(o.data, config.clicks);
  std::fprintf(stderr, "data: %zu samples with %zu behaviours%s\n", log.size(), log.behaviours.size(), log.semi_synthetic ? "; semi-synthetic: what was shown is invented" : "");
  Progress progress(click_progress(), [&] { return measure_gemm_peak(context); }, o.device.describe());
  return train_clicks(context, log, config, o.out, {o.resume, o.stop_after}, o.device.usable_threads(), progress.observer());
}

TrainingState train_on_actions(const Options& o, const Config& config, Context<any_backend>& context) {
  Progress progress(action_progress(), [&] { return measure_gemm_peak(context); }, o.device.describe());
  const ActionSource log = actions_in(o.data);
  if (config.stage.name == "pretrain") return train_actions(context, log, config, o.out, {o.resume, o.stop_after}, progress.observer());
  if (o.requests.empty()) throw ConfigError("the stage " + config.stage.name + " needs --requests, a log of what was shown and clicked");
  return train_stage(context, log, o.requests, config, o.out, {o.resume, o.stop_after}, progress.observer());
}

TrainingState train(const Options& o, const Config& config, Context<any_backend>& context) {
  if (!o.requests.empty() && (config.system != "actions" || config.stage.name == "pretrain"))
    throw ConfigError("--requests is for the stages embed, rank and align of models of actions; leave it out");
  if (config.system == "clicks") return train_on_clicks(o, config, context);
  return config.system == "actions" ? train_on_actions(o, config, context) : train_places(o, config, context);
}

void run(const Options& o) {
  const Config config = config_of(o);
  Context<any_backend> context(o.device.stream());
  const TrainingState state = train(o, config, context);
  std::printf("best epoch %lld of %lld; checkpoint in %s\nnext: chronotope %s %s --data %s\n", static_cast<long long>(state.best_epoch + 1),
              static_cast<long long>(state.epoch), o.out.c_str(), state.finished ? "evaluate --checkpoint" : "train --resume --out", o.out.c_str(), o.data.c_str());
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
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
