#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/ranking_metrics.hpp"
#include "chronotope/train/request_counters.hpp"
#include "chronotope/train/stage_task.hpp"
#include "cli/action_evaluation.hpp"
#include "data/csv.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;

/// The probabilities that a generated world clicked with, one a shown place, in the log's order.
std::vector<float> true_clicks(const std::string& path) {
  CsvReader csv(path);
  const auto found = std::find(csv.header().begin(), csv.header().end(), "click_probability");
  if (found == csv.header().end()) throw FormatError(path + ": has no column \"click_probability\"; it must be the truth_requests file that generate-world wrote");
  const auto column = static_cast<std::size_t>(found - csv.header().begin());
  std::vector<float> all;
  while (csv.next()) all.push_back(std::strtof(std::string(csv.field(column)).c_str(), nullptr));
  return all;
}

/// Of all shown places those of some requests.
std::vector<float> of_requests(const RequestHistories& requests, std::span<const std::uint32_t> some, std::span<const float> all) {
  std::vector<float> kept;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = requests.requests[number];
    kept.insert(kept.end(), all.begin() + static_cast<std::ptrdiff_t>(r.first_shown), all.begin() + static_cast<std::ptrdiff_t>(r.first_shown + r.shown));
  }
  return kept;
}

struct Scored {
  std::string name;
  std::vector<float> scores;
};

struct Measured {
  std::string name;
  MeasuredInterval auc, gauc;
  double ndcg = 0;
};

/// What the candidates of a split are, apart from any scores.
struct Shown {
  CandidateLabels labels;
  std::vector<std::uint32_t> users;
};

Measured measure(const Scored& s, const Shown& shown) {
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

void print(std::span<const Measured> all, const Shown& shown, const ActionEvaluation& o) {
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

Stage stage_of(const TrainedActions& t) { return t.config.stage.name == "embed" ? Stage::embed : Stage::rank; }

}  // namespace

void evaluate_requests(const ActionEvaluation& o, std::span<const Checkpoint> checkpoints, const Device& device) {
  if (o.requests.empty()) throw ConfigError("a model of the stage " + checkpoints.front().config.stage.name + " is judged on requests: --requests LOG");
  Context<any_backend> context(device.stream());
  std::vector<Scored> scored;
  Shown shown;
  for (std::size_t c = 0; c < checkpoints.size(); ++c) {
    const TrainedActions t = load_actions(context, checkpoints[c], o.index);
    const ActionVocabulary& v = t.tokenizer.vocabulary();
    const ActionHistories histories(actions_in(o.data), t.tokenizer, t.config.actions.travel_km);
    const ActionTokens actions(histories, t.tokenizer, t.config.actions.profile_tokens);
    RequestReader reader(o.requests);
    const RequestHistories requests([&](LoggedRequest& r) { return reader.next(r); }, histories, t.tokenizer);
    const RequestTokens tokens(requests, actions, t.config.model.length);
    const auto some = requests_between(requests, o.validation ? v.validation_from : v.test_from, o.validation ? v.test_from : INT64_MAX, RequestNeeds::anything);
    if (some.empty()) throw DataError(o.requests + ": has no request in the " + (o.validation ? "validation" : "test") + " split");
    scored.push_back({o.names[c], candidate_scores(context, t.model, tokens, some, stage_of(t), t.config.evaluation.batch)});
    if (c + 1 < checkpoints.size()) continue;
    shown.labels = requests.labels(some);
    for (const std::uint32_t number : some) shown.users.insert(shown.users.end(), requests.requests[number].shown, static_cast<std::uint32_t>(requests.requests[number].user + 1));
    for (const CountedScores& counted : counted_scores(requests, histories, v.validation_from, some)) scored.push_back({counted.name, counted.scores});
    if (!o.truth.empty()) {
      const std::vector<float> all = true_clicks(o.truth);
      if (all.size() != requests.shown.size()) throw DataError(o.truth + ": has " + std::to_string(all.size()) + " rows for " + std::to_string(requests.shown.size()) + " shown places: it belongs to another log");
      scored.push_back({"best possible", of_requests(requests, some, all)});
    }
  }
  std::vector<Measured> all;
  for (const Scored& s : scored) all.push_back(measure(s, shown));
  print(all, shown, o);
  if (!o.json.empty()) write_json(o.json, all);
}

}  // namespace chronotope::cli
