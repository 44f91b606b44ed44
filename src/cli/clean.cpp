// chronotope clean: marks functional actions and drops users who only repeat themselves.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/cleansing_report.hpp"
#include "cli/cleansing_rules.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string data, out, json, rules;
  // What flags say instead of the file; nothing where they are not given.
  std::vector<std::string> functional, search_types, click_types;
  std::optional<double> most_searched, least_richness;
};

constexpr const char* teaching =
    "Reads an action log (CSV or JSON lines, columns in docs/data.md) or a check-in file, plain or gzip'ed.\n"
    "1. Action level: a place is functional by its category or by its searches a click; its actions get interest 0,\n"
    "   all others 1. Nothing is deleted.\n"
    "2. Sequence level: users with few distinct places an interest-based action, or without any, are dropped.\n"
    "Then it prints what each level took away.\n\n"
    "Which categories are functional depends on the data; without --functional none is:\n"
    "  chronotope clean --data nyc.csv.gz --out clean.csv.gz --functional \"Home (private)\" Office Subway\n"
    "With searches and clicks in the log, a place searched for more than twice a click is functional with\n"
    "  chronotope clean --data log.jsonl --out clean.jsonl --most-searched 2\n\n"
    "Rules can stand in a file too (docs/config.md); flags go before it:\n"
    "  chronotope clean --data log.jsonl --out clean.jsonl --rules rules.json";

CleansingRules rules_of(const Options& o) {
  CleansingRules rules;
  if (!o.rules.empty()) {
    const nlohmann::json json = read_json(o.rules);
    rules = cleansing_rules({json, o.rules});
  }
  if (!o.functional.empty()) rules.functional_categories = o.functional;
  if (!o.search_types.empty()) rules.search_types = o.search_types;
  if (!o.click_types.empty()) rules.click_types = o.click_types;
  rules.most_searched = o.most_searched.value_or(rules.most_searched);
  rules.least_richness = o.least_richness.value_or(rules.least_richness);
  return rules;
}

void run(const Options& o) {
  if (o.json == o.out) throw ConfigError("--json and --out both name " + o.out + "; give them a name each");
  std::optional<AtomicFile> figures;
  if (!o.json.empty()) figures.emplace(o.json);  // before the work: a name that cannot be written is known at once
  const CleansingReport report = cleanse_file(o.data, o.out, rules_of(o));
  if (figures) figures->write(cleansing_json(report)), figures->commit();
  std::printf("%s", format_cleansing(report).c_str());
}

}  // namespace

void add_clean(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("clean", "mark functional actions, drop users who only repeat themselves (data cleansing)");
  command->footer(teaching);
  command->add_option("--data", o->data, "action log or check-in file")->required();
  command->add_option("--out", o->out, "action log to write: .csv, .jsonl or .columns (binary), gzip'ed with .gz behind it")->required();
  command->add_option("--functional", o->functional, "categories of functional places, to the letter");
  command->add_option("--most-searched", o->most_searched, "places with more searches a click are functional (off if not given)");
  command->add_option("--search-types", o->search_types, "action types that are searches (search)");
  command->add_option("--click-types", o->click_types, "action types that are clicks (click)");
  command->add_option("--least-richness", o->least_richness, "users with fewer distinct places an action are dropped (0.3)");
  command->add_option("--rules", o->rules, "file with any of these rules (JSON, docs/config.md)")->check(CLI::ExistingFile);
  command->add_option("--json", o->json, "file for the figures");
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
