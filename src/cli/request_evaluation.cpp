#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/train/action_measures.hpp"
#include "cli/action_evaluation.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;

struct Scored {
  std::string name;
  std::vector<float> scores;
};

struct Measured {
  std::string name;
  MeasuredInterval auc, gauc;
  double ndcg = 0;
};

Measured measure(const Scored& s, const ShownCandidates& shown) {
  const ClickRows rows{s.scores, shown.labels.clicked};
  double sum = 0, count = 0;
  std::size_t at = 0;
  for (const std::int32_t n : shown.labels.counts) {
    const double value = ndcg(std::span(s.scores).subspan(at, static_cast<std::size_t>(n)), std::span(shown.labels.clicked).subspan(at, static_cast<std::size_t>(n)), 10);
    at += static_cast<std::size_t>(n);
    if (!std::isnan(value)) sum += value, ++count;
  }
  return {s.name, auc_delong(rows, 0.95, shown.users), gauc_interval(user_aucs(rows, shown.users), {.resamples = 1000}), sum / count};
}

void print(std::span<const Measured> all, const ShownCandidates& shown, const ActionEvaluation& o) {
  std::vector<text_table::Row> rows{{"predictor", "AUC", "GAUC", "NDCG@10"}};
  const auto with_error = [](const MeasuredInterval& m) { return fixed(m.value) + " ±" + fixed(m.standard_error); };
  for (const Measured& m : all) rows.push_back({m.name, with_error(m.auc), with_error(m.gauc), fixed(m.ndcg)});
  std::printf("%zu candidates in %zu requests of the %s split; errors by user\n%s", shown.labels.clicked.size(), shown.labels.counts.size(), o.validation ? "validation" : "test", text_table::align(rows).c_str());
}

void write_json(const std::string& path, std::span<const Measured> all) {
  Json json = Json::object();
  for (const Measured& m : all)
    json[m.name] = {{"auc", m.auc.value}, {"auc_se", m.auc.standard_error}, {"gauc", m.gauc.value}, {"gauc_se", m.gauc.standard_error}, {"ndcg@10", m.ndcg}};
  write_file_atomically(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

void evaluate_requests(const ActionEvaluation& o, std::span<const Checkpoint> checkpoints, const Device& device) {
  if (o.requests.empty()) throw ConfigError("a model of the stage " + checkpoints.front().config.stage.name + " is judged on requests: --requests LOG");
  Context<any_backend> context(device.stream());
  std::vector<Scored> scored;
  ShownCandidates shown;
  for (std::size_t c = 0; c < checkpoints.size(); ++c) {
    const ModelOnRequests on(context, checkpoints[c], o.data, o.requests, o.index);
    const auto some = on.asked(o.validation ? Split::validation : Split::test);
    if (some.empty()) throw DataError(o.requests + ": has no request in the " + (o.validation ? "validation" : "test") + " split");
    scored.push_back({o.names[c], on.scores(context, some)});
    if (c + 1 < checkpoints.size()) continue;
    shown = shown_candidates(on.requests, some);
    for (const CountedScores& counted : counted_scores(on.requests, on.histories, on.range(Split::validation).first, some)) scored.push_back({counted.name, counted.scores});
    if (!o.truth.empty()) scored.push_back({"best possible", true_clicks(o.truth, on.requests, some)});
  }
  std::vector<Measured> all;
  for (const Scored& s : scored) all.push_back(measure(s, shown));
  print(all, shown, o);
  if (!o.json.empty()) write_json(o.json, all);
}

}  // namespace chronotope::cli
