// In one sentence: is the model better than counting?

#include <cmath>

#include "chronotope/eval/targets.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

enum class Outcome { beats, ahead, level, behind, beaten, undefined };

Outcome outcome_of(const CounterComparison& c) {
  if (!std::isfinite(c.model) || !std::isfinite(c.counter)) return Outcome::undefined;
  if (c.model > c.counter) return c.difference.low > 0 ? Outcome::beats : Outcome::ahead;
  if (c.model == c.counter) return Outcome::level;
  return c.difference.high < 0 ? Outcome::beaten : Outcome::behind;
}

const char* colour_of(Outcome outcome) {
  if (outcome == Outcome::beats) return "good";
  return outcome == Outcome::ahead ? "open" : "bad";
}

std::string headline(Outcome outcome) {
  switch (outcome) {
    case Outcome::beats: return "beats the best counter that sees the same inputs";
    case Outcome::ahead:
      return "is ahead of the best counter that sees the same inputs, but no further than chance may explain";
    case Outcome::level: return "does not beat the best counter that sees the same inputs: they are level";
    case Outcome::behind:
      return "does not beat the best counter that sees the same inputs; it is behind, within what chance may explain";
    case Outcome::beaten: return "does not beat the best counter that sees the same inputs: it is worse";
    case Outcome::undefined: break;
  }
  return "cannot be compared: there are no figures";
}

std::string in_words(const CounterComparison& c) {
  return ". Of 100 first guesses, " + fixed(100 * c.model, 1) + " are right; of " + escape(shorten(c.against, 60)) +
         "’s, " + fixed(100 * c.counter, 1);
}

std::string in_figures(const EvaluationReport& report, const CounterComparison& c) {
  return "acc@1 " + fixed(c.model, 4) + " against " + fixed(c.counter, 4) + ", difference " +
         with_sign(c.difference.difference, 4) + ", paired bootstrap interval " + with_sign(c.difference.low, 4) +
         " to " + with_sign(c.difference.high, 4) + ", " + counted(report.targets, "target", "targets") + " of the " +
         std::string(split_name(report.split)) + " split";
}

std::string sentence(const EvaluationReport& report, const CounterComparison& c, const std::string& inputs,
                     bool generated) {
  const Outcome outcome = outcome_of(c);
  return "<strong>" + (generated ? "On generated data, " : std::string()) + escape(shorten(report.model, 60)) + inputs +
         " " + headline(outcome) + "</strong>" + (outcome == Outcome::undefined ? "" : in_words(c)) + ".";
}

std::string model_box(const EvaluationReport& report, const ComparedModel& model, bool timed, bool generated) {
  const bool both = report.with_time && report.without_time;
  const std::string inputs = !both ? "" : timed ? ", told the target’s time," : ", not told the target’s time,";
  const CounterComparison& c = model.comparison;
  return verdict_box(colour_of(outcome_of(c)), sentence(report, c, inputs, generated), in_figures(report, c));
}

std::string counters_box(const EvaluationReport& report, bool generated) {
  const std::vector<Contender> all = ranked_contenders(report, 0);
  if (all.empty()) return {};
  const Contender& best = all.front();
  return verdict_box("open",
             "<strong>No model was evaluated" + std::string(generated ? " on these generated data" : "") +
                 ".</strong> The best counter is " + escape(shorten(best.name, 60)) + ": acc@1 " +
                 fixed(best.result->all.accuracy[0].mean, 4) + " over " + counted(report.targets, "target", "targets") +
                 " of the " + std::string(split_name(report.split)) + " split.",
             "");
}

}  // namespace

std::string verdict_box(const std::string& colour, const std::string& sentence, const std::string& figures) {
  return "<div class=\"verdict " + colour + "\"><p class=\"sentence\">" + sentence + "</p>" +
         (figures.empty() ? "" : "<p class=\"figures\">" + figures + "</p>") + "</div>\n";
}

bool is_generated(const ReportContent& content) {
  for (const auto& [name, value] : content.facts)
    if (contains_word(value, "generated")) return true;
  return false;
}

std::string verdict_part(const ReportContent& content) {
  const bool generated = is_generated(content);
  std::string boxes;
  if (content.evaluation) {
    const EvaluationReport& report = *content.evaluation;
    if (report.with_time) boxes += model_box(report, *report.with_time, true, generated);
    if (report.without_time) boxes += model_box(report, *report.without_time, false, generated);
    if (boxes.empty()) boxes = counters_box(report, generated);
  }
  if (generated)
    boxes +=
        "<p class=\"remark\">The data are generated: nobody is behind them. Figures on them show that the program works and say "
        "nothing about people.</p>\n";
  return boxes;
}

}  // namespace chronotope::report
