// In one sentence for each task: does the model win?

#include <cmath>
#include <vector>

#include "chronotope/eval/targets.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

/// The others, by how the reference stands against them in AUC over all rows.
struct Rivals {
  std::vector<std::string> beaten, ahead_of, not_beaten, incomparable;
  bool counting_not_beaten = false, worse = false;

  explicit Rivals(const ClickSubset& subset) {
    for (const PredictorResult& p : subset.predictors) {
      if (!p.difference || p.kind == PredictorKind::best_possible) continue;
      const Standing s = standing_of_reference(p.difference->auc);
      list_of(s).push_back(p.name);
      const bool not_better = s == Standing::level || s == Standing::behind || s == Standing::beaten;
      counting_not_beaten |= not_better && p.kind == PredictorKind::counter;
      worse |= s == Standing::beaten;
    }
  }
  std::vector<std::string>& list_of(Standing s) {
    if (s == Standing::beats) return beaten;
    if (s == Standing::ahead) return ahead_of;
    return s == Standing::undefined ? incomparable : not_beaten;
  }
  bool none() const { return beaten.empty() && ahead_of.empty() && not_beaten.empty() && incomparable.empty(); }
  bool all_beaten() const { return !beaten.empty() && ahead_of.empty() && not_beaten.empty() && incomparable.empty(); }
};

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 24;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) text += (i ? ", " : "") + escape(shorten(names[i], 40));
  return names.size() > most ? text + " and " + whole(static_cast<std::int64_t>(names.size() - most)) + " more" : text;
}

std::string headline(const Rivals& r) {
  if (r.none()) return "was compared with nothing";
  if (r.all_beaten()) return "beats every other predictor";
  if (r.counting_not_beaten) return "does not beat counting";
  if (r.worse) return "does not win: another predictor is better";
  if (!r.not_beaten.empty()) return "does not win, within what chance may explain";
  if (!r.ahead_of.empty()) return "is ahead of every other predictor, but not of each further than chance may explain";
  return "cannot be compared: there are no figures";
}

std::string details(const Rivals& r) {
  std::string text;
  const auto add = [&](const std::string& words, const std::vector<std::string>& names) {
    if (!names.empty()) text += " " + words + listed(names) + ".";
  };
  add("Does not beat: ", r.not_beaten);
  add("Ahead, by no more than chance may explain, of: ", r.ahead_of);
  add("Beats: ", r.beaten);
  add("No figures to compare with: ", r.incomparable);
  return text;
}

std::string measured(const std::string& name, const MeasuredInterval& i) {
  return name + " " + fixed(i.value, 4) + " (" + fixed(i.low, 4) + " to " + fixed(i.high, 4) + ")";
}

std::string in_figures(const ClickReport& report, const ClickSubset& all) {
  const PredictorResult& own = all.predictors.front();
  std::string text = measured("AUC", own.auc) + ", " + measured("GAUC", own.gauc);
  if (own.gap)
    text += ", best possible AUC minus this " + with_sign(own.gap->auc.value, 4) + " (" + with_sign(own.gap->auc.low, 4) + " to " +
            with_sign(own.gap->auc.high, 4) + ")";
  return text + "; " + counted(all.rows, "row", "rows") + " of the " + std::string(split_name(report.split)) + " split, " +
         fixed(100 * report.level, 0) + " % intervals";
}

std::string task_box(const ClickReport& report, const ClickTaskResult& task) {
  const ClickSubset& all = task.subsets.front();
  if (all.predictors.empty()) return {};
  const Rivals rivals(all);
  const char* colour = rivals.all_beaten() ? "good" : rivals.counting_not_beaten || rivals.worse ? "bad" : "open";
  return verdict_box(colour,
                     "<strong>" + std::string(report.semi_synthetic ? "On semi-synthetic data, " : "") +
                         escape(shorten(all.predictors.front().name, 60)) + " " + headline(rivals) + "</strong> in AUC of " +
                         escape(shorten(task.name, 40)) + "." + details(rivals),
                     in_figures(report, all));
}

}  // namespace

std::string click_verdict_part(const ReportContent& content) {
  if (!content.clicks) return {};
  std::string boxes;
  for (const ClickTaskResult& task : content.clicks->tasks)
    if (!task.subsets.empty()) boxes += task_box(*content.clicks, task);
  if (!boxes.empty() && content.clicks->semi_synthetic)
    boxes +=
        "<p class=\"remark\">The data are semi-synthetic: what was shown to the users is invented. Figures compare "
        "predictors with one another and say nothing about any real click rate.</p>\n";
  return boxes;
}

}  // namespace chronotope::report
