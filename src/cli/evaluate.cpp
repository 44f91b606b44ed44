// chronotope evaluate

#include <cstdio>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"
#include "cli/commands.hpp"
#include "cli/evaluation.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::vector<std::string> checkpoints;
  std::string data, split = "test", json, report;
  Device device;
};

void run(const Options& o) {
  const Split split = o.split == "test" ? Split::test : Split::validation;
  const CheckinTable table = read_checkins(o.data);
  if (evaluation_targets(table, split).empty())
    throw DataError(o.data + ": no row is a target of the " + o.split + " split: there is nothing to evaluate (docs/data.md)");
  const EvaluationReport report = evaluate_checkpoints(o.checkpoints, table, split, o.device);
  std::fputs(format_report(report).c_str(), stdout);
  if (!o.json.empty()) write_file_atomically(o.json, report_json(report));
  if (!o.report.empty()) write_report(o.report, report_content(o.checkpoints.front(), table, split, report, o.device, o.data));
}

}  // namespace

void add_evaluate(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("evaluate", "accuracy of a checkpoint beside the counting predictors");
  command->add_option("--checkpoint", o->checkpoints, "folder that train wrote; twice for one model trained with the target's time and one without")->required()->expected(1, 2);
  command->add_option("--data", o->data, "check-in file")->required();
  command->add_option("--split", o->split, "which targets")->check(CLI::IsMember({"test", "validation"}))->capture_default_str();
  command->add_option("--json", o->json, "also write the figures to this file");
  command->add_option("--report", o->report, "also write an HTML report to this file");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
