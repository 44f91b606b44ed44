// chronotope train

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "cli/progress.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string config, data, out;
  std::vector<std::string> set;
  bool resume = false;
  Device device;
};

void run(const Options& o) {
  Config config = o.config.empty() ? Config{} : read_config(o.config);
  set_config(config, o.set);
  if (o.resume && !o.set.empty()) throw ConfigError("--resume goes on under the config of the checkpoint: leave --set out");
  const CheckinTable table = read_checkins(o.data);
  std::fprintf(stderr, "data: %zu check-ins of %zu users at %zu places\n", table.rows.size(), table.users.size(), table.places.size());
  Context<any_backend> context(o.device.stream());
  Progress progress(config, static_cast<std::int64_t>(table.places.size()), [&] { return measure_gemm_peak(context); }, o.device.describe());
  const TrainingState state = train_checkins(context, table, config, o.out, o.resume, progress.observer());
  std::printf("best epoch %lld of %lld; checkpoint in %s\nnext: chronotope evaluate --checkpoint %s --data %s\n",
              static_cast<long long>(state.best_epoch + 1), static_cast<long long>(state.epoch), o.out.c_str(), o.out.c_str(), o.data.c_str());
}

}  // namespace

void add_train(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("train", "train a place recommender on a check-in file");
  command->add_option("--config", o->config, "JSON config, such as configs/nyc_fast.json; every key has a default (docs/config.md)")->check(CLI::ExistingFile);
  command->add_option("--data", o->data, "check-in file, CSV or CSV.gz (docs/data.md)")->required();
  command->add_option("--out", o->out, "folder for checkpoints and log")->required();
  command->add_option("--set", o->set, "change a key of the config: --set training.epochs=5")->type_name("KEY=VALUE");
  command->add_flag("--resume", o->resume, "go on where the last checkpoint in --out stands, to the bit");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
