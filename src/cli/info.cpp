// chronotope info

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/train/click_run.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string checkpoint;
  bool config_keys = false, tensors = false;
};

void print_vocabulary(const Checkpoint& c) {
  if (c.config.system == "clicks") {
    const ClickSchema schema = click_schema(c);
    std::printf("click model, behaviours read by %s; columns:", c.config.click_model.behaviour.c_str());
    for (const ClickSchema::Ids& column : schema.ids) std::printf(" %s (%d)", column.name.c_str(), column.rows);
    for (const ClickSchema::Numbers& column : schema.numbers) std::printf(" %s", column.name.c_str());
    std::printf("\n");
    return;
  }
  const PlaceTokenizer tokenizer = place_tokenizer(c);
  std::printf("places %lld, categories %lld\n", static_cast<long long>(tokenizer.places() - 1), static_cast<long long>(tokenizer.categories() - 1));
}

void run(const Options& o) {
  if (o.config_keys) std::fputs(config_reference().c_str(), stdout);
  if (o.checkpoint.empty()) return;
  const Checkpoint c = read_trained(o.checkpoint);
  print_vocabulary(c);
  std::int64_t values = 0;
  for (const auto& [name, tensor] : c.tensors) values += tensor.shape.elements();
  std::printf("parameters %lld in %zu tensors\nepochs done %lld%s, optimizer steps %lld, best epoch %lld (validation score %.4f)\n",
              static_cast<long long>(values), c.tensors.size(), static_cast<long long>(c.state.epoch), c.state.finished ? " (finished)" : "",
              static_cast<long long>(c.state.steps), static_cast<long long>(c.state.best_epoch + 1), c.state.best_score);
  if (o.tensors)
    for (const auto& [name, tensor] : c.tensors) std::printf("  %-48s %s %s\n", name.c_str(), to_string(tensor.dtype), to_string(tensor.shape).c_str());
  std::printf("config\n%s", to_json(c.config).c_str());
}

}  // namespace

void add_info(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("info", "what a checkpoint holds, or every key of the config");
  command->add_option("--checkpoint", o->checkpoint, "folder that train wrote");
  command->add_flag("--tensors", o->tensors, "list the tensors of the checkpoint");
  command->add_flag("--config-keys", o->config_keys, "the keys of a config with defaults and meanings");
  command->require_option(1, 0);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
