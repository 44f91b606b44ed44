#pragma once
// What a stream of tokens says of a user's actions: which context each place belongs to, and who asks in which context.

#include <span>
#include <vector>

#include "chronotope/components/token_batch.hpp"

namespace chronotope {

/// A context, and the place that its action went to, where one follows in a sequence. Its past are the steps first … past - 1: in a sequence
/// those before it, in a branch those of the prefix.
struct TrailStep {
  std::int32_t row = 0;     ///< packed row of u
  std::int32_t first = 0, past = 0;
  std::int32_t sees = 0;    ///< rows before this one: its own, or the end of the prefix
  std::array<std::int32_t, time_features> when{};
  std::int64_t local = 0;
  TokenPosition user, place;
  std::int32_t place_row = -1;                      ///< packed row of the inner token, -1: none yet
  std::int32_t block = 0, inner = 0, category = 0;  ///< inner 0: a place that is not known

  /// Whether the place of a step of its past is among what it sees: a prefix may end inside an action.
  bool knows(const TrailStep& earlier) const { return earlier.place_row >= 0 && earlier.place_row < sees; }
};

/// The steps of all sequences and branches, in the order of their rows. Grows and shrinks with the tokens.
class TokenTrail {
 public:
  /// Adds the tokens of a batch behind those so far; `goes_on`: its first segment continues the last one. Throws DataError for a second context
  /// in one branch: its past would lie in two pieces. O(tokens + branches log tokens).
  void add(const TokenBatch& batch, bool goes_on = false);

  const std::vector<TrailStep>& steps() const { return steps_; }

  /// Whoever asks in a row: the step whose past is looked at, and for a block token, in a sequence or a branch, that block, else -1.
  struct Asker {
    std::int32_t step = 0, block = -1;
  };
  /// Throws DataError for a row that is neither a context nor a block behind one. O(log tokens).
  Asker asker(std::int32_t row) const;

  /// A place token: the step that it stands behind, in a sequence or a branch, -1 for none.
  struct PlaceToken {
    std::int32_t row = 0, step = -1, block = 0;
    InnerInput place;
  };
  /// Throws DataError for a row that is no place behind a context. O(log tokens).
  const PlaceToken& place(std::int32_t row) const;

  /// Where a later keep() goes back to.
  struct Mark {
    std::int32_t rows = 0;    ///< tokens so far
    std::int32_t step = -1;   ///< the last segment's latest context, or the one that its prefix ends with; -1: none
    std::int32_t first = 0;   ///< number of the last segment's first step
    Prefix seen = {};         ///< of the last segment; empty for a sequence
  };
  const Mark& mark() const { return now_; }
  /// Forgets what was added since.
  void keep(const Mark& mark);

 private:
  struct BlockToken {
    std::int32_t row = 0, step = 0, block = 0;
  };
  void begin(Prefix seen);
  void context(const ContextInput& input);
  void inner(const InnerInput& input);

  std::vector<TrailStep> steps_;
  std::vector<BlockToken> blocks_;
  std::vector<PlaceToken> places_;
  Mark now_;
};

}  // namespace chronotope
