// The model among the counters: bars and the table of the numbers.

#include <algorithm>
#include <cmath>

#include "bars.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

double accuracy(const EvaluationResult& result, std::size_t cutoff) { return result.all.accuracy[cutoff].mean; }

// Accuracies are shares; anything else cannot be drawn as one.
double share(double value) { return std::isfinite(value) ? std::clamp(value, 0.0, 1.0) : 0; }

std::vector<Bar> bars_of(const EvaluationReport& report, std::size_t cutoff) {
  std::vector<Bar> bars;
  for (const Contender& c : ranked_contenders(report, cutoff)) {
    const Estimate& e = c.result->all.accuracy[cutoff];
    if (!std::isfinite(e.mean)) continue;
    const std::string kind = std::string(c.is_model ? "model" : "counter") + (c.sees_time ? " timed" : " untimed");
    bars.push_back({c.name, fixed(e.mean, 4), kind, c.is_model, e.mean, e.mean - e.standard_error, e.mean + e.standard_error});
  }
  return bars;
}

std::string accuracy_drawing(const EvaluationReport& report, std::size_t cutoff, const std::string& measure) {
  const std::vector<Bar> bars = bars_of(report, cutoff);
  double most = 0;
  for (const Bar& b : bars) most = std::max({most, share(b.value), share(b.high)});
  return bars_drawing(bars, {{0, most > 0 ? std::min(1.0, most * 1.03) : 1}, 0, measure + " of the model and of the counters, best first"});
}

std::string legend(const EvaluationReport& report) {
  const auto any_counter = [&](bool timed) {
    return std::any_of(report.counters.begin(), report.counters.end(),
                       [&](const CounterResult& c) { return c.predictor.sees_time == timed; });
  };
  std::string items;
  if (report.with_time) items += swatch("model timed", "model, told the target’s time");
  if (report.without_time) items += swatch("model untimed", "model, not told");
  if (any_counter(true)) items += swatch("counter timed", "counter that sees the target’s time");
  if (any_counter(false)) items += swatch("counter untimed", "counter that does not");
  return "<ul class=\"legend\">" + items + "</ul>";
}

std::string cell(double value) { return "<td>" + fixed(value, 4) + "</td>"; }

std::string table_row(const Contender& c) {
  const Metrics& all = c.result->all;
  std::string row = "<tr" + std::string(c.is_model ? " class=\"chosen\"" : "") + "><th scope=\"row\">" +
                    escape(shorten(c.name, 60)) + "</th><td>" + (c.sees_time ? "yes" : "no") + "</td>";
  row += "<td>" + fixed(all.accuracy[0].mean, 4) + "<span class=\"error\"> ±" +
         fixed(all.accuracy[0].standard_error, 4) + "</span></td>";
  for (std::size_t i = 1; i < accuracy_cutoffs.size(); ++i) row += cell(all.accuracy[i].mean);
  row += cell(all.mrr.mean) + cell(c.result->revisit.accuracy[0].mean) + cell(c.result->discovery.accuracy[0].mean) +
         cell(c.ties_won);
  return row + "</tr>\n";
}

const char* const table_head =
    "<thead><tr><th>predictor</th><th>sees time</th><th>acc@1 ±se</th><th>acc@5</th><th>acc@10</th><th>acc@20</th>"
    "<th>MRR</th><th>acc@1 revisit</th><th>acc@1 new</th><th>acc@1 ties won</th></tr></thead>";

std::string kinds_of_targets(const EvaluationReport& report) {
  const std::vector<Contender> all = ranked_contenders(report, 0);
  if (all.empty()) return {};
  const EvaluationResult& any = *all.front().result;
  return "“Revisit” is acc@1 over the " + counted(any.revisit.targets, "target", "targets") +
         " at a place where the user was before, “new” over the other " +
         whole(static_cast<std::int64_t>(any.discovery.targets)) + ". ";
}

}  // namespace

std::vector<Contender> ranked_contenders(const EvaluationReport& report, std::size_t cutoff) {
  std::vector<Contender> all;
  const auto add_model = [&](const std::optional<ComparedModel>& model, bool timed) {
    if (model) all.push_back({report.model, true, timed, &model->result, accuracy(model->result, 0)});
  };
  add_model(report.with_time, true);
  add_model(report.without_time, false);
  for (const CounterResult& c : report.counters)
    all.push_back({c.predictor.name, false, c.predictor.sees_time, &c.shared, accuracy(c.result, 0)});
  const auto key = [&](const Contender& c) {
    const double value = accuracy(*c.result, cutoff);
    return std::isfinite(value) ? value : -1;
  };
  std::stable_sort(all.begin(), all.end(), [&](const Contender& a, const Contender& b) { return key(a) > key(b); });
  return all;
}

std::string results_table(const EvaluationReport& report) {
  std::string rows;
  for (const Contender& c : ranked_contenders(report, 0)) rows += table_row(c);
  if (rows.empty()) return {};
  return "<div class=\"scroll\"><table class=\"results\">" + std::string(table_head) + "<tbody>" + rows +
         "</tbody></table></div><p class=\"remark\">" + kinds_of_targets(report) +
         "Equal scores share their ranks; “ties won” is acc@1 when a counter is given all of its ties.</p>";
}

std::string accuracy_part(const ReportContent& content) {
  if (!content.evaluation) return {};
  const EvaluationReport& report = *content.evaluation;
  const std::string drawings =
      figure("acc@1: the place is the first guess", accuracy_drawing(report, 0, "acc@1")) +
      figure("acc@10: the place is among the first ten", accuracy_drawing(report, 2, "acc@10"));
  const std::string pair =
      drawings.empty() ? ""
                       : legend(report) + "<div class=\"pair\">" + drawings +
                             "</div><p class=\"remark\">Whiskers: ±1 standard error of each mean. All rank the same "
                             "targets, so differences are known better than the whiskers suggest; see the paired "
                             "interval above.</p>";
  return section("Accuracy on the same targets", pair + results_table(report));
}

}  // namespace chronotope::report
