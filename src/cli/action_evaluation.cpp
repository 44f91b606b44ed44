#include "cli/action_evaluation.hpp"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/eval/ranking_metrics.hpp"
#include "chronotope/train/action_counters.hpp"
#include "data/csv.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;

/// The truth's rank of every action's place, by user and time.
std::map<std::pair<std::string, std::string>, std::int64_t> true_ranks(const std::string& path) {
  CsvReader csv(path);
  const auto column = [&](const std::string& name) {
    const auto found = std::find(csv.header().begin(), csv.header().end(), name);
    if (found == csv.header().end()) throw FormatError(path + ": has no column \"" + name + "\"; it must be the truth_actions file that generate-world wrote");
    return static_cast<std::size_t>(found - csv.header().begin());
  };
  const std::size_t user = column("user"), time = column("time"), rank = column("rank");
  std::map<std::pair<std::string, std::string>, std::int64_t> ranks;
  while (csv.next()) ranks[{std::string(csv.field(user)), std::string(csv.field(time))}] = std::atoll(std::string(csv.field(rank)).c_str());
  return ranks;
}

CountedRanks truth_of(const std::string& path, const ActionHistories& histories, std::span<const ActionWindow> targets) {
  const auto ranks = true_ranks(path);
  CountedRanks best{"best possible", {}};
  for (const ActionWindow& w : targets) {
    const auto found = ranks.find({histories.users[w.user], std::to_string(histories.actions[w.end - 1].utc)});
    if (found == ranks.end()) throw DataError(path + ": has no row for an action of user \"" + histories.users[w.user] + "\": it belongs to another log");
    best.ranks.push_back(found->second);
  }
  return best;
}

struct Measured {
  std::string name;
  MeasuredInterval first, ten, hundred, mrr;
};

Measured measure(const CountedRanks& r, std::span<const std::size_t> users) {
  const auto hits = [&](std::int64_t k) {
    std::vector<double> values;
    for (const std::int64_t rank : r.ranks) values.push_back(rank >= 1 && rank <= k);
    return mean_by_user(values, users, {.resamples = 2000});
  };
  std::vector<double> reciprocal;
  for (const std::int64_t rank : r.ranks) reciprocal.push_back(rank ? 1.0 / static_cast<double>(rank) : 0);
  return {r.name, hits(1), hits(10), hits(100), mean_by_user(reciprocal, users, {.resamples = 2000})};
}

std::string with_error(const MeasuredInterval& m) { return fixed(m.value) + " ±" + fixed(m.standard_error); }

void print(std::span<const Measured> all, std::size_t targets, const ActionEvaluation& o) {
  std::vector<text_table::Row> rows{{"predictor", "hr@1", "hr@10", "hr@100", "MRR"}};
  for (const Measured& m : all) rows.push_back({m.name, with_error(m.first), with_error(m.ten), with_error(m.hundred), with_error(m.mrr)});
  std::printf("%zu targets of the %s split; models generate 10 blocks x 10 places; errors by user\n%s", targets, o.validation ? "validation" : "test", text_table::align(rows).c_str());
}

/// In words: against the best counter on the same targets, and against the best possible.
void print_verdict(std::span<const CountedRanks> models, std::span<const CountedRanks> counters, const CountedRanks* best, std::span<const std::size_t> users) {
  const auto first = [](const CountedRanks& r) {
    std::vector<double> hits;
    for (const std::int64_t rank : r.ranks) hits.push_back(rank == 1);
    return hits;
  };
  const auto mean = [](const std::vector<double>& x) { double sum = 0; for (const double v : x) sum += v; return sum / static_cast<double>(x.size()); };
  const auto strongest = std::max_element(counters.begin(), counters.end(), [&](const auto& a, const auto& b) { return mean(first(a)) < mean(first(b)); });
  for (const CountedRanks& model : models) {
    const MeasuredInterval d = difference_by_user(first(model), first(*strongest), users, {.resamples = 2000});
    const char* says = d.low > 0 ? "beats" : d.high < 0 ? "LOSES to" : "ties with";
    std::printf("%s %s the best counter, %s: hr@1 %s, interval %s to %s\n", model.name.c_str(), says, strongest->name.c_str(), text_table::with_sign(d.value).c_str(),
                text_table::with_sign(d.low).c_str(), text_table::with_sign(d.high).c_str());
    if (best) std::printf("%s reaches %.1f%% of the best possible hr@1\n", model.name.c_str(), 100 * mean(first(model)) / mean(first(*best)));
  }
}

void write_json(const std::string& path, std::span<const Measured> all) {
  Json json = Json::object();
  const auto entry = [](const MeasuredInterval& m) { return Json{{"value", m.value}, {"standard_error", m.standard_error}, {"low", m.low}, {"high", m.high}}; };
  for (const Measured& m : all) json[m.name] = {{"hr@1", entry(m.first)}, {"hr@10", entry(m.ten)}, {"hr@100", entry(m.hundred)}, {"mrr", entry(m.mrr)}};
  write_file_atomically(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

void evaluate_places(const ActionEvaluation& o, std::span<const Checkpoint> checkpoints, const Device& device) {
  Context<any_backend> context(device.stream());
  std::vector<CountedRanks> models, counted;
  std::vector<ActionWindow> targets;
  std::vector<std::size_t> users;
  std::optional<CountedRanks> best;
  for (std::size_t c = 0; c < checkpoints.size(); ++c) {
    const TrainedActions t = load_actions(context, checkpoints[c], o.index);
    const ActionVocabulary& v = t.tokenizer.vocabulary();
    const ActionHistories histories(actions_in(o.data), t.tokenizer, t.config.actions.travel_km);
    const ActionTokens tokens(histories, t.tokenizer, t.config.actions.profile_tokens);
    const auto seed = static_cast<std::uint64_t>(t.config.seed);
    targets = some_windows(target_windows(histories, t.config.model.length, o.validation ? v.validation_from : v.test_from, o.validation ? v.test_from : INT64_MAX), o.targets, seed);
    if (targets.empty()) throw DataError(o.data + ": has no target in the " + (o.validation ? "validation" : "test") + " split");
    models.push_back({o.names[c], generated_ranks(context, t.model, tokens, targets, {}, t.config.evaluation.batch)});
    if (c > 0) continue;
    for (const ActionWindow& w : targets) users.push_back(w.user);
    const ActionCounters counters(histories, t.tokenizer, v.validation_from);
    counted = counted_ranks(counters, histories, targets, some_windows(target_windows(histories, t.config.model.length, v.validation_from, v.test_from), 500, seed));
    if (!o.truth.empty()) best = truth_of(o.truth, histories, targets);
  }
  std::vector<Measured> all;
  for (const auto* some : {&models, &counted})
    for (const CountedRanks& r : *some) all.push_back(measure(r, users));
  if (best) all.push_back(measure(*best, users));
  print(all, targets.size(), o);
  print_verdict(models, counted, best ? &*best : nullptr, users);
  if (!o.json.empty()) write_json(o.json, all);
}

}  // namespace chronotope::cli
