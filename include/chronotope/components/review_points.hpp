#pragma once
// The host side of forgetting: how far back each behaviour lies, and which earlier reviews it has behind it.

#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// What a forgetting curve depends on besides its constants, for B samples of k behaviours (oldest first, padding in
/// front) and M materials. Reviews are counted from the newest behaviour backwards, as STIM does: the first review is the
/// one nearest to the request.
struct ReviewPoints {
  std::int64_t samples = 0, materials = 0, kept = 0;  ///< B, M, k
  std::vector<std::uint8_t> valid;                    ///< [B, k] 0 in padding
  std::vector<std::uint8_t> reviewed;                 ///< [B, M, k] 1 from the first review backwards, the review itself included
  std::vector<double> since;   ///< [B, M, k] time back from the latest review, from the request where there is none yet
  std::vector<double> number;  ///< [B, M, k] i of the latest review, counted from 1; 0 where there is none yet
  std::vector<double> share;   ///< [B, M, k] (i - 1) / (n - 1) with n reviews in all; 0 for n = 1

  /// valid [B, k], review [B, M, k] (what stands in padding does not matter), time [B, k] back from the request in any
  /// unit, falling towards the newest. O(B M k); no [B, k, reviews] array. Throws ShapeError when sizes contradict.
  ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review,
               std::span<const float> time);

  /// Time as STIM reads it by default: places back from the newest behaviour, which is at 0.
  ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review);

 private:
  void walk(std::int64_t sample, std::int64_t material, std::span<const std::uint8_t> review, const float* time);
};

}  // namespace chronotope
