#include "cli/run_curves.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace chronotope::cli {
namespace {

EpochPoint epoch_point(const nlohmann::json& json) {
  EpochPoint point;
  point.epoch = json.value("epoch", std::int64_t{0});
  point.loss = json.value("loss", 0.0), point.seconds = json.value("seconds", 0.0), point.best = json.value("best", false);
  if (const auto v = json.find("validation"); v != json.end())
    for (const auto& [name, target] : {std::pair{"acc@1", &point.accuracy_1}, {"acc@10", &point.accuracy_10}, {"mrr", &point.mrr}, {"score", &point.score},
                                       {"AUC", &point.auc}, {"GAUC", &point.gauc}, {"log loss", &point.log_loss}})
      if (const auto found = v->find(name); found != v->end() && found->is_number()) *target = found->get<double>();
  return point;
}

}  // namespace

void read_log(const std::string& folder, ReportContent& content) {
  std::ifstream file(std::filesystem::path(folder) / "log.jsonl");
  std::map<std::int64_t, CurvePoint> steps;
  std::map<std::int64_t, EpochPoint> epochs;
  for (std::string line; std::getline(file, line);) {
    try {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("step")) {
        const auto step = json.value("step", std::int64_t{0});
        steps[step] = {step, json.value("loss", 0.0), json.value("learning_rate", 0.0)};
      } else if (json.contains("epoch")) {
        const EpochPoint point = epoch_point(json);
        epochs[point.epoch] = point;
      }
    } catch (const nlohmann::json::exception&) {
      // The last line of a killed run may be cut: a curve can miss a point.
    }
  }
  for (const auto& [key, point] : steps) content.steps.push_back(point);
  for (const auto& [key, point] : epochs) {
    if (point.best)  // the log says "best so far"; the page marks the one that was kept
      for (EpochPoint& earlier : content.epochs) earlier.best = false;
    content.epochs.push_back(point);
  }
}

}  // namespace chronotope::cli
