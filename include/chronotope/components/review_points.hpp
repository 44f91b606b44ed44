#pragma once
// The host side of forgetting: which behaviours there are, which of them are reviews, and when they were.

#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// What a forgetting curve depends on besides its constants, for B samples of k behaviours (oldest first, padding in
/// front) and M materials. Reviews are counted from the newest behaviour backwards, as STIM does: the first review is the
/// one nearest to the request (review_steps() in ops/forgetting.hpp).
struct ReviewPoints {
  std::int64_t samples = 0, materials = 0, kept = 0;  ///< B, M, k
  std::vector<std::uint8_t> valid;                    ///< [B, k] 0 in padding
  std::vector<std::uint8_t> review;                   ///< [B, M, k] 1 where the behaviour lies in the request's group
  std::vector<float> time;                            ///< [B, k] back from the request

  /// valid [B, k], review [B, M, k] (what stands in padding does not matter), time [B, k] back from the request in any
  /// unit, falling towards the newest. Copies them: O(B M k) bytes. Throws ShapeError when sizes contradict.
  ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review,
               std::span<const float> time);

  /// Time as STIM reads it by default: places back from the newest behaviour, which is at 0.
  ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review);
};

}  // namespace chronotope
