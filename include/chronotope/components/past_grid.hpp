#pragma once
// The host side of looking back among tokens: which past actions whoever asks sees, and how both relate.

#include "chronotope/components/pointer_layout.hpp"
#include "chronotope/components/token_trail.hpp"

namespace chronotope {

/// Bins where they differ from PointerBins. Recency goes by the wall clock.
struct TokenPointerBins {
  static constexpr std::int32_t weekday = 14;                        ///< 0: another weekday; else 1 + the hours apart round the clock
  static constexpr std::int32_t distance = PointerBins::distance + 1;  ///< from the user's position, where it is not known that of the place before; the last: one is missing
};

/// A askers over S sequences; keys are the steps of a sequence that any query looks at, queries the different steps, of the sequence and of its
/// branches, that are asked in.
struct PastGrid : PointerGrid {
  std::vector<std::int32_t> slot;    ///< [A] where the asker's step stands in the flattened [S, M]
  std::vector<std::uint8_t> later;   ///< [S, M, N] 1: padding, not in the past, or its place is not seen or not known

  /// `steps` [A] of the trail are asked in. O(S M N).
  PastGrid(const TokenTrail& trail, std::span<const std::int32_t> steps);

  /// Calls look(a, cell, asking, past) for each asker a, a step, and each step of its past; `cell` is the place of both in [A, N].
  template <class F> void for_each(const TokenTrail& trail, std::span<const std::int32_t> steps, F&& look) const {
    for (std::size_t a = 0; a < steps.size(); ++a) {
      const TrailStep& asking = trail.steps()[static_cast<std::size_t>(steps[a])];
      for (std::int32_t j = asking.first; j < asking.past; ++j)
        look(a, a * static_cast<std::size_t>(keys) + static_cast<std::size_t>(j - asking.first), asking, trail.steps()[static_cast<std::size_t>(j)]);
    }
  }
};

}  // namespace chronotope
