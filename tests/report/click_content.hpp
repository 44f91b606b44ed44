#pragma once
// A report of click models with every part.

#include <algorithm>
#include <cmath>
#include <random>

#include "chronotope/report/report.hpp"

namespace click_content {

using namespace chronotope;

/// A thousand rows of 60 users; `skill` of the reference, two models, two counters and the truth.
inline ScoredClicks scored(double skill) {
  ScoredClicks s;
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  const struct { const char* name; double skill; PredictorKind kind; } all[] = {
      {"STIM", skill, PredictorKind::model}, {"DIN", .8, PredictorKind::model}, {"GSU only", .6, PredictorKind::model},
      {"item_rate", .3, PredictorKind::counter}, {"counter_combination", .5, PredictorKind::counter}};
  s.tasks = {{"ctr", {}, {}}, {"ctcvr", {}, {}}};
  for (ScoredTask& task : s.tasks)
    for (const auto& p : all) task.predictors.push_back({p.name, {}, false, p.kind});
  std::vector<double> truth;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const double z = 1.5 * normal(random) - 1;
    truth.push_back(1 / (1 + std::exp(-z)));
    s.users.push_back(i % 60), s.behaviours.push_back(i % 60 < 6 ? 4 : 50);
    const bool click = std::uniform_real_distribution<>()(random) < truth.back();
    s.tasks[0].labels.push_back(click), s.tasks[1].labels.push_back(click && i % 3 == 0);
    for (std::size_t p = 0; p < std::size(all); ++p) {
      const double score = all[p].skill * z + (1 - all[p].skill) * 1.5 * normal(random);
      for (ScoredTask& task : s.tasks) task.predictors[p].scores.push_back(static_cast<float>(score));
    }
  }
  s.tasks[0].predictors.push_back(best_possible(truth));
  s.semi_synthetic = true;
  return s;
}

inline ClickReport report(double skill = .95) { return make_click_report(scored(skill), {.resamples = 100}); }

inline AblationTable ablation() {
  const ScoredClicks s = scored(.95);
  const auto& p = s.tasks[0].predictors;
  return make_ablation({"ctr", Split::test, true, s.tasks[0].labels, s.users, "STIM",
                        {{"STIM", "", p[0].scores}, {"DIN", "baseline", p[1].scores}, {"GSU only", "baseline", p[2].scores},
                         {"no review points", "N1 to N4", p[0].scores}, {"identical values", "N1 to N4", {}, "out of <memory>"}}},
                       {.resamples = 100});
}

/// Fifty places, eight of them padding; reviews every seventh behaviour by hour, every third by week, none by geohash.
inline ForgettingFigure forgetting() {
  ForgettingFigure f;
  f.request = "Tuesday 12:00 at wmpp2u";
  const std::size_t k = 50;
  for (std::size_t i = 0; i < k; ++i) f.valid.push_back(i >= 8), f.behaviours.push_back("behaviour " + std::to_string(i));
  const struct { const char *name, *group; std::size_t every; } materials[] = {
      {"hour", "11 to 16", 7}, {"week", "weekday", 3}, {"geohash", "", 1000}};
  for (const auto& [material, group, every] : materials) {
    ForgettingCurve c{material, group, std::vector<double>(k), std::vector<std::uint8_t>(k)};
    double since = 0, level = 1;
    for (std::size_t i = k; i-- > 0; ++since) {
      c.review[i] = (k - i) % every == 0;
      if (c.review[i]) since = 0, level = .4 + .5 * static_cast<double>(i) / k;
      c.mask[i] = level * std::exp(-since / (level < 1 ? 7. : 20.));
    }
    f.curves.push_back(c);
  }
  return f;
}

inline ReportContent full() {
  ReportContent c;
  c.title = "STIM on check-ins as clicks";
  for (int i = 0; i < 300; ++i) c.steps.push_back({i + 1, .5 + .4 * std::exp(-i / 60.0) + .05 * std::sin(7.0 * i), 1e-4});
  for (int e = 1; e <= 6; ++e)
    c.epochs.push_back({e, .7 / (1 + .3 * e), {}, {}, {}, {}, e == 4, 61.0 * e, .6 - .03 * e + .004 * e * e, .7 + .04 * e - .005 * e * e, .68});
  c.clicks = report();
  c.ablations = {ablation()};
  c.forgetting = forgetting();
  c.facts = {{"data", "checkins.csv"}, {"seed", "1"}};
  c.config_json = "{\"seed\": 1}";
  return c;
}

}  // namespace click_content
