// Tables of scored candidates: 8, 4, Figure 3; and of cleansing: 2.

#include <numeric>

#include "chronotope/data/cleansing.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "cli/tables_make.hpp"
#include "eval/logistic_fit.hpp"

namespace chronotope::cli {
namespace {

using Form = TableCell::Form;
using Scores = std::vector<float>;

/// The test requests' candidates: AUCs, and differences on the same candidates.
class TestClicks {
 public:
  explicit TestClicks(TableRuns& runs) : shown_(shown_candidates(runs.base().requests, runs.base().asked(Split::test))) {
    if (shown_.labels.clicked.empty()) throw DataError(runs.file().data.requests + ": has no request in the test split");
  }
  TableCell auc(const Scores& scores) const { return {auc_delong({scores, shown_.labels.clicked}, 0.95, shown_.users)}; }
  TableCell difference(const Scores& first, const Scores& second) const { return {auc_difference_delong({first, shown_.labels.clicked}, second, 0.95, shown_.users), Form::difference}; }
  std::string in_words() const {
    return std::to_string(shown_.labels.clicked.size()) + " candidates in " + std::to_string(shown_.labels.counts.size()) + " requests of the test split; errors and intervals by user (DeLong).";
  }

 private:
  ShownCandidates shown_;
};

/// Scores that were measured, by name of run.
Scores test_scores(TableRuns& runs, const std::string& run) { return runs.scores(run, Split::test); }

struct Step {
  std::string name, run, against, against_name;  ///< its run, and the one that the paper compares it with
  int expected = 0;                              ///< sign of the difference in the paper
};

std::vector<Step> table_8_steps(bool vectors) {
  const std::string embed = "embedding-based ranking SFT", rank = "generative ranking SFT";
  std::vector<Step> steps{{embed + " from scratch", "embed-scratch", "embed", embed, -1}, {embed, "embed", "", "", 0}};
  if (vectors) steps.push_back({embed + " + vectors", "embed-vectors", "embed", embed, 1});
  steps.insert(steps.end(), {{rank + " from scratch", "rank-scratch", "rank", rank, -1}, {rank, "rank", "embed", embed, 1}});
  if (vectors) steps.push_back({rank + " + vectors", "rank-vectors", "rank", rank, 1});
  return steps;
}

void add_best_possible(ResultTable& table, TableRuns& runs, const TestClicks& test) {
  const std::string& truth = runs.file().data.truth_requests;
  if (!truth.empty()) table.rows.push_back({"best possible", {test.auc(true_clicks(truth, runs.base().requests, runs.base().asked(Split::test))), {}}});
}

/// Scores of several sources as rows of features.
Scores side_by_side(std::span<const Scores> columns) {
  Scores rows;
  for (std::size_t i = 0; i < columns[0].size(); ++i)
    for (const Scores& column : columns) rows.push_back(column[i]);
  return rows;
}

/// A logistic regression over scores, fitted on validation requests, on the test requests.
class Combination {
 public:
  Combination(TableRuns& runs, std::vector<std::uint8_t> labels) : runs_(runs), labels_(std::move(labels)) {}

  Scores operator()(std::span<const std::string> names) const {
    const std::vector<double> weights = counting::fit_logistic(features(names, Split::validation), labels_, 1);
    const Scores rows = features(names, Split::test);
    Scores combined;
    for (auto row = rows.begin(); row != rows.end(); row += static_cast<std::ptrdiff_t>(names.size()))
      combined.push_back(static_cast<float>(std::inner_product(weights.begin() + 1, weights.end(), row, weights[0])));
    return combined;
  }

 private:
  Scores features(std::span<const std::string> names, Split split) const {
    std::vector<Scores> columns;
    for (const std::string& name : names) columns.push_back(name == "counting" ? runs_.counted_logistic(split) : runs_.scores(name, split));
    return side_by_side(columns);
  }

  TableRuns& runs_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace

ResultTable make_table_8(TableRuns& runs) {
  const TestClicks test(runs);
  ResultTable table{"table_8", "Table 8: AUC of fine-tuning", "methods", {"AUC", "minus the one it is compared with"}, {}, {}};
  for (const Step& step : table_8_steps(!runs.file().data.vectors.empty())) {
    const Scores own = test_scores(runs, step.run);
    TableRow row{step.name, {test.auc(own), {}}};
    if (!step.against.empty()) {
      row.cells[1] = test.difference(own, test_scores(runs, step.against));
      table.notes.push_back(step.name + " minus " + step.against_name + ": " + difference_in_words(row.cells[1]->value, step.expected));
    }
    table.rows.push_back(std::move(row));
  }
  const Scores counted = runs.counted_logistic(Split::test);
  table.rows.push_back({"counting: logistic", {test.auc(counted), {}}});
  table.notes.push_back(comparison_in_words("generative ranking SFT", test.difference(test_scores(runs, "rank"), counted).value, "the logistic regression of counts"));
  add_best_possible(table, runs, test);
  table.notes.push_back(test.in_words());
  return table;
}

ResultTable make_table_4(TableRuns& runs) {
  const TestClicks test(runs);
  const auto validation = runs.base().asked(Split::validation);
  if (validation.empty()) throw DataError(runs.file().data.requests + ": has no request in the validation split, on which Table 4 weighs the scores");
  const Combination combine(runs, runs.base().requests.labels(validation).clicked);
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows{{"counting model", {"counting"}},
                                                                           {"+ embedding-based ranking SFT", {"counting", "embed"}},
                                                                           {"+ generative ranking SFT", {"counting", "rank"}},
                                                                           {"+ embedding-based ranking & generative ranking SFT", {"counting", "embed", "rank"}}};
  ResultTable table{"table_4", "Table 4: AUC of a counting model with the fine-tunings' scores added", "methods", {"AUC", "minus counting model"}, {}, {}};
  const Scores alone = combine(rows[0].second);
  for (const auto& [name, parts] : rows) {
    const Scores own = combine(parts);
    table.rows.push_back({name, {test.auc(own), {}}});
    if (parts.size() == 1) continue;
    table.rows.back().cells[1] = test.difference(own, alone);
    table.notes.push_back(name + ": " + difference_in_words(table.rows.back().cells[1]->value, 1));
  }
  add_best_possible(table, runs, test);
  table.notes.push_back("The counting model, a logistic regression of counts, stands in for the paper's online model; scores are weighed by a logistic regression on the validation requests.");
  table.notes.push_back(test.in_words());
  return table;
}

ResultTable make_figure_3(TableRuns& runs) {
  const TestClicks test(runs);
  const auto& lengths = runs.file().lengths;
  ResultTable table{"figure_3", "Figure 3: AUC of generative ranking SFT by length of the history", "actions", {"AUC", "minus the shortest"}, {}, {}};
  LineFigure figure{"AUC of generative ranking SFT (95 % intervals by user)", "most actions of a history", {}, {{"generative ranking SFT", true, {}}}};
  const Scores shortest = test_scores(runs, length_run(runs.file(), lengths.front()));
  for (const std::int64_t length : lengths) {
    const Scores own = test_scores(runs, length_run(runs.file(), length));
    table.rows.push_back({std::to_string(length), {test.auc(own), {}}});
    if (length != lengths.front()) table.rows.back().cells[1] = test.difference(own, shortest);
    figure.x.push_back(std::to_string(length));
    figure.lines[0].values.push_back(table.rows.back().cells[0]->value);
  }
  if (lengths.size() > 1) table.notes.push_back("longest minus shortest: " + difference_in_words(table.rows.back().cells[1]->value, 1));
  table.notes.push_back(test.in_words());
  table.figures = {figure};
  return table;
}

ResultTable make_table_2(const TablesFile& file) {
  const CleansingReport report = cleanse(actions_in(file.data.raw), file.cleansing, [](const LoggedAction&) {});
  ResultTable table{"table_2", "Table 2: data cleansing", "filtering step", {"sequences", "actions", "filter ratio (action level)"}, {}, {}};
  const auto row = [&](const char* name, const CleansingStep& step, const CleansingStep* before) {
    table.rows.push_back({name, {plain_cell(static_cast<double>(step.sequences), Form::count), plain_cell(static_cast<double>(step.actions), Form::count), {}}});
    if (before) table.rows.back().cells[2] = plain_cell(1 - static_cast<double>(step.actions) / static_cast<double>(before->actions), Form::share);
  };
  row("coarse data", report.coarse, nullptr), row("+ action level", report.action_level, &report.coarse), row("+ sequence level", report.sequence_level, &report.action_level);
  for (const std::string& category : report.unseen_categories) table.notes.push_back("No action has the functional category \"" + category + "\": is it misspelt?");
  return table;
}

}  // namespace chronotope::cli
