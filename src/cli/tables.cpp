// chronotope tables: the tables and figures of Spacetime-GR from one config.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/report/report.hpp"
#include "cli/commands.hpp"
#include "cli/tables_make.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string config, out;
  std::vector<std::string> only;
  Device device;
};

constexpr const char* teaching =
    "Trains what the tables of Spacetime-GR need, each run in a folder of its own below --out, and prints Tables 2 (cleansing),\n"
    "7 (pre-training without one part at a time), 8 (fine-tunings), 4 (their scores added to a counting model), 9 (alignment),\n"
    "5 (a judge between lists) and Figures 3 (length of histories) and 4 (discovery rate), with standard errors by user, beside\n"
    "counting predictors and, where the truth is given, the best possible. Killed, the same command goes on where it was.\n"
    "Below --out lie then tables.md, tables.json and report.html, which has the figures drawn.\n\n"
    "On a generated world (docs/config.md describes the file; names in it are from the working directory):\n"
    "  chronotope generate-world world\n"
    "  chronotope clean --data world/actions.csv.gz --out world/clean.csv.gz --functional Residence Office Hospital \\\n"
    "      School Parking Station Bank\n"
    "  chronotope index build --places world/places.csv.gz --out world/places.index\n"
    "  chronotope tables --config configs/tables_world.json --out tables\n\n"
    "One table of it:\n"
    "  chronotope tables --config configs/tables_world.json --out tables --only 7";

ResultTable make(const std::string& what, TableRuns& runs) {
  if (what == "2") return make_table_2(runs.file());
  if (what == "4") return make_table_4(runs);
  if (what == "5") return make_table_5(runs);
  if (what == "7") return make_table_7(runs);
  if (what == "8") return make_table_8(runs);
  if (what == "9") return make_table_9(runs);
  return what == "figure3" ? make_figure_3(runs) : make_figure_4(runs);
}

void write_tables(const Options& o, const TablesFile& file, const std::vector<ResultTable>& tables) {
  std::string markdown = "# Tables of Spacetime-GR on " + (file.data.actions.empty() ? file.data.raw : file.data.actions) + "\n";
  for (const ResultTable& table : tables) markdown += "\n" + result_table_markdown(table);
  write_file_atomically(o.out + "/tables.md", markdown);
  write_file_atomically(o.out + "/tables.json", result_tables_json(tables));
  ReportContent content;
  content.title = "Tables of Spacetime-GR";
  content.tables = tables;
  content.facts = {{"Actions", file.data.actions}, {"Requests", file.data.requests}, {"Index", file.data.index}, {"Tables", o.config}, {"Seed", std::to_string(file.pretrain.seed)}, {"Backend", o.device.describe()}};
  if (!file.data.truth_actions.empty()) content.facts.emplace_back("Truth", "of a generated world: " + file.data.truth_actions);
  content.config_json = to_json(file.pretrain);
  write_report(o.out + "/report.html", content);
}

void run(const Options& o) {
  const TablesFile file = read_tables_file(o.config, o.only);
  TableRuns runs(file, o.out, o.device);
  std::vector<ResultTable> tables;
  for (const std::string& what : file.wanted) {
    tables.push_back(make(what, runs));
    std::printf("%s%s", tables.size() > 1 ? "\n" : "", format_result_table(tables.back()).c_str());
    std::fflush(stdout);
    write_tables(o, file, tables);
  }
}

}  // namespace

void add_tables(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tables", "train and print the tables and figures of Spacetime-GR; killed, it goes on where it was");
  command->footer(teaching);
  command->add_option("--config", o->config, "data, config and tables, such as configs/tables_world.json (docs/config.md)")->required()->check(CLI::ExistingFile);
  command->add_option("--out", o->out, "folder for the runs' folders and the tables")->required();
  command->add_option("--only", o->only, "make these alone: 2, 4, 5, 7, 8, 9, figure3, figure4");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
