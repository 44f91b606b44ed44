#include "cli/tables_file.hpp"

#include <algorithm>

#include "chronotope/train/action_run.hpp"
#include "cli/cleansing_rules.hpp"
#include "cli/json_section.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::json;

/// "config" under the section of a stage, whose keys without a dot are those of "training".
Config stage_config(const JsonSection& file, const std::string& section, const Config& base) {
  const JsonSection common = file.part("config"), own = file.part(section);
  for (const JsonSection& s : {common, own})
    if (!s.json.is_object()) throw ConfigError(s.source + ": must be a JSON object");
  Json merged = common.json, changes = Json::object();
  for (const auto& [key, value] : own.json.items()) {
    std::string pointer = "/" + (key.find('.') == std::string::npos ? "training." + key : key);
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    try {
      changes[Json::json_pointer(pointer)] = value;
    } catch (const Json::exception&) {
      throw ConfigError(own.source + ": \"" + key + "\" is no name of a key, or contradicts another");
    }
  }
  merged.merge_patch(changes);
  return parse_config(merged.dump(-1, ' ', false, Json::error_handler_t::replace), file.source + ": config and " + section, base);
}

TablesData read_data(const JsonSection& data) {
  data.check_keys({"raw", "actions", "requests", "index", "vectors", "truth_actions", "truth_requests"});
  TablesData d;
  data.read("raw", d.raw), data.read("actions", d.actions), data.read("requests", d.requests), data.read("index", d.index);
  data.read("vectors", d.vectors), data.read("truth_actions", d.truth_actions), data.read("truth_requests", d.truth_requests);
  return d;
}

void read_configs(const JsonSection& file, TablesFile& tables) {
  Config base;
  base.system = "actions", base.actions.index = tables.data.index;
  tables.pretrain = stage_config(file, "pretrain", base);
  use_stage_rates(base.training, "rank");
  tables.finetune = stage_config(file, "finetune", base);
  use_stage_rates(base.training, "align");
  tables.align = stage_config(file, "align", base);
  for (Config* c : {&tables.pretrain, &tables.finetune, &tables.align})
    if (c->system != "actions" || c->actions.index != tables.data.index || c->stage.name != "pretrain" || !c->stage.from.empty())
      throw ConfigError(file.source + ": \"system\", \"actions.index\", \"stage.name\" and \"stage.from\" are filled in for every run: leave them out");
}

std::vector<std::string> wanted_of(const JsonSection& file) {
  std::vector<std::string> wanted;
  for (const std::int64_t n : file.numbers("tables", {2, 4, 5, 7, 8, 9})) wanted.push_back(std::to_string(n));
  for (const std::int64_t n : file.numbers("figures", {3, 4})) wanted.push_back("figure" + std::to_string(n));
  return wanted;
}

/// In the order they are made, once each.
std::vector<std::string> in_order(const std::vector<std::string>& wanted, const std::string& source) {
  std::vector<std::string> ordered;
  for (const std::string& w : wanted)
    if (std::find(all_tables().begin(), all_tables().end(), w) == all_tables().end())
      throw ConfigError(source + ": there is no " + (w.rfind("figure", 0) == 0 ? w : "table " + w) + "; tables are 2, 4, 5, 7, 8 and 9, figures 3 and 4");
  for (const std::string& t : all_tables())
    if (std::find(wanted.begin(), wanted.end(), t) != wanted.end()) ordered.push_back(t);
  if (ordered.empty()) throw ConfigError(source + ": no table and no figure is wanted");
  return ordered;
}

void need(const TablesFile& file, const std::string& value, const char* key, const std::vector<std::string>& for_what, const std::string& source) {
  for (const std::string& what : for_what)
    if (value.empty() && file.wants(what)) throw ConfigError(source + ": \"data\" needs \"" + key + "\" for " + (what.rfind("figure", 0) == 0 ? what : "table " + what));
}

void check(const TablesFile& file, const std::string& source) {
  need(file, file.data.raw, "raw", {"2"}, source);
  need(file, file.data.actions, "actions", {"7", "8", "4", "9", "figure3", "figure4", "5"}, source);
  need(file, file.data.index, "index", {"7", "8", "4", "9", "figure3", "figure4", "5"}, source);
  need(file, file.data.requests, "requests", {"8", "4", "9", "figure3", "figure4", "5"}, source);
  if (!file.wants("figure3")) return;
  if (file.lengths.empty()) throw ConfigError(source + ": \"lengths\" must not be empty");
  for (const std::int64_t length : file.lengths)
    if (length < 2 || length > 65536) throw ConfigError(source + ": \"lengths\" must be 2 to 65536 actions");
  if (file.pretrain.model.decoder == "gpt") throw ConfigError(source + ": figure 3 needs model.decoder=llama; the positions that gpt learns are of one length");
}

}  // namespace

bool TablesFile::wants(const std::string& what) const { return std::find(wanted.begin(), wanted.end(), what) != wanted.end(); }

const std::vector<std::string>& all_tables() {
  static const std::vector<std::string> all{"2", "7", "8", "4", "9", "figure3", "figure4", "5"};
  return all;
}

TablesFile read_tables_file(const std::string& path, const std::vector<std::string>& only) {
  const Json json = read_json(path);
  const JsonSection file{json, path};
  file.check_keys({"data", "cleansing", "config", "pretrain", "finetune", "align", "lengths", "targets", "tables", "figures", "judge"});
  TablesFile tables;
  tables.data = read_data(file.part("data"));
  tables.cleansing = cleansing_rules(file.part("cleansing"));
  read_configs(file, tables);
  tables.lengths = file.numbers("lengths", tables.lengths);
  std::sort(tables.lengths.begin(), tables.lengths.end());
  tables.lengths.erase(std::unique(tables.lengths.begin(), tables.lengths.end()), tables.lengths.end());
  file.read("targets", tables.targets, 0);
  const JsonSection judge = file.part("judge");
  judge.check_keys({"command", "cases"});
  judge.read("command", tables.judge), judge.read("cases", tables.cases, 1);
  tables.wanted = in_order(wanted_of(file), path);
  if (!only.empty()) tables.wanted = in_order(only, "--only");
  check(tables, path);
  return tables;
}

}  // namespace chronotope::cli
