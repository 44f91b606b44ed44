#include "chronotope/eval/counters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"
#include "counter_query.hpp"
#include "counter_search.hpp"

namespace chronotope {
namespace {

using counting::index;

constexpr std::array<std::string_view, counter_parts> part_names{
    "popularity",    "user_frequency", "user_recent",  "user_last",       "user_markov",
    "global_markov", "near_last",      "hour_of_week", "hour_popularity", "user_frequency_training"};

constexpr bool sees_time(CounterPart part) {
  return part == CounterPart::user_hour || part == CounterPart::hour_popularity;
}

constexpr CounterWeights backoff_weights() {
  CounterWeights w{};
  w[index(CounterPart::user_markov)] = 1;
  w[index(CounterPart::user_recent)] = 0.05;
  w[index(CounterPart::global_markov)] = 0.02;
  w[index(CounterPart::popularity)] = 1e-4;
  return w;
}

// Floats that the case of a target will hold at most: its nearness of every candidate and its sparse entries.
std::size_t case_size(const CheckinTable& table, const CounterTables& tables, const EvalTarget& target) {
  const std::span<const Checkin> history = allowed_history(table, target);
  const std::size_t candidates = tables.place.size();
  if (history.empty()) return candidates;
  const std::int32_t last = tables.candidate[static_cast<std::size_t>(history.back().place)];
  const auto row = static_cast<std::size_t>(std::max(last, 0));
  const std::size_t followers = last < 0 ? 0 : tables.follower_begin[row + 1] - tables.follower_begin[row];
  return candidates + (counter_parts + 1) * std::min(candidates, history.size() + followers);
}

std::vector<counting::Case> validation_cases(const CheckinTable& table, const CounterTables& tables) {
  std::vector<EvalTarget> targets = evaluation_targets(table, Split::validation);
  std::erase_if(targets, [&](const EvalTarget& t) {
    return tables.candidate[static_cast<std::size_t>(table.rows[t.row].place)] < 0;  // a miss under any weights
  });
  std::size_t floats = 0;
  for (const EvalTarget& t : targets) floats += case_size(table, tables, t);
  const std::size_t stride = counting::search_stride(targets.size(), floats);
  counting::QueryMaker maker(tables);
  std::vector<counting::Case> cases;
  for (std::size_t i = 0; i < targets.size(); i += stride) {
    const Checkin& truth = table.rows[targets[i].row];
    cases.push_back({maker.make(allowed_history(table, targets[i]), truth.local),
                     tables.candidate[static_cast<std::size_t>(truth.place)]});
  }
  return cases;
}

void check_query(const CounterTables& tables, std::span<const Checkin> history, const CounterWeights& weights) {
  for (double w : weights)
    if (!(w >= 0) || std::isinf(w))
      throw DataError("counter_scores: weight " + std::to_string(w) + "; weights must be finite and not negative");
  for (const Checkin& row : history)
    if (row.place < 0 || static_cast<std::size_t>(row.place) >= tables.candidate.size())
      throw DataError("counter_scores: place " + std::to_string(row.place) + " in the history; the counters know " +
                      std::to_string(tables.candidate.size()) + " places");
}

RankedTarget rank_one(counting::QueryRanker& ranker, const counting::CounterQuery& query, const CounterWeights& weights,
                      std::int32_t own) {
  RankedTarget rank;
  if (own < 0) return {std::numeric_limits<double>::infinity(), 0, false};
  ranker.rank(query, weights, CounterPart::popularity, {&weights[index(CounterPart::popularity)], 1}, own, {&rank, 1});
  return rank;
}

}  // namespace

std::string_view counter_part_name(CounterPart part) { return part_names.at(index(part)); }

std::vector<CounterPredictor> counter_predictors(const CheckinTable& table, const CounterTables& tables) {
  std::vector<CounterPredictor> predictors;
  for (std::size_t k = 0; k < counter_parts; ++k) {
    const auto part = static_cast<CounterPart>(k);
    predictors.push_back({std::string(counter_part_name(part)), sees_time(part), {}});
    predictors.back().weights[k] = 1;
  }
  const std::vector<counting::Case> cases = validation_cases(table, tables);
  predictors.push_back({"markov_backoff", false, backoff_weights()});
  predictors.push_back({"mixture", false, counting::mixture_weights(tables, cases, false)});
  predictors.push_back({"mixture_with_time", true, counting::mixture_weights(tables, cases, true)});
  return predictors;
}

std::vector<double> counter_scores(const CounterTables& tables, std::span<const Checkin> history,
                                   std::int64_t local_time, const CounterWeights& weights) {
  check_query(tables, history, weights);
  counting::QueryMaker maker(tables);
  counting::QueryRanker ranker(tables);
  const counting::CounterQuery query = maker.make(history, local_time);
  const std::span<const double> by_candidate = ranker.scores(query, weights);
  std::vector<double> scores(tables.candidate.size(), -std::numeric_limits<double>::infinity());
  for (std::size_t c = 0; c < by_candidate.size(); ++c)
    scores[static_cast<std::size_t>(tables.place[c])] = by_candidate[c];
  return scores;
}

std::vector<CounterResult> evaluate_counters(const CheckinTable& table, Split split) {
  if (split == Split::train)
    throw DataError("counters: the training rows are what was counted; evaluate on validation or test");
  const std::vector<EvalTarget> targets = evaluation_targets(table, split);
  if (targets.empty())
    throw DataError("counters: the " + std::string(split_name(split)) + " split has no targets (rows with target = 1)" +
                    ", so there is nothing to evaluate");
  const CounterTables tables = fit_counters(table);
  std::vector<CounterResult> results;
  for (CounterPredictor& p : counter_predictors(table, tables)) results.push_back({std::move(p), {}, {}, {}});
  counting::QueryMaker maker(tables);
  counting::QueryRanker ranker(tables);
  for (const EvalTarget& target : targets) {
    const Checkin& truth = table.rows[target.row];
    const counting::CounterQuery query = maker.make(allowed_history(table, target), truth.local);
    for (CounterResult& r : results) {
      r.ranks.push_back(
          rank_one(ranker, query, r.predictor.weights, tables.candidate[static_cast<std::size_t>(truth.place)]));
      r.ranks.back().revisit = target.revisit;
    }
  }
  for (CounterResult& r : results) {
    r.result = evaluate(ties_won(r.ranks));
    r.shared = evaluate(r.ranks);
  }
  return results;
}

}  // namespace chronotope
