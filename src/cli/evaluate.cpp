// chronotope evaluate

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"
#include "cli/action_evaluation.hpp"
#include "cli/click_report.hpp"
#include "cli/commands.hpp"
#include "cli/evaluation.hpp"
#include "cli/run_curves.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::vector<std::string> checkpoints;
  std::string data, split = "test", weights = "best", truth, json, report, requests, index;
  std::int64_t targets = 2000;
  Device device;
};

Split split_of(const Options& o) { return o.split == "test" ? Split::test : Split::validation; }

/// A data file of check-ins, read, with at least one target.
CheckinTable table_of(const Options& o) {
  CheckinTable table = read_checkins(o.data);
  if (evaluation_targets(table, split_of(o)).empty())
    throw DataError(o.data + ": no row is a target of the " + o.split + " split: there is nothing to evaluate (docs/data.md)");
  return table;
}

void run_places(const Options& o, const std::vector<Checkpoint>& checkpoints) {
  if (checkpoints.size() > 2) throw ConfigError("at most two checkpoints of place models can be compared: one trained with the target's time, one without");
  const CheckinTable table = table_of(o);
  const EvaluationReport report = evaluate_checkpoints(checkpoints, table, split_of(o), o.device);
  std::fputs(format_report(report).c_str(), stdout);
  if (!o.json.empty()) write_file_atomically(o.json, report_json(report));
  if (!o.report.empty()) write_report(o.report, report_content(o.checkpoints.front(), table, split_of(o), report, o.device, o.data));
}

/// Checkpoints by what they are; where two are of one kind, by their folders.
std::vector<NamedCheckpoint> named(const Options& o, std::vector<Checkpoint> checkpoints) {
  std::map<std::string, int> count;
  for (const Checkpoint& c : checkpoints) ++count[click_model_name(c.config.click_model)];
  std::vector<NamedCheckpoint> all;
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    const std::string name = click_model_name(checkpoints[i].config.click_model);
    all.push_back({count[name] > 1 ? o.checkpoints[i] : name, std::move(checkpoints[i])});
  }
  return all;
}

void run_clicks(const Options& o, std::vector<Checkpoint> checkpoints) {
  const ClickLog log = read_clicks(o.data, checkpoints.front().config.clicks);
  const std::string path = o.truth.empty() ? truth_path(o.data) : o.truth;
  const std::vector<double> truth = std::filesystem::exists(path) || !o.truth.empty() ? read_truth(path, log.size()) : std::vector<double>{};
  const std::vector<NamedCheckpoint> models = named(o, std::move(checkpoints));
  const ClickReport report = make_click_report(score_checkpoints(models, log, split_of(o), truth, o.device));
  std::fputs(format_click_report(report).c_str(), stdout);
  if (!o.json.empty()) write_file_atomically(o.json, click_report_json(report));
  if (!o.report.empty()) write_report(o.report, click_report_content(o.checkpoints.front(), models.front().checkpoint, log, split_of(o), report, o.device, o.data));
}

/// The first model's training and the table.
ReportContent action_report(const Options& o, const Checkpoint& first, const ResultTable& table) {
  ReportContent content;
  content.title = action_model_name(first.config) + " on " + o.data;
  content.tables = {table};
  content.facts = {{"Actions", o.data}, {"Checkpoint", o.checkpoints.front()}, {"Stage", first.config.stage.name}, {"Seed", std::to_string(first.config.seed)}, {"Backend", o.device.describe()}};
  if (!o.requests.empty()) content.facts.emplace_back("Requests", o.requests);
  if (!o.truth.empty()) content.facts.emplace_back("Truth", "of a generated world: " + o.truth);
  content.config_json = to_json(first.config);
  read_log(o.checkpoints.front(), content);
  return content;
}

void run_actions(const Options& o, const std::vector<Checkpoint>& checkpoints) {
  const auto on_requests = [](const Checkpoint& c) { return c.config.stage.name == "rank" || c.config.stage.name == "embed"; };
  for (const Checkpoint& c : checkpoints)
    if (on_requests(c) != on_requests(checkpoints.front())) throw ConfigError("models that generate places and models that score candidates cannot stand in one table");
  std::vector<std::string> names = o.checkpoints;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (checkpoints[i].config.actions.head == "pointer") names[i] += " (" + action_model_name(checkpoints[i].config) + ")";
  const ActionEvaluation evaluation{std::move(names), o.data, o.requests, o.truth, o.index, o.split == "validation", o.targets};
  const ResultTable table = (on_requests(checkpoints.front()) ? evaluate_requests : evaluate_places)(evaluation, checkpoints, o.device);
  std::fputs(format_result_table(table).c_str(), stdout);
  if (!o.json.empty()) write_file_atomically(o.json, result_tables_json({&table, 1}));
  if (!o.report.empty()) write_report(o.report, action_report(o, checkpoints.front(), table));
}

void run(const Options& o) {
  std::vector<Checkpoint> checkpoints;
  for (const std::string& folder : o.checkpoints) checkpoints.push_back(o.weights == "last" ? read_checkpoint(folder, last_checkpoint) : read_trained(folder));
  const std::string system = checkpoints.front().config.system;
  for (const Checkpoint& c : checkpoints)
    if (c.config.system != system) throw ConfigError("checkpoints of different systems cannot stand in one table");
  if (system == "clicks") run_clicks(o, std::move(checkpoints));
  else if (system == "actions") run_actions(o, checkpoints);
  else run_places(o, checkpoints);
}

}  // namespace

void add_evaluate(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("evaluate", "figures of a checkpoint beside the counting predictors");
  command->add_option("--checkpoint", o->checkpoints, "folder that train wrote. Places: twice for one model trained with the target's time and one without. Clicks: as many as are to be compared with the first")->required();
  command->add_option("--data", o->data, "check-in file, click cache or action log")->required();
  command->add_option("--split", o->split, "which targets")->check(CLI::IsMember({"test", "validation"}))->capture_default_str();
  command->add_option("--weights", o->weights, "those of the best validation epoch, or the last")->check(CLI::IsMember({"best", "last"}))->capture_default_str();
  command->add_option("--truth", o->truth, "what generate-clicks (by default beside --data) or generate-world wrote: the best possible stands in the table");
  command->add_option("--json", o->json, "also write the figures to this file");
  command->add_option("--report", o->report, "also write an HTML report to this file");
  command->add_option("--requests", o->requests, "models fine-tuned on requests: the request log")->check(CLI::ExistingFile);
  command->add_option("--targets", o->targets, "models of actions: how many targets are drawn; 0: all")->check(CLI::Range(0, 1000000000))->capture_default_str();
  command->add_option("--index", o->index, "models of actions: folder of the index of places, where it is not where training found it");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
