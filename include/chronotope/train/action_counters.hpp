#pragma once
// Counting predictors of next places in action logs: what a model has to beat. They see what it sees: history, time, position.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "chronotope/train/action_windows.hpp"

namespace chronotope {

enum class ActionCounterPart : std::uint8_t {
  popularity,        ///< interest-based actions at the place before validation
  user_frequency,    ///< past interest-based actions of the user there
  user_hour,         ///< the same, weighted by how alike their hour is to the target's (Gaussian, 1.5 hours, round the clock), x 0.3 if
                     ///< one is on a weekend and one is not
  user_weekday,      ///< the same, on the same weekday only
  own_near,          ///< user_hour x exp(-distance from the user / 0.5 km)
  near_user,         ///< popularity x exp(-distance from the user / 0.5 km)
  near_hour,         ///< the same x the share of the place's category at the target's hour
  near_own,          ///< near_user x the share of the place's category among the user's own actions at such an hour
  after_last         ///< what followed the last place in all histories before validation
};
inline constexpr std::size_t action_counter_parts = 9;
std::string_view counter_name(ActionCounterPart part);

using ActionCounterWeights = std::array<double, action_counter_parts>;

using ActionCounterParts = std::array<std::vector<float>, action_counter_parts>;

/// When and where a user is asked about, and which of the log's actions came before.
struct CountedMoment {
  std::size_t begin = 0, end = 0;  ///< all of the user's actions before; none where both are equal
  std::int64_t local = 0;          ///< wall clock, seconds
  std::optional<GeoPosition> position;
};

/// Counts of a log, and distributions over its places for a moment. O(actions) to make, O(places + history) a moment.
class ActionCounters {
 public:
  /// Keeps references. Global knowledge comes from interest-based actions before `until` (UTC), a user's own from all earlier ones.
  ActionCounters(const ActionHistories& histories, const ActionTokenizer& tokenizer, std::int64_t until);

  /// The parts at a moment, each [places + 1], sums of 1 or all 0; [parts].
  ActionCounterParts parts(const CountedMoment& moment) const;
  /// The same at the moment of the target's last action.
  ActionCounterParts parts(const ActionWindow& target) const { return parts(moment(target)); }
  CountedMoment moment(const ActionWindow& target) const;

  /// The places of the index with the largest weighted sums above 0, best first, lower numbers first among equals; at most `most`.
  std::vector<std::uint32_t> best_places(const CountedMoment& moment, const ActionCounterWeights& weights, std::size_t most) const;

 private:
  const ActionHistories& histories_;
  const ActionTokenizer& tokenizer_;
  std::vector<float> popularity_;                              // [places + 1]
  std::vector<SeenPlace> places_;                              // [places + 1]
  std::array<std::vector<float>, 24> category_at_;             // [categories + 1] share at an hour, smoothed
  std::vector<std::vector<std::pair<std::uint32_t, float>>> followers_;  // [places + 1]
};

/// Ranks of the targets' places under one weighting, from 1, ties in the counter's favour as 1 + places above.
struct CountedRanks {
  std::string name;
  std::vector<std::int64_t> ranks;
};

/// Weights of a mixture, searched coordinate by coordinate in two rounds for hr@1 + MRR / 2 on `validation`. O(validation x places) time and memory.
ActionCounterWeights mixture_weights(const ActionCounters& counters, const ActionHistories& histories, std::span<const ActionWindow> validation);

/// Every part alone, and the mixture. O(targets x places).
std::vector<CountedRanks> counted_ranks(const ActionCounters& counters, const ActionHistories& histories, std::span<const ActionWindow> targets,
                                        const ActionCounterWeights& mixture);

}  // namespace chronotope
