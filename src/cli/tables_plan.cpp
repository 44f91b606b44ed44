// Which trainings the tables need.

#include <algorithm>

#include "cli/tables_runs.hpp"

namespace chronotope::cli {
namespace {

class Plan {
 public:
  Plan(const TablesFile& file, std::string out) : file_(file), out_(std::move(out)) {}

  template <class Change> void pretrain(const std::string& name, Change change) {
    Config config = file_.pretrain;
    change(config);
    add(name, "", config);
  }
  void pretrain() {
    pretrain(pretrain_run, [](Config&) {});
  }
  template <class Change> void stage(const std::string& name, const std::string& stage, const std::string& after, Change change) {
    Config config = stage == "align" ? file_.align : file_.finetune;
    config.stage.name = stage;
    if (!after.empty()) config.stage.from = out_ + "/" + after;
    change(config);
    add(name, after, config);
  }
  void fine_tuning(const std::string& stage_name, bool all) {
    stage(stage_name, stage_name, pretrain_run, [](Config&) {});
    if (!all) return;
    stage(stage_name + "-scratch", stage_name, "", [](Config&) {});
    if (!file_.data.vectors.empty()) stage(stage_name + "-vectors", stage_name, pretrain_run, [&](Config& c) { c.actions.vectors = file_.data.vectors; });
  }
  void preference(const std::string& name, const std::string& form) {
    stage(name, "align", pretrain_run, [&](Config& c) { c.stage.preference = form; });
  }
  void lengths() {
    const std::int64_t own = file_.pretrain.model.length, most = std::max(own, file_.lengths.back());
    const std::string start = most > own ? "pretrain-length-" + std::to_string(most) : pretrain_run;
    if (most > own) pretrain(start, [&](Config& c) { c.model.length = most; });
    for (const std::int64_t length : file_.lengths) stage(length_run(file_, length), "rank", start, [&](Config& c) { c.model.length = length; });
  }
  std::vector<TableRun> take() { return std::move(runs_); }

 private:
  void add(const std::string& name, const std::string& after, const Config& config) {
    const auto same = [&](const TableRun& r) { return r.name == name; };
    if (std::none_of(runs_.begin(), runs_.end(), same)) runs_.push_back({name, after, config});
  }

  const TablesFile& file_;
  std::string out_;
  std::vector<TableRun> runs_;
};

}  // namespace

std::string length_run(const TablesFile& file, std::int64_t length) {
  const bool plain = length == file.finetune.model.length && file.lengths.back() <= file.pretrain.model.length;
  return plain ? "rank" : "rank-length-" + std::to_string(length);
}

std::vector<TableRun> plan_runs(const TablesFile& file, const std::string& out) {
  Plan plan(file, out);
  for (const std::string& table : file.wanted)
    if (table != "2") plan.pretrain();
  if (file.wants("7")) {
    plan.pretrain("pretrain-gpt", [](Config& c) { c.model.decoder = "gpt", c.actions.spacetime = false; });
    plan.pretrain("pretrain-no-spacetime", [](Config& c) { c.actions.spacetime = false; });
    plan.pretrain("pretrain-hashed", [](Config& c) { c.actions.codes = "hashed"; });
    plan.pretrain("pretrain-no-curriculum", [](Config& c) { c.actions.curriculum = false; });
  }
  for (const char* stage : {"embed", "rank"})
    if (file.wants("8") || file.wants("4")) plan.fine_tuning(stage, file.wants("8"));
  if (file.wants("9") || file.wants("figure4") || file.wants("5")) plan.preference("dpo", "pairs");
  if (file.wants("9")) plan.preference("s-dpo", "softmax");
  if (file.wants("figure3")) plan.lengths();
  return plan.take();
}

}  // namespace chronotope::cli
