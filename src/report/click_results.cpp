// Click models among the others: bars, differences, calibration and the tables of the numbers.

#include <algorithm>
#include <cmath>

#include "bars.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

using Measure = MeasuredInterval PredictorResult::*;
using Difference = MeasuredInterval ClickDifference::*;

std::string style_of(const PredictorResult& p) {
  if (p.kind == PredictorKind::best_possible) return "best";
  if (p.kind == PredictorKind::counter) return "counter timed";
  return p.difference ? "model untimed" : "model timed";
}

Bar bar_of(const PredictorResult& p, const MeasuredInterval& i, std::string text) {
  return {p.name, std::move(text), style_of(p), !p.difference, i.value, i.low, i.high};
}

// Best first; what has no value is left out.
template <class Value> std::vector<const PredictorResult*> ranked(const ClickSubset& subset, Value value) {
  std::vector<const PredictorResult*> list;
  for (const PredictorResult& p : subset.predictors)
    if (const MeasuredInterval* i = value(p); i && std::isfinite(i->value)) list.push_back(&p);
  std::stable_sort(list.begin(), list.end(), [&](auto* a, auto* b) { return value(*a)->value > value(*b)->value; });
  return list;
}

// Of all ends, with `base` inside and room to the right, where the numbers stand.
Range range_with(const std::vector<Bar>& bars, double base, Range limits) {
  std::vector<double> ends{base};
  for (const Bar& b : bars) ends.insert(ends.end(), {b.value, b.low, b.high});
  const Range range = range_of(ends);
  const double room = .03 * (range.high - range.low);
  return {std::max(limits.low, range.low < base ? range.low - room : base),
          std::min(limits.high, range.high + room)};
}

std::string measure_figure(const ClickSubset& subset, const std::string& name, Measure measure) {
  std::vector<Bar> bars;
  for (const PredictorResult* p : ranked(subset, [&](const PredictorResult& r) { return &(r.*measure); }))
    bars.push_back(bar_of(*p, p->*measure, fixed((p->*measure).value, 4)));
  return figure(name + "; bars begin at .5, which guessing reaches",
                bars_drawing(bars, {range_with(bars, .5, {0, 1}), .5, name + " of every predictor, best first"}));
}

std::string difference_figure(const ClickSubset& subset, const std::string& name, Difference measure) {
  const auto value = [&](const PredictorResult& r) { return r.difference ? &((*r.difference).*measure) : nullptr; };
  std::vector<Bar> bars;
  for (const PredictorResult* p : ranked(subset, value)) {
    bars.push_back(bar_of(*p, *value(*p), with_sign(value(*p)->value, 4)));
  }
  if (bars.empty()) return {};
  const std::string caption = name + " minus that of " + shorten(subset.predictors.front().name, 40) + ", paired intervals";
  return figure(caption, bars_drawing(bars, {range_with(bars, 0, {-1, 1}), 0, caption}));
}

std::string legend(const ClickSubset& subset) {
  const auto any = [&](const std::string& style) {
    return std::any_of(subset.predictors.begin(), subset.predictors.end(), [&](const auto& p) { return style_of(p) == style; });
  };
  std::string items = swatch(style_of(subset.predictors.front()), escape(shorten(subset.predictors.front().name, 40)));
  if (any("model untimed")) items += swatch("model untimed", "other models");
  if (any("counter timed")) items += swatch("counter timed", "predictors that only count");
  if (any("best")) items += swatch("best", "best possible: the truth of the generated log");
  return "<ul class=\"legend\">" + items + "</ul>";
}

std::string row_head(const PredictorResult& p) {
  return "<tr" + std::string(p.difference ? "" : " class=\"chosen\"") + "><th scope=\"row\">" + escape(shorten(p.name, 60)) +
         (p.kind == PredictorKind::counter ? " (counter)" : "") + "</th>";
}

std::string measures_row(const PredictorResult& p) {
  return row_head(p) + interval_cell(p.auc, false) + interval_cell(p.gauc, false) + "<td>" +
         (p.log_loss.impossible ? "infinite" : fixed(p.log_loss.mean, 4)) + "</td><td>" + fixed(p.calibration.ratio, 3) + "</td><td>" +
         fixed(p.calibration.expected_error, 4) + "</td></tr>\n";
}

// The truth is a column.
std::string differences_row(const PredictorResult& p) {
  if (p.kind == PredictorKind::best_possible || (!p.difference && !p.gap)) return {};
  return row_head(p) +
         (p.difference ? interval_cell(p.difference->auc, true) + interval_cell(p.difference->gauc, true) : "<td>reference</td><td></td>") +
         (p.gap ? interval_cell(p.gap->auc, true) : "") + "</tr>\n";
}

std::string table_around(const std::string& head, const std::string& rows) {
  return "<div class=\"scroll\"><table><thead><tr><th>predictor</th>" + head + "</tr></thead><tbody>" + rows + "</tbody></table></div>\n";
}

std::string subset_title(const ClickSubset& s, bool semi_synthetic) {
  return (s.name == "all" ? std::string("All rows") : "Rows: " + escape(shorten(s.name, 40))) + synthetic_note(semi_synthetic) + ": " + counted(s.rows, "row", "rows") + ", " +
         whole(static_cast<std::int64_t>(s.clicks)) + " positive; GAUC over " + counted(s.users, "user", "users") + ", " +
         whole(static_cast<std::int64_t>(s.users_left_out)) + " of one class left out" +
         (s.users < 30 ? "; intervals over so few users are too narrow" : "");
}

std::string tables_of(const ClickSubset& s, bool semi_synthetic) {
  if (s.predictors.empty()) return {};
  std::string measures, differences;
  for (const PredictorResult& p : s.predictors) measures += measures_row(p), differences += differences_row(p);
  const std::string minus = " minus " + escape(shorten(s.predictors.front().name, 24));
  const std::string truth = s.predictors.front().gap ? "<th>best possible AUC minus this</th>" : "";
  return "<h3>" + subset_title(s, semi_synthetic) + "</h3>" +
         table_around("<th>AUC</th><th>GAUC</th><th>log loss</th><th>predicted / observed</th><th>calibration error</th>", measures) +
         (differences.empty() ? "" : table_around("<th>AUC" + minus + "</th><th>GAUC" + minus + "</th>" + truth, differences));
}

std::string task_section(const ClickReport& report, const ClickTaskResult& task) {
  if (task.subsets.empty() || task.subsets.front().predictors.empty()) return {};
  const ClickSubset& all = task.subsets.front();
  const std::string drawings =
      measure_figure(all, "AUC", &PredictorResult::auc) + difference_figure(all, "AUC", &ClickDifference::auc) +
      measure_figure(all, "GAUC", &PredictorResult::gauc) + difference_figure(all, "GAUC", &ClickDifference::gauc) +
      figure("Calibration: share of positives for each predicted probability", calibration_drawing(all));
  const std::string pair = drawings.empty() ? "" : legend(all) + "<div class=\"pair\">" + drawings + "</div>\n";
  std::string tables;
  for (const ClickSubset& s : task.subsets)
    tables += s.rows ? tables_of(s, report.semi_synthetic) : "<p class=\"remark\">" + subset_title(s, report.semi_synthetic) + ".</p>";
  return section(escape(shorten(task.name, 60)) + synthetic_note(report.semi_synthetic),
                 pair + "<p class=\"remark\">Whiskers are " + fixed(100 * report.level, 0) +
                     " % intervals: for AUC DeLong’s with the variance by users, for GAUC of a bootstrap over users.</p>" + tables);
}

}  // namespace

std::string interval_cell(const MeasuredInterval& i, bool difference) {
  const auto text = [&](double value) { return difference ? with_sign(value, 4) : fixed(value, 4); };
  std::string cell = "<td>" + text(i.value);
  if (std::isfinite(i.low) && std::isfinite(i.high)) cell += "<span class=\"error\"> " + text(i.low) + " to " + text(i.high) + "</span>";
  return cell + "</td>";
}

std::string synthetic_note(bool semi_synthetic) { return semi_synthetic ? " (semi-synthetic)" : ""; }

std::string clicks_part(const ReportContent& content) {
  if (!content.clicks) return {};
  std::string sections;
  for (const ClickTaskResult& task : content.clicks->tasks) sections += task_section(*content.clicks, task);
  return sections;
}

}  // namespace chronotope::report
