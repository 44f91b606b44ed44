// The report over click models as text.

#include <algorithm>

#include "chronotope/eval/targets.hpp"
#include "eval/measured_clicks.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using clicks::bounds;
using clicks::signed_bounds;
using text_table::fixed;
using text_table::Row;
using text_table::with_sign;

std::string plural(std::uint64_t n, const std::string& one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

std::string shown_name(const PredictorResult& p) {
  return p.kind == PredictorKind::counter ? p.name + " (counter)" : p.name;
}

std::string measures_table(const ClickSubset& s, const std::string& interval) {
  std::vector<Row> rows{{"predictor", "AUC", interval, "GAUC", interval, "log loss", "predicted/observed", "calibration error"}};
  for (const PredictorResult& p : s.predictors)
    rows.push_back({shown_name(p), fixed(p.auc.value), bounds(p.auc), fixed(p.gauc.value), bounds(p.gauc),
                    p.log_loss.impossible ? "infinite" : fixed(p.log_loss.mean), fixed(p.calibration.ratio, 3),
                    fixed(p.calibration.expected_error)});
  return text_table::align(rows);
}

std::string differences_table(const ClickSubset& s, const std::string& interval) {
  const bool truth = s.predictors.front().gap.has_value();
  std::vector<Row> rows{{"minus " + s.predictors.front().name, "AUC", interval, "GAUC", interval}};
  if (truth) rows[0].insert(rows[0].end(), {"AUC below best possible", interval});
  for (const PredictorResult& p : s.predictors) {
    if (p.kind == PredictorKind::best_possible || (!p.difference && !p.gap)) continue;  // the truth is a column
    Row row{shown_name(p), "", "", "", ""};
    if (p.difference)
      row = {shown_name(p), with_sign(p.difference->auc.value), signed_bounds(p.difference->auc),
             with_sign(p.difference->gauc.value), signed_bounds(p.difference->gauc)};
    if (p.gap) row.insert(row.end(), {fixed(p.gap->auc.value), signed_bounds(p.gap->auc)});
    rows.push_back(row);
  }
  return rows.size() > 1 ? text_table::align(rows) : "";
}

/// One measure in words.
class Verdict {
 public:
  Verdict(const ClickSubset& subset, std::string measure, MeasuredInterval ClickDifference::* difference)
      : subset_(subset), measure_(std::move(measure)), difference_(difference) {}

  std::string text(bool semi_synthetic) const {
    const std::string& name = subset_.predictors.front().name;
    std::string out = name + ", " + measure_ + ", rows: " + subset_.name + (semi_synthetic ? " (semi-synthetic)" : "") + "\n";
    out += line("  beats ", Standing::beats) + line("  is ahead, by no more than chance may explain, of ", Standing::ahead);
    out += line("  does NOT beat, being level with it, ", Standing::level) + line("  does NOT beat, which chance may explain, ", Standing::behind) +
           line("  does NOT beat ", Standing::beaten) + line("  cannot be compared, for want of figures, with ", Standing::undefined);
    if (counter_not_beaten()) out += "  It gives nothing here that counting does not give.\n";
    if (const auto& gap = subset_.predictors.front().gap) {
      const MeasuredInterval& d = (*gap).*difference_;
      out += "  minus the best possible: " + with_sign(d.value == 0 ? 0 : -d.value) + ", interval " + turned_bounds(d) + "\n";
    }
    return out;
  }

 private:
  // Not the truth: nothing can beat it, its distance is a line of the table.
  template <class Visit> void each(Standing wanted, Visit visit) const {
    for (const PredictorResult& p : subset_.predictors)
      if (p.difference && p.kind != PredictorKind::best_possible &&
          standing_of_reference((*p.difference).*difference_) == wanted)
        visit(p, (*p.difference).*difference_);
  }
  std::string line(const std::string& words, Standing standing) const {
    std::string names;
    each(standing, [&](const PredictorResult& p, const MeasuredInterval&) { names += (names.empty() ? "" : ", ") + p.name; });
    return names.empty() ? "" : words + names + "\n";
  }
  static std::string turned_bounds(const MeasuredInterval& d) { return signed_bounds({-d.value, d.standard_error, -d.high, -d.low, 0}); }
  bool counter_not_beaten() const {
    bool found = false;
    for (const Standing s : {Standing::level, Standing::behind, Standing::beaten})
      each(s, [&](const PredictorResult& p, const MeasuredInterval&) { found |= p.kind == PredictorKind::counter; });
    return found && subset_.predictors.front().kind == PredictorKind::model;
  }

  const ClickSubset& subset_;
  std::string measure_;
  MeasuredInterval ClickDifference::* difference_;
};

std::string heading(const ClickReport& report, const ClickTaskResult& task, const ClickSubset& s) {
  return task.name + ", " + std::string(split_name(report.split)) + (report.semi_synthetic ? ", semi-synthetic" : "") +
         ", rows: " + s.name + "\n" + plural(s.rows, "row") + ", " + std::to_string(s.clicks) + " positive; GAUC over " +
         plural(s.users, "user") + ", " + std::to_string(s.users_left_out) + " of one class left out\n";
}

// Variances by user rest on the number of users, whatever the number of rows.
std::string few_users(const ClickSubset& s) {
  if (s.users >= 30) return {};
  return "  Only " + plural(s.users, "user") + " with both classes: intervals over so few are too narrow.\n";
}

std::string subset_text(const ClickReport& report, const ClickTaskResult& task, const ClickSubset& s) {
  if (s.rows == 0) return task.name + ", rows: " + s.name + ": there are none\n";
  const std::string interval = clicks::percent(report.level) + " interval";
  std::string text = heading(report, task, s) + measures_table(s, interval);
  const std::string differences = differences_table(s, interval);
  if (!differences.empty()) text += "\n" + differences;
  if (s.predictors.size() < 2) return text;
  return text + "\n" + Verdict(s, "AUC", &ClickDifference::auc).text(report.semi_synthetic) +
         Verdict(s, "GAUC", &ClickDifference::gauc).text(report.semi_synthetic) + few_users(s);
}

}  // namespace

std::string format_click_report(const ClickReport& report) {
  std::string text;
  if (report.semi_synthetic)
    text += "Semi-synthetic: what was shown to the users is invented. Figures compare predictors with one another and say "
            "nothing about any real click rate.\n\n";
  for (const ClickTaskResult& task : report.tasks)
    for (const ClickSubset& s : task.subsets) text += subset_text(report, task, s) + "\n";
  text += "AUC: interval of DeLong with the variance by users; GAUC: bootstrap over users; differences are paired.\n";
  return text;
}

}  // namespace chronotope
