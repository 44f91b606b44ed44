#include "chronotope/eval/results.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

void check_same_targets(std::span<const RankedTarget> ranks, const CounterResult& counter, const std::string& who) {
  if (ranks.size() != counter.ranks.size())
    throw DataError("report: " + who + " has " + std::to_string(ranks.size()) + " ranked targets, counter " +
                    counter.predictor.name + " has " + std::to_string(counter.ranks.size()));
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (ranks[i].revisit != counter.ranks[i].revisit)
      throw DataError("report: target " + std::to_string(i) + " is " + (ranks[i].revisit ? "a revisit" : "new") +
                      " to " + who + " but not to counter " + counter.predictor.name +
                      "; both must rank the same targets in the same order");
}

double accuracy(const EvaluationResult& result) { return result.all.accuracy[0].mean; }

const CounterResult& best_counter(const std::vector<CounterResult>& counters, bool with_time) {
  const CounterResult* best = nullptr;
  for (const CounterResult& c : counters) {
    if (c.predictor.sees_time && !with_time) continue;
    if (!best || accuracy(c.shared) > accuracy(best->shared)) best = &c;
  }
  if (!best) throw DataError("report: no counter sees the same inputs as the model");
  return *best;
}

ComparedModel compare(const std::vector<RankedTarget>& ranks, const std::vector<CounterResult>& counters,
                      bool with_time, const BootstrapOptions& options, std::span<const std::size_t> group) {
  const CounterResult& counter = best_counter(counters, with_time);
  EvaluationResult result = evaluate(ranks);
  const auto difference = paired_bootstrap(hits(ranks, 1), hits(counter.ranks, 1), options, group);
  return {result, {counter.predictor.name, accuracy(result), accuracy(counter.shared), difference}};
}

}  // namespace

EvaluationReport make_report(Split split, std::vector<CounterResult> counters, const std::optional<ModelRanks>& model,
                             const BootstrapOptions& options, std::span<const std::size_t> group) {
  if (counters.empty()) throw DataError("report: no counters; results are not shown without them");
  for (const CounterResult& c : counters) check_same_targets(c.ranks, counters.front(), c.predictor.name);
  EvaluationReport report;
  report.split = split;
  report.targets = counters.front().ranks.size();
  if (model) {
    if (!model->with_time && !model->without_time) throw DataError("report: model " + model->name + " has no ranks");
    report.model = model->name.empty() ? "model" : model->name;
    const auto compared = [&](const std::optional<std::vector<RankedTarget>>& ranks, bool with_time) {
      if (!ranks) return std::optional<ComparedModel>();
      check_same_targets(*ranks, counters.front(), report.model);
      return std::optional(compare(*ranks, counters, with_time, options, group));
    };
    report.with_time = compared(model->with_time, true);
    report.without_time = compared(model->without_time, false);
  }
  report.counters = std::move(counters);
  return report;
}

}  // namespace chronotope
