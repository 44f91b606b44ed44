#pragma once
// What a stream of tokens says of a user's actions: which context each place belongs to, and who asks in which context.

#include <span>
#include <vector>

#include "chronotope/components/token_batch.hpp"

namespace chronotope {

/// A context of a sequence, and the place that its action went to, where one follows.
struct TrailStep {
  std::int32_t row = 0;     ///< packed row of u
  std::int32_t first = 0;   ///< number of its sequence's first step; those of a sequence are first … itself … in a row
  std::array<std::int32_t, time_features> when{};
  std::int64_t local = 0;
  TokenPosition user, place;
  std::int32_t place_row = -1;                      ///< packed row of the inner token, -1: none yet
  std::int32_t block = 0, inner = 0, category = 0;  ///< inner 0: a place that is not known
};

/// The steps of all sequences, in the order of their rows. Grows and shrinks with the tokens.
class TokenTrail {
 public:
  /// Adds the tokens of a batch behind those so far; `goes_on`: its first segment continues the last one. Throws DataError for a context
  /// in a branch: it would have another past than its sequence. O(tokens).
  void add(const TokenBatch& batch, bool goes_on = false);

  const std::vector<TrailStep>& steps() const { return steps_; }

  /// Whoever asks in a row: the step whose past is looked at, and for a block token, in a sequence or a branch, that block, else -1.
  struct Asker {
    std::int32_t step = 0, block = -1;
  };
  /// Throws DataError for a row that is neither a context nor a block behind one. O(log tokens).
  Asker asker(std::int32_t row) const;

  /// Where a later keep() goes back to.
  struct Mark {
    std::int32_t rows = 0;    ///< tokens so far
    std::int32_t step = -1;   ///< the last segment's latest context, or the one that its prefix ends with; -1: none
    std::int32_t first = 0;   ///< number of the last sequence's first step
    bool branch = false;      ///< the last segment is one
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
  Mark now_;
};

}  // namespace chronotope
