#pragma once
// The host side of a pointer among tokens: which past actions whoever asks may point to.

#include "chronotope/components/past_grid.hpp"

namespace chronotope {

/// A question in a packed row, for a block or for a place in one.
struct PointerAsk {
  std::int32_t row = 0;
  Question what = Question::block;
};

struct TokenPointers : PastGrid {
  std::vector<std::int32_t> value;   ///< [A, N] what a visible key points to: its block, or its place in it; 0 for others
  std::vector<std::uint8_t> hidden;  ///< [A, N] 1: padding, not in the past, an unknown place, or in another block than is asked for
  std::vector<std::uint8_t> alone;   ///< [A] 1 where no key is visible

  /// Throws as TokenTrail::asker. O(A N + S M N).
  TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks);

  /// [A, N] 1 where a visible key points to the asker's target.
  std::vector<float> match(std::span<const std::int32_t> targets) const;

 private:
  using Askers = std::vector<TokenTrail::Asker>;
  TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks, const Askers& askers);
};

}  // namespace chronotope
