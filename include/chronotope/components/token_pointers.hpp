#pragma once
// The host side of a pointer among tokens: which past actions whoever asks may point to, and how both relate.

#include "chronotope/components/pointer_layout.hpp"
#include "chronotope/components/token_trail.hpp"

namespace chronotope {

/// Bins where they differ from PointerBins. Recency goes by the wall clock.
struct TokenPointerBins {
  static constexpr std::int32_t weekday = 14;                        ///< 0: another weekday; else 1 + the hours apart round the clock
  static constexpr std::int32_t distance = PointerBins::distance + 1;  ///< from the user's position, where it is not known that of the place before; the last: one is missing
};

/// A question in a packed row, for a block or for a place in one.
struct PointerAsk {
  std::int32_t row = 0;
  Question what = Question::block;
};

/// A askers over S sequences; keys are the steps of a sequence that any query looks at, queries the different steps, of the sequence and of its
/// branches, that are asked in.
struct TokenPointers : PointerGrid {
  std::vector<std::int32_t> slot;    ///< [A] where the asker's step stands in the flattened [S, M]
  std::vector<std::int32_t> value;   ///< [A, N] what a visible key points to: its block, or its place in it; 0 for others
  std::vector<std::uint8_t> hidden;  ///< [A, N] 1: padding, not in the past, an unknown place, or in another block than is asked for
  std::vector<std::uint8_t> alone;   ///< [A] 1 where no key is visible
  std::vector<std::uint8_t> later;   ///< [S, M, N] 1: padding, not in the past, or its place is not seen or not known

  /// Throws as TokenTrail::asker. O(A N + S M N).
  TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks);

  /// [A, N] 1 where a visible key points to the asker's target.
  std::vector<float> match(std::span<const std::int32_t> targets) const;
};

}  // namespace chronotope
