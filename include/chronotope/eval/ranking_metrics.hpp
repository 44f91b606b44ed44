#pragma once
// Measures of recommended lists: hit rate, NDCG, reciprocal rank, discovery rate; their intervals by user. Ranks of
// single targets among all places are in metrics.hpp, AUC and GAUC in clicks.hpp and user_clicks.hpp.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {

/// The answer to one request, and what would have been right. Places are any numbers that tell them apart.
struct RankedList {
  std::vector<std::uint64_t> places;   ///< best first; of equal ones only the first counts
  std::vector<std::uint64_t> targets;  ///< the places gone to, in any order; equal ones count once
};

/// 1 when any target is among the first k places, else 0; with several targets as in Spacetime-GR, Table 9. NaN for a
/// request without targets, as in all measures here. O(places x targets).
double hit(const RankedList& list, std::size_t k);

/// 1 / position of the first target in the list, 0 where there is none.
double reciprocal_rank(const RankedList& list);

/// Discounted gain of the first k places over the best possible (Järvelin and Kekäläinen, "Cumulated gain-based
/// evaluation of IR techniques", 2002): a target at position i gains 1 / log2(i + 1), the best list has all targets in
/// front. Throws ConfigError for k = 0.
double ndcg(const RankedList& list, std::size_t k);

/// The same of candidates with scores [candidates] and labels [candidates], 1 for a target. Equal scores share their
/// positions: the exact expectation over all orders of them. O(candidates log candidates). Throws also DataError for
/// differing lengths, a label other than 0 and 1 or a NaN score.
double ndcg(std::span<const float> scores, std::span<const std::uint8_t> labels, std::size_t k);

/// The measures of every list [lists].
std::vector<double> hits(std::span<const RankedList> lists, std::size_t k);
std::vector<double> reciprocal_ranks(std::span<const RankedList> lists);
std::vector<double> ndcgs(std::span<const RankedList> lists, std::size_t k);

/// Something a user did before the request.
struct TimedPlace {
  std::uint64_t place = 0;
  std::int64_t local = 0;  ///< wall clock, seconds
};

inline constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

/// For each of `places` on which of the user's active days he was there last: 1 for the newest active day, 2 for the
/// one before, `never`. A day of the wall clock is active when it has an action; days without one are not counted.
/// `history` is in any order. O(history log history + places).
std::vector<std::size_t> active_days_since(std::span<const std::uint64_t> places, std::span<const TimedPlace> history);

/// D(k, m) (Spacetime-GR, 5.2): share of the first k recommended places, of all where there are fewer, that the user
/// did not interact with on the last m active days. `since` [places] is of active_days_since. NaN for no places.
double discovery_rate(std::span<const std::size_t> since, std::size_t k, std::size_t m);

/// Mean of `values` [requests] with standard error and percentile interval of a bootstrap that draws whole users, as
/// the requests of one are not independent of one another. Requests with NaN have no value and are left out; NaN
/// throughout when none has one. `users` [requests] are any numbers. O(resamples x users) time. Throws DataError for
/// differing lengths or an infinite value, ConfigError for options out of range.
MeasuredInterval mean_by_user(std::span<const double> values, std::span<const std::size_t> users,
                              const BootstrapOptions& options = {});

/// Mean of `first` minus mean of `second` on the same requests: users are drawn for both at once. Throws also DataError
/// where only one of the two is NaN: then they were not measured on the same targets.
MeasuredInterval difference_by_user(std::span<const double> first, std::span<const double> second,
                                    std::span<const std::size_t> users, const BootstrapOptions& options = {});

struct ListCutoff {
  std::size_t k = 0;
  MeasuredInterval hit_rate, ndcg;
};

/// All measures of one model's lists.
struct ListMetrics {
  std::size_t requests = 0, users = 0;  ///< with targets
  std::size_t without_targets = 0;      ///< requests that no measure looks at
  std::vector<ListCutoff> cutoffs;
  MeasuredInterval mrr;
};

/// Intervals by mean_by_user; errors as there, and ConfigError for a cutoff of 0.
ListMetrics measure_lists(std::span<const RankedList> lists, std::span<const std::size_t> users,
                          std::span<const std::size_t> cutoffs, const BootstrapOptions& options = {});

}  // namespace chronotope
