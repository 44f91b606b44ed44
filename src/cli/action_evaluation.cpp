#include "cli/action_evaluation.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/train/action_measures.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;

constexpr std::int64_t mixture_targets = 500;  // of validation: what the counters' mixture is fitted to

struct Measured {
  std::string name;
  MeasuredInterval first, ten, hundred, mrr;
};

Measured measure(const CountedRanks& r, std::span<const std::size_t> users) {
  const auto hits = [&](std::int64_t k) { return mean_by_user(hits_at(r.ranks, k), users, {.resamples = 2000}); };
  return {r.name, hits(1), hits(10), hits(100), mean_by_user(reciprocals(r.ranks), users, {.resamples = 2000})};
}

std::string with_error(const MeasuredInterval& m) { return fixed(m.value) + " ±" + fixed(m.standard_error); }

void print(std::span<const Measured> all, std::size_t targets, const ActionEvaluation& o) {
  std::vector<text_table::Row> rows{{"predictor", "hr@1", "hr@10", "hr@100", "MRR"}};
  for (const Measured& m : all) rows.push_back({m.name, with_error(m.first), with_error(m.ten), with_error(m.hundred), with_error(m.mrr)});
  std::printf("%zu targets of the %s split; models generate 10 blocks x 10 places; errors by user\n%s", targets, o.validation ? "validation" : "test", text_table::align(rows).c_str());
}

/// In words: against the best counter on the same targets, and against the best possible.
void print_verdict(std::span<const CountedRanks> models, std::span<const CountedRanks> counters, const CountedRanks* best, std::span<const std::size_t> users) {
  const auto first = [](const CountedRanks& r) { return hits_at(r.ranks, 1); };
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
    const ModelOnLog on(context, checkpoints[c], o.data, o.index);
    targets = on.targets(o.validation ? Split::validation : Split::test, o.targets);
    if (!o.truth.empty()) targets = chosen_targets(o.truth, on.histories, targets);
    if (targets.empty()) throw DataError(o.data + ": has no target in the " + (o.validation ? "validation" : "test") + " split");
    models.push_back({o.names[c], generated_ranks(context, on.trained.model, on.tokens, targets, {}, on.trained.config.evaluation.batch)});
    if (c > 0) continue;
    for (const ActionWindow& w : targets) users.push_back(w.user);
    const ActionCounters counters(on.histories, on.trained.tokenizer, on.range(Split::validation).first);
    counted = counted_ranks(counters, on.histories, targets, mixture_weights(counters, on.histories, on.targets(Split::validation, mixture_targets)));
    if (!o.truth.empty()) best = true_ranks(o.truth, on.histories, targets);
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
