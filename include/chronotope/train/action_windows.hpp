#pragma once
// Pieces of histories that a model of actions trains on, and their tokens.

#include "chronotope/train/action_histories.hpp"

namespace chronotope {

/// Actions begin … end - 1 of one user; those from first_target on are asked for where they are interest-based and their place
/// is known, the ones before are context.
struct ActionWindow {
  std::size_t user = 0, begin = 0, end = 0, first_target = 0;
};

/// Which training sequences (Spacetime-GR, 3.2.1, Training Strategy).
enum class SequenceSet : std::uint8_t {
  single,  ///< every maximal run of one travel status
  multi    ///< the whole histories of users with several statuses
};

/// Windows of at most `length` actions over the actions before `until` (UTC) such that each but a sequence's first is asked for
/// once; windows after the first start half a window back, the first cut is drawn anew each epoch. In the order of users. O(actions).
std::vector<ActionWindow> sequence_windows(const ActionHistories& histories, SequenceSet set, std::int64_t length, std::int64_t until,
                                           std::uint64_t seed, std::uint64_t epoch);

/// One window for each interest-based action of a known place with from <= UTC < until and at least one action before: the
/// action last, up to length - 1 earlier ones.
std::vector<ActionWindow> target_windows(const ActionHistories& histories, std::int64_t length, std::int64_t from, std::int64_t until);

/// How many of a user's `actions`, counted from the first, are forgotten where `length` are remembered: with each action that would be one too
/// many the oldest go, and length / 2 stay (at least that one). What requests see, in training and in sessions: between length / 2 and `length`
/// actions, and for length - length / 2 + 1 actions in a row from the same one on, so that requests among them share one encoding. O(1).
std::size_t forgotten_actions(std::size_t actions, std::size_t length);

/// A profile as tokens: at most `most`, the last of which says that it ends.
std::vector<std::int32_t> profile_pieces(const ActionVocabulary& vocabulary, const std::string& profile, std::int64_t most);

/// Tokens of a history: text of the profile, then u, block, inner and a of each action.
class ActionTokens {
 public:
  /// Keeps references. Profiles have at most `profile_tokens` tokens, the last of which says that they end.
  ActionTokens(const ActionHistories& histories, const ActionTokenizer& tokenizer, std::int64_t profile_tokens);

  /// Adds a sequence and asks for its targets. Of the last action there is what predicts its place, not the place. False, and
  /// nothing is added, when nothing is asked for.
  bool add(const ActionWindow& window, TokenBatch& batch) const;
  /// Adds a sequence of whole actions begin … end - 1, with nothing asked. A `user` that the histories do not have has no profile. The packed rows
  /// behind the profile and behind each action, [1 + end - begin].
  std::vector<std::int32_t> add_history(std::size_t user, std::size_t begin, std::size_t end, TokenBatch& batch) const;

  const ActionHistories& histories() const { return histories_; }
  const ActionTokenizer& tokenizer() const { return tokenizer_; }

 private:
  bool asked(std::size_t action) const { return histories_.actions[action].interest && histories_.actions[action].place != 0; }
  void add_profile(std::size_t user, TokenBatch& batch) const;

  const ActionHistories& histories_;
  const ActionTokenizer& tokenizer_;
  std::vector<std::vector<std::int32_t>> profiles_;  // [users]
};

/// The tokens of one action after another.
struct ActionRows {
  std::int32_t context = 0, block = 0;  ///< packed rows; block is the row before the inner token, whatever it is
};
ActionRows add_place_tokens(const ActionTokenizer& tokenizer, const PastAction& action, bool with_inner, TokenBatch& batch);

}  // namespace chronotope
