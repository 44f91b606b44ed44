#pragma once
// The host side of looking back for a candidate: which past actions went to it, or to a place of its kind.

#include "chronotope/components/past_grid.hpp"

namespace chronotope {

/// A candidates, each a place token behind the context that asks.
struct CandidatePointers : PastGrid {
  std::vector<std::int32_t> step;            ///< [A] of the trail: the context that asks
  std::vector<std::int32_t> place, category; ///< [A] row of the places' table, and id; 0: not known
  std::vector<std::int32_t> distance;        ///< [A] bin of TokenPointerBins: from the user, where that is not known from the place before
  std::vector<std::uint8_t> elsewhere;       ///< [A, N] 1 unless the key went to the candidate
  std::vector<std::uint8_t> otherwise;       ///< [A, N] 1 unless it went to a place of the candidate's category
  std::vector<std::uint8_t> unseen;          ///< [A, N] 1: padding, not in the past, or an unknown place

  /// Throws as TokenTrail::place. O(A N + S M N).
  CandidatePointers(const TokenTrail& trail, std::span<const std::int32_t> rows);

 private:
  using Places = std::vector<TokenTrail::PlaceToken>;
  CandidatePointers(const TokenTrail& trail, const Places& places);
};

}  // namespace chronotope
