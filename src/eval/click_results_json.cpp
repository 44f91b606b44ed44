// The report over click models as JSON.

#include "chronotope/eval/targets.hpp"
#include "eval/measured_clicks.hpp"

namespace chronotope {
namespace {

using clicks::Json;

Json calibration_json(const Calibration& c) {
  Json bins = Json::array();
  for (const CalibrationBin& b : c.bins)
    bins.push_back({{"rows", b.rows}, {"predicted", b.predicted}, {"observed", b.observed}});
  return {{"ratio", c.ratio}, {"expected_error", c.expected_error}, {"bins", bins}};
}

Json optional_json(const std::optional<ClickDifference>& d) { return d ? clicks::difference_json(*d) : Json(nullptr); }

Json predictor_json(const PredictorResult& p) {
  return {{"kind", predictor_kind_name(p.kind)},
          {"auc", clicks::interval_json(p.auc)},
          {"gauc", clicks::interval_json(p.gauc)},
          {"log_loss", p.log_loss.mean},
          {"log_loss_impossible", p.log_loss.impossible},
          {"log_loss_possible", p.log_loss.mean_possible},
          {"log_loss_base", p.log_loss.base},
          {"calibration", calibration_json(p.calibration)},
          {"minus_reference", optional_json(p.difference)},
          {"below_best_possible", optional_json(p.gap)}};
}

Json subset_json(const ClickSubset& s) {
  Json json{{"rows", s.rows}, {"clicks", s.clicks}, {"users", s.users}, {"users_left_out", s.users_left_out}};
  json["predictors"] = Json::object();
  for (const PredictorResult& p : s.predictors) json["predictors"][p.name] = predictor_json(p);
  return json;
}

}  // namespace

std::string click_report_json(const ClickReport& report) {
  Json json{{"split", split_name(report.split)}, {"semi_synthetic", report.semi_synthetic}, {"level", report.level}};
  json["tasks"] = Json::object();
  for (const ClickTaskResult& task : report.tasks) {
    Json& out = json["tasks"][task.name];
    out = {{"reference", task.subsets.front().predictors.front().name}, {"subsets", Json::object()}};
    for (const ClickSubset& s : task.subsets) out["subsets"][s.name] = subset_json(s);
  }
  return clicks::json_text(json);
}

}  // namespace chronotope
