#include "chronotope/eval/click_results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "chronotope/core/error.hpp"
#include "eval/measured_clicks.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

using clicks::Measured;

constexpr std::size_t calibration_bins = 10;

void check_length(const std::string& what, std::size_t length, std::size_t rows) {
  if (length != rows)
    throw DataError("click report: " + std::to_string(length) + " " + what + " for " + std::to_string(rows) +
                    " users; there must be one a row");
}

void check(const ScoredClicks& scored) {
  if (scored.tasks.empty()) throw DataError("click report: no task; give the scores of at least one");
  const std::size_t rows = scored.users.size();
  check_length("numbers of behaviours", scored.behaviours.size(), rows);
  std::set<std::string> tasks;
  for (const ScoredTask& task : scored.tasks) {
    const std::string of_task = " of task \"" + task.name + "\"";
    if (!tasks.insert(task.name).second) throw DataError("click report: there are two tasks \"" + task.name + "\"");
    if (task.predictors.empty()) throw DataError("click report: no predictor" + of_task + "; there is nothing to measure");
    check_length("labels" + of_task, task.labels.size(), rows);
    std::set<std::string> names;
    for (const ClickScores& p : task.predictors) {
      check_length("scores of \"" + p.name + "\"" + of_task, p.scores.size(), rows);
      if (!names.insert(p.name).second)
        throw DataError("click report: two predictors" + of_task + " are called \"" + p.name + "\"; names must differ");
    }
  }
}

std::vector<float> probabilities_of(const ClickScores& p) {
  if (p.probabilities) return p.scores;
  std::vector<float> result(p.scores.size());
  std::transform(p.scores.begin(), p.scores.end(), result.begin(),
                 [](float z) { return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(z)))); });
  return result;
}

// Everything about one predictor but the comparisons.
PredictorResult alone(const ClickScores& p, const Measured& measured) {
  PredictorResult result{p.name, p.kind, measured.auc, measured.gauc, {}, {}, {}, {}};
  const ClickRows& rows = measured.rows;
  result.log_loss = p.probabilities ? log_loss_of_probabilities(rows) : log_loss_of_logits(rows);
  const std::vector<float> probabilities = probabilities_of(p);
  result.calibration = calibration({probabilities, rows.labels, rows.subset}, calibration_bins);
  return result;
}

/// Errors of the measures name the row; here the task and the predictor are added.
template <class Make> auto of_predictor(const ScoredTask& task, const ClickScores& p, Make make) {
  try {
    return make();
  } catch (const DataError& e) {
    throw DataError("task \"" + task.name + "\", predictor \"" + p.name + "\": " + e.what());
  }
}

struct Named {
  const char* name;
  std::vector<std::uint8_t> rows;  ///< empty: all
};

ClickSubset measure_subset(const ScoredClicks& scored, const ScoredTask& task, const Named& subset,
                           const BootstrapOptions& options) {
  std::vector<Measured> measured;
  ClickSubset result{subset.name, 0, 0, 0, 0, {}};
  for (const ClickScores& p : task.predictors)
    of_predictor(task, p, [&] {
      measured.push_back(clicks::measure({p.scores, task.labels, subset.rows}, scored.users, options));
      result.predictors.push_back(alone(p, measured.back()));
      return 0;
    });
  const auto is_best = [](const ClickScores& p) { return p.kind == PredictorKind::best_possible; };
  const auto best = std::find_if(task.predictors.begin(), task.predictors.end(), is_best) - task.predictors.begin();
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (i > 0) result.predictors[i].difference = clicks::difference(measured[i], measured[0], scored.users, options);
    if (best < std::ssize(measured) && !is_best(task.predictors[i]))
      result.predictors[i].gap = clicks::difference(measured[static_cast<std::size_t>(best)], measured[i], scored.users, options);
  }
  const Gauc users = gauc(measured.front().users);
  result.users = users.users, result.users_left_out = users.users_left_out;
  for (const UserAuc& u : measured.front().users) result.rows += u.impressions, result.clicks += u.clicks;
  return result;
}

}  // namespace

std::string_view predictor_kind_name(PredictorKind kind) {
  constexpr std::array<std::string_view, 3> names{"model", "counter", "best_possible"};
  return names.at(static_cast<std::size_t>(kind));
}

ClickScores best_possible(std::span<const double> truth) {
  return {"best possible", {truth.begin(), truth.end()}, true, PredictorKind::best_possible};
}

ClickReport make_click_report(const ScoredClicks& scored, const BootstrapOptions& options) {
  resampling::check(options, "click report");
  check(scored);
  const std::array<Named, 3> subsets{{{"all", {}},
                                      {"cold start", rows_with_behaviours(scored.behaviours)},
                                      {"others", rows_with_behaviours(scored.behaviours, 10, no_limit)}}};
  ClickReport report{scored.split, scored.semi_synthetic, options.level, {}};
  for (const ScoredTask& task : scored.tasks) {
    report.tasks.push_back({task.name, {}});
    for (const Named& subset : subsets) report.tasks.back().subsets.push_back(measure_subset(scored, task, subset, options));
  }
  return report;
}

Standing standing_of_reference(const MeasuredInterval& d) {
  if (!std::isfinite(d.value)) return Standing::undefined;
  if (d.value < 0) return d.high < 0 ? Standing::beats : Standing::ahead;
  if (d.value > 0) return d.low > 0 ? Standing::beaten : Standing::behind;
  return Standing::level;
}

}  // namespace chronotope
