// The report as text.

#include <string>
#include <vector>

#include "chronotope/eval/results.hpp"
#include "chronotope/eval/targets.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using text_table::align;
using text_table::fixed;
using text_table::Row;

Row make_row(const std::string& name, bool sees_time, const EvaluationResult& r, double shared) {
  Row row{name, sees_time ? "yes" : "no"};
  row.push_back(fixed(r.all.accuracy[0].mean));
  row.push_back(fixed(r.all.accuracy[0].standard_error));
  for (std::size_t i = 1; i < accuracy_cutoffs.size(); ++i) row.push_back(fixed(r.all.accuracy[i].mean));
  row.push_back(fixed(r.all.mrr.mean));
  row.push_back(fixed(r.revisit.accuracy[0].mean));
  row.push_back(fixed(r.discovery.accuracy[0].mean));
  row.push_back(fixed(shared));
  return row;
}

std::string verdict(const EvaluationReport& report, const ComparedModel& model, bool with_time) {
  const CounterComparison& c = model.comparison;
  const std::string inputs = with_time ? "with the target's time" : "without the target's time";
  std::string text = report.model + ", " + inputs + ": ";
  const std::string rival = c.against + " (" + fixed(c.counter) + "), the best counter that sees the same inputs";
  if (!(c.model > c.counter))
    text += "does NOT beat " + rival + ". It gives nothing here that counting does not give.";
  else if (!(c.difference.low > 0))
    text += "is ahead of " + rival + ", but by no more than chance may explain.";
  else
    text += "beats " + rival + ".";
  return text + "\n  acc@1 difference " + fixed(c.difference.difference) + ", interval " + fixed(c.difference.low) +
         " to " + fixed(c.difference.high) + " (paired bootstrap)\n";
}

}  // namespace

std::string format_report(const EvaluationReport& report) {
  std::vector<Row> rows{{"predictor", "sees time", "acc@1", "se", "acc@5", "acc@10", "acc@20", "mrr", "acc@1 revisit",
                         "acc@1 new", "ties shared"}};
  const auto model_row = [&](const ComparedModel& m, bool with_time) {
    rows.push_back(make_row(report.model, with_time, m.result, m.result.all.accuracy[0].mean));
  };
  if (report.with_time) model_row(*report.with_time, true);
  if (report.without_time) model_row(*report.without_time, false);
  for (const CounterResult& c : report.counters)
    rows.push_back(make_row(c.predictor.name, c.predictor.sees_time, c.result, c.shared.all.accuracy[0].mean));
  std::string text = std::string(split_name(report.split)) + ": " + std::to_string(report.targets) + " targets";
  if (!report.counters.empty()) {
    const EvaluationResult& any = report.counters.front().result;
    text += ", " + std::to_string(any.revisit.targets) + " revisits, " + std::to_string(any.discovery.targets) +
            " at places new to the user";
  }
  text += "\n" + align(rows);
  text += "Counters win their ties here; \"ties shared\" is acc@1 when equal scores share ranks, as a model's do.\n";
  if (report.with_time) text += verdict(report, *report.with_time, true);
  if (report.without_time) text += verdict(report, *report.without_time, false);
  return text;
}

}  // namespace chronotope
