#pragma once
// Predictors that only count. They are what a model has to beat: one that does not beat the best counter that sees the
// same inputs has not learnt anything from the data that counting would not give.
//
// Every predictor is a weighted sum of ten parts, each a distribution over the candidates (the C places that occur in
// training rows). Global knowledge comes from training rows only, personal knowledge from all earlier rows of the user.
// Places with a score of 0, about which a predictor says nothing, are ordered by popularity. Places that are level
// otherwise are ties, and single parts have many: a user with one check-in at each of five places has five most
// frequent ones. The known figures for New York (user_frequency .2598) give such ties to the counter; shared out, the
// same ties are worth .247. Both readings are reported. The mixtures have hardly any.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/data/checkins.hpp"
#include "chronotope/eval/metrics.hpp"

namespace chronotope {

enum class CounterPart : std::uint8_t {
  popularity,               ///< check-ins of the place in training
  user_frequency,           ///< past check-ins of the user there
  user_recent,              ///< the same, each weighted by exp(-age / 14 days), age counted back from the last check-in
  user_last,                ///< 1 at the user's last place
  user_markov,              ///< what followed the user's last place in the user's own past
  global_markov,            ///< what followed the last place in all training trajectories
  near_last,                ///< popularity x exp(-distance from the last position / 1 km)
  user_hour,                ///< past check-ins of the user, weighted by how alike their hour is to the target's
                            ///< (Gaussian, 1.5 hours, around the clock), x 0.3 if one is on a weekend and one is not
  hour_popularity,          ///< popularity at the target's hour of the day, smoothed by the same Gaussian
  user_frequency_training,  ///< user_frequency over training rows alone
};
inline constexpr std::size_t counter_parts = 10;

/// Machine-readable, also the name of the predictor that is this part alone; user_hour is "hour_of_week".
std::string_view counter_part_name(CounterPart part);

/// One weight a part, none negative.
using CounterWeights = std::array<double, counter_parts>;

struct CounterPredictor {
  std::string name;        ///< machine-readable, such as "user_frequency" or "mixture_with_time"
  bool sees_time = false;  ///< the hour and weekday of the target are an input
  CounterWeights weights{};
};

/// What the training rows say. Memory is O(places + rows): 24 C floats are the largest part.
struct CounterTables {
  std::vector<std::int32_t> place;           ///< [C] candidate -> place
  std::vector<std::int32_t> candidate;       ///< [places] place -> candidate, -1 for none
  std::vector<float> popularity;             ///< [C]
  std::vector<std::uint64_t> count;          ///< [C] training rows at the candidate
  std::vector<double> latitude, longitude;   ///< [C] degrees, from the first training row at the candidate
  std::vector<float> hour_popularity;        ///< [24, C]
  std::vector<std::size_t> follower_begin;   ///< [C + 1]: followers of candidate c lie from follower_begin[c] on
  std::vector<std::int32_t> follower;        ///< candidates, ascending within a row
  std::vector<float> follower_share;         ///< share of the follower among all that followed
};

/// Throws DataError when there is no training row or the table contradicts itself.
CounterTables fit_counters(const CheckinTable& table);

/// The thirteen predictors: the ten parts alone, "markov_backoff" (fixed weights) and the mixtures "mixture" and
/// "mixture_with_time", whose weights come from two rounds of coordinate search for acc@1 + MRR / 2 on the validation
/// targets. Files without validation targets get the weights that New York gives.
/// Order of work: the parts of every validation target once, held as floats (C for nearness, and the sparse ones); then
/// one pass over them for each of the 32 steps, in which all nine values of a weight are tried. Where the parts would
/// exceed 10^8 floats, every n-th validation target is used instead.
std::vector<CounterPredictor> counter_predictors(const CheckinTable& table, const CounterTables& tables);

/// Serving: the score of every place [places] after `history` (rows of one user, oldest first, may be empty);
/// -inf for places that are no candidates. `local_time` is the wall clock of the check-in to predict and matters to
/// predictors with sees_time only. Scores do not include the popularity that orders those of 0. O(history + C).
/// Throws DataError for a place the tables do not know, or a negative or non-finite weight.
std::vector<double> counter_scores(const CounterTables& tables, std::span<const Checkin> history,
                                   std::int64_t local_time, const CounterWeights& weights);

struct CounterResult {
  CounterPredictor predictor;
  EvaluationResult result;          ///< ties won by the counter, as in the known New York figures
  EvaluationResult shared;          ///< ties shared out (expectations): what a model is compared with
  std::vector<RankedTarget> ranks;  ///< one a target, in the order of evaluation_targets
};

/// Fits, searches the weights and ranks every target of `split` under every predictor; targets one by one, so that only
/// O(history + C) is held besides the ranks. On the validation split the mixtures are flattered by their own search.
/// Throws DataError when the split has no targets, and for the training split, whose targets are what was counted.
std::vector<CounterResult> evaluate_counters(const CheckinTable& table, Split split = Split::test);

}  // namespace chronotope
