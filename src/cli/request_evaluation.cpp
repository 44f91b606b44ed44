#include <algorithm>
#include <cmath>

#include "chronotope/eval/click_intervals.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/train/action_measures.hpp"
#include "cli/action_evaluation.hpp"

namespace chronotope::cli {
namespace {

struct Scored {
  std::string name;
  std::vector<float> scores;
};

/// Mean over the requests with a click.
double mean_ndcg(const Scored& s, const ShownCandidates& shown) {
  double sum = 0, count = 0;
  std::size_t at = 0;
  for (const std::int32_t n : shown.labels.counts) {
    const double value = ndcg(std::span(s.scores).subspan(at, static_cast<std::size_t>(n)), std::span(shown.labels.clicked).subspan(at, static_cast<std::size_t>(n)), 10);
    at += static_cast<std::size_t>(n);
    if (!std::isnan(value)) sum += value, ++count;
  }
  return sum / count;
}

TableRow row_of(const Scored& s, const ShownCandidates& shown) {
  const ClickRows rows{s.scores, shown.labels.clicked};
  return {s.name, {TableCell{auc_delong(rows, 0.95, shown.users)}, TableCell{gauc_interval(user_aucs(rows, shown.users), {.resamples = 1000})},
                   plain_cell(mean_ndcg(s, shown), TableCell::Form::measure)}};
}

/// Each model against the counter with the best AUC on the same candidates.
std::vector<std::string> verdicts(std::span<const Scored> models, std::span<const Scored> counters, const ShownCandidates& shown) {
  const auto auc_of = [&](const Scored& s) { return auc({s.scores, shown.labels.clicked}).value; };
  const auto strongest = std::max_element(counters.begin(), counters.end(), [&](const Scored& a, const Scored& b) { return auc_of(a) < auc_of(b); });
  std::vector<std::string> notes;
  for (const Scored& model : models) {
    const MeasuredInterval d = auc_difference_delong({model.scores, shown.labels.clicked}, strongest->scores, 0.95, shown.users);
    notes.push_back(comparison_in_words(model.name, d, "the best counter by AUC, " + strongest->name));
  }
  return notes;
}

}  // namespace

ResultTable evaluate_requests(const ActionEvaluation& o, std::span<const Checkpoint> checkpoints, const Device& device) {
  if (o.requests.empty()) throw ConfigError("a model of the stage " + checkpoints.front().config.stage.name + " is judged on requests: --requests LOG");
  Context<any_backend> context(device.stream());
  std::vector<Scored> models, counters, best;
  ShownCandidates shown;
  const std::string split = o.validation ? "validation" : "test";
  for (std::size_t c = 0; c < checkpoints.size(); ++c) {
    const ModelOnRequests on(context, checkpoints[c], o.data, o.requests, o.index);
    const auto some = on.asked(o.validation ? Split::validation : Split::test);
    if (some.empty()) throw DataError(o.requests + ": has no request in the " + split + " split");
    models.push_back({o.names[c], on.scores(context, some)});
    if (c > 0) continue;
    shown = shown_candidates(on.requests, some);
    for (const CountedScores& counted : counted_scores(on.requests, on.histories, on.range(Split::validation).first, some)) counters.push_back({counted.name, counted.scores});
    if (!o.truth.empty()) best.push_back({"best possible", true_clicks(o.truth, on.requests, some)});
  }
  ResultTable table{"requests", "Scores of candidates", "predictor", {"AUC", "GAUC", "NDCG@10"}, {}, verdicts(models, counters, shown)};
  table.notes.push_back(std::to_string(shown.labels.clicked.size()) + " candidates in " + std::to_string(shown.labels.counts.size()) + " requests of the " + split + " split; errors by user");
  for (const auto* some : {&models, &counters, &best})
    for (const Scored& s : *some) table.rows.push_back(row_of(s, shown));
  return table;
}

}  // namespace chronotope::cli
