#pragma once
// Action logs as training reads them: every user's actions in the order of time, split by time, with travel statuses.

#include <span>
#include <string>
#include <vector>

#include "chronotope/components/action_tokenizer.hpp"
#include "chronotope/data/action_source.hpp"
#include "chronotope/data/travel_status.hpp"
#include "chronotope/train/histories.hpp"

namespace chronotope {

struct VocabularyOptions {
  GeoCells cells = GeoCells::geohash;
  std::int32_t geo_rows = 2048;
  std::int32_t profile_pieces = 512;  ///< tokens of profiles
  double validation_share = 0.1, test_share = 0.1;
};

/// The vocabulary of a log over an index: types and profiles of the log, categories of the index, splits by shares of the
/// actions. O(actions + places) time, 8 bytes an action. Throws DataError when nothing is left to train on.
ActionVocabulary make_vocabulary(const ActionSource& source, const PlaceCatalogue& places, const VocabularyOptions& options);

/// All users of a log. O(actions) memory, 56 bytes an action.
struct ActionHistories {
  std::vector<std::string> users;         ///< ascending
  std::vector<std::string> profiles;      ///< [users] the first that was logged, or ""
  std::vector<PastAction> actions;        ///< of users[0], then of users[1], …; by time within a user, the log's order among equals
  std::vector<TravelStatus> status;       ///< [actions]
  std::vector<std::size_t> begin;         ///< [users + 1]

  /// `travel_km`: how far from home travelling begins. Home is where most of a user's actions before `validation_from` were made.
  ActionHistories(const ActionSource& source, const ActionTokenizer& tokenizer, double travel_km);

  std::span<const PastAction> history(std::size_t user) const { return {actions.data() + begin[user], begin[user + 1] - begin[user]}; }
  /// The number of a user, or nothing. O(log users).
  std::optional<std::size_t> user(const std::string& id) const;
};

/// Statuses of one user's actions, by time; home from the first `known` of them. A user's missing position is taken to be that of
/// the place; an action without any position is local.
std::vector<TravelStatus> travel_statuses(std::span<const PastAction> actions, std::size_t known, double travel_km);

}  // namespace chronotope
