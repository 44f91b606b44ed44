#include "cli/action_evaluation.hpp"

#include <algorithm>
#include <numeric>

#include "chronotope/train/action_measures.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

constexpr std::int64_t mixture_targets = 500;  // of validation: what the counters' mixture is fitted to
constexpr BootstrapOptions resampled{.resamples = 2000};

TableRow row_of(const CountedRanks& r, std::span<const std::size_t> users) {
  TableRow row{r.name, {}};
  for (const std::int64_t k : {1, 10, 100}) row.cells.push_back(TableCell{mean_by_user(hits_at(r.ranks, k), users, resampled)});
  row.cells.push_back(TableCell{mean_by_user(reciprocals(r.ranks), users, resampled)});
  return row;
}

std::vector<double> firsts(const CountedRanks& r) { return hits_at(r.ranks, 1); }

double mean_of(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); }

/// Against the best counter on the same targets, and against the best possible.
std::vector<std::string> verdicts(std::span<const CountedRanks> models, std::span<const CountedRanks> counters, const std::optional<CountedRanks>& best, std::span<const std::size_t> users) {
  const auto strongest = std::max_element(counters.begin(), counters.end(), [](const auto& a, const auto& b) { return mean_of(firsts(a)) < mean_of(firsts(b)); });
  std::vector<std::string> notes;
  for (const CountedRanks& model : models) {
    const MeasuredInterval d = difference_by_user(firsts(model), firsts(*strongest), users, resampled);
    notes.push_back(comparison_in_words(model.name, d, "the best counter by hr@1, " + strongest->name));
    if (best) notes.push_back(model.name + " reaches " + text_table::fixed(100 * mean_of(firsts(model)) / mean_of(firsts(*best)), 1) + "% of the best possible hr@1");
  }
  return notes;
}

}  // namespace

ResultTable evaluate_places(const ActionEvaluation& o, std::span<const Checkpoint> checkpoints, const Device& device) {
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
  const std::string split = o.validation ? "validation" : "test";
  ResultTable table{"places", "Generated places", "predictor", {"hr@1", "hr@10", "hr@100", "MRR"}, {}, verdicts(models, counted, best, users)};
  table.notes.push_back(std::to_string(targets.size()) + " targets of the " + split + " split; models generate 10 blocks x 10 places; errors by user");
  for (const auto* some : {&models, &counted})
    for (const CountedRanks& r : *some) table.rows.push_back(row_of(r, users));
  if (best) table.rows.push_back(row_of(*best, users));
  return table;
}

}  // namespace chronotope::cli
