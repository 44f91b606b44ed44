#pragma once
// A report with every part.

#include <cmath>

#include "chronotope/report/report.hpp"

namespace content {

using namespace chronotope;

inline EvaluationResult result(double accuracy) {
  Metrics m;
  m.targets = 400;
  for (std::size_t i = 0; i < accuracy_cutoffs.size(); ++i) m.accuracy[i] = {accuracy * (1 + 0.3 * i), 0.02};
  m.mrr = {accuracy * 1.2, 0.01};
  return {m, m, m};
}

inline EvaluationReport evaluation(double model, double low, double high) {
  EvaluationReport report;
  report.targets = 400;
  report.model = "the-model";
  report.with_time = ComparedModel{result(model), {"mixture_with_time", model, 0.25, {model - 0.25, low, high}}};
  report.counters.push_back({{"popularity", false, {}}, result(0.04), result(0.03), {}});
  report.counters.push_back({{"mixture_with_time", true, {}}, result(0.26), result(0.25), {}});
  return report;
}

inline UserMap map() {
  UserMap m;
  m.user = "u17";
  m.asked_time = "Tue 18:30";
  m.history = {{40.70, -74.00, "Bar", "Mon 20:00", 12}, {40.75, -73.95, "Office", "Mon 09:00", 30}};
  m.recommendations = {{1, "p1", "Bar", 40.70, -74.00, 0.4, 3.2, 12, "20:00"},
                       {2, "p2", "Gym", 40.72, -73.98, 0.2, 1.1, 0, ""}};
  m.last = KnownPlace{"p3", "Office", 40.75, -73.95, "Tue 17:02", {}};
  m.truth = KnownPlace{"p2", "Gym", 40.72, -73.98, "", 2};
  return m;
}

inline ReportContent full() {
  ReportContent c;
  c.title = "A run";
  for (int i = 0; i < 300; ++i) c.steps.push_back({i + 1, 4 + 3 * std::exp(-i / 60.0) + 0.2 * std::sin(7.0 * i), 1e-4});
  for (int e = 1; e <= 5; ++e)
    c.epochs.push_back({e, 6.0 - e, 0.04 * e, 0.08 * e, 0.05 * e, 0.07 * e, e == 4, 61.0 * e});
  c.evaluation = evaluation(0.30, 0.02, 0.08);
  c.map = map();
  c.facts = {{"data", "city.csv"}, {"seed", "1"}};
  c.config_json = "{\"seed\": 1}";
  return c;
}

}  // namespace content
