// chronotope ablate: one config, a list of switches, a table of what each earns.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/ablation.hpp"
#include "chronotope/report/report.hpp"
#include "cli/ablation_file.hpp"
#include "cli/click_evaluation.hpp"
#include "cli/commands.hpp"
#include "cli/progress.hpp"

namespace chronotope::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string file, data, out, split = "test", json, report;
  std::vector<std::string> set;
  Device device;
};

/// Trains a variant in its own folder, or goes on with what is there; a finished one is left alone.
void train_variant(const Options& o, const ClickLog& log, const Config& config, const std::string& folder) {
  const bool begun = has_checkpoint(folder, last_checkpoint);
  if (begun && to_json(read_checkpoint_config(folder, last_checkpoint)) != to_json(config))
    throw ConfigError(folder + " holds a variant of another config: remove the folder, or choose another --out");
  Context<any_backend> context(o.device.stream());
  Progress progress(click_progress(), [&] { return measure_gemm_peak(context); }, o.device.describe());
  train_clicks(context, log, config, folder, {.resume = begun}, o.device.usable_threads(), progress.observer());
}

std::vector<float> score_variant(const Options& o, const ClickLog& log, Split split, const std::string& folder) {
  Context<any_backend> context(o.device.stream());
  return score_clicks(context, read_trained(folder), log, samples_of(log, split), o.device.usable_threads()).logits[0];
}

/// What went wrong with a variant is its row; the others go on.
AblationRow run_variant(const Options& o, const ClickLog& log, Split split, const AblationVariant& variant) {
  const std::string folder = (fs::path(o.out) / variant.folder).string();
  AblationRow row{variant.name, variant.group, {}};
  std::fprintf(stderr, "\n%s (%s)\n", variant.name.c_str(), variant.group.c_str());
  try {
    train_variant(o, log, variant.config, folder);
    row.scores = score_variant(o, log, split, folder);
  } catch (const Error& e) {
    row.error = e.what();
    std::fprintf(stderr, "failed: %s\n", e.what());
  }
  return row;
}

ReportContent page(const Options& o, const Config& base, const ClickLog& log, const AblationTable& table) {
  ReportContent content;
  content.title = "Ablations on " + o.data;
  content.ablations = {table};
  content.config_json = to_json(base);
  content.facts = {{"Data", o.data}, {"Samples", std::to_string(log.size())}, {"Variants", o.file}, {"Seed", std::to_string(base.seed)}, {"Backend", o.device.describe()}};
  return content;
}

void run(const Options& o) {
  const AblationFile file = read_ablation_file(o.file, o.set);
  const Split split = o.split == "test" ? Split::test : Split::validation;
  const ClickLog log = read_clicks(o.data, file.base.clicks);
  const ScoredClicks rows = click_rows(log, split, false);
  ScoredAblation scored{"ctr", split, log.semi_synthetic, rows.tasks[0].labels, rows.users, file.variants.front().name, {}};
  for (const AblationVariant& variant : file.variants) scored.rows.push_back(run_variant(o, log, split, variant));
  const AblationTable table = make_ablation(scored);
  std::fputs(format_ablation(table).c_str(), stdout);
  if (!o.report.empty()) write_report(o.report, page(o, file.base, log, table));
  write_file_atomically(o.json.empty() ? (fs::path(o.out) / "ablation.json").string() : o.json, ablation_json(table));
}

}  // namespace

void add_ablate(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("ablate", "train variants of a click model and print what each switch earns; killed, it goes on where it was");
  command->add_option("--config", o->file, "variants, such as configs/ablations/stim.json (docs/config.md)")->required()->check(CLI::ExistingFile);
  command->add_option("--data", o->data, "check-in file or click cache")->required();
  command->add_option("--out", o->out, "folder for the variants' folders")->required();
  command->add_option("--split", o->split, "which samples are compared")->check(CLI::IsMember({"test", "validation"}))->capture_default_str();
  command->add_option("--set", o->set, "change a key of the base config for all variants")->type_name("KEY=VALUE");
  command->add_option("--json", o->json, "where to write the figures; by default ablation.json in --out");
  command->add_option("--report", o->report, "also write an HTML report to this file");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
