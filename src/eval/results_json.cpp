// The report as JSON.

#include <nlohmann/json.hpp>

#include <string>

#include "chronotope/eval/results.hpp"
#include "chronotope/eval/targets.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

void put(Json& json, const std::string& name, const Estimate& e) {  // the library writes NaN as null
  json[name] = e.mean;
  json[name + "_se"] = e.standard_error;
}

Json metrics_json(const Metrics& m) {
  Json json{{"targets", m.targets}};
  for (std::size_t i = 0; i < accuracy_cutoffs.size(); ++i)
    put(json, "acc@" + std::to_string(accuracy_cutoffs[i]), m.accuracy[i]);
  put(json, "mrr", m.mrr);
  return json;
}

Json result_json(const EvaluationResult& r) {
  Json json = metrics_json(r.all);
  json["revisit"] = metrics_json(r.revisit);
  json["new"] = metrics_json(r.discovery);
  return json;
}

Json counter_json(const CounterResult& c) {
  Json json = result_json(c.result);
  json["acc@1_ties_shared"] = c.shared.all.accuracy[0].mean;
  json["sees_time"] = c.predictor.sees_time;
  json["weights"] = Json::object();
  for (std::size_t k = 0; k < counter_parts; ++k)
    if (c.predictor.weights[k] != 0)
      json["weights"][std::string(counter_part_name(static_cast<CounterPart>(k)))] = c.predictor.weights[k];
  return json;
}

Json paired_json(const CounterComparison& c) {
  return {{"against", c.against},
          {"acc@1_difference", c.difference.difference},
          {"interval", Json::array({c.difference.low, c.difference.high})}};
}

}  // namespace

std::string report_json(const EvaluationReport& report) {
  Json json{{"split", split_name(report.split)}, {"targets", report.targets}, {"model", nullptr}};
  const auto& timed = report.with_time;
  const auto& plain = report.without_time;
  if (timed || plain) {
    json["model"] = {{"name", report.model},
                     {"with_time", timed ? result_json(timed->result) : Json(nullptr)},
                     {"without_time", plain ? result_json(plain->result) : Json(nullptr)}};
  }
  json["counters"] = Json::object();
  for (const CounterResult& c : report.counters) json["counters"][c.predictor.name] = counter_json(c);
  json["paired"] = timed ? paired_json(timed->comparison) : plain ? paired_json(plain->comparison) : Json(nullptr);
  if (timed && plain) json["paired_without_time"] = paired_json(plain->comparison);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";  // names may hold bytes that are not UTF-8
}

}  // namespace chronotope
