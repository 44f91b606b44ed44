#pragma once
// How an asking action and a past one relate, in the bins of pointers (PointerBins).

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "chronotope/components/pointer_layout.hpp"
#include "chronotope/components/token_batch.hpp"

namespace chronotope::pointer_bins {

/// floor(log2(x)) + shift in [0, bins); 0 for x <= 0.
inline std::int32_t log2_bin(double x, int shift, std::int32_t bins) {
  if (!(x > 0)) return 0;
  return std::clamp<std::int32_t>(std::ilogb(x) + shift, 0, bins - 1);
}

inline std::int32_t recency(std::int64_t seconds) { return log2_bin(static_cast<double>(seconds) / 3600, 6, PointerBins::recency); }

using When = std::array<std::int32_t, time_features>;

/// Round the clock, 0 … 12.
inline std::int32_t hours_apart(const When& a, const When& b) {
  const std::int32_t difference = std::abs(a[3] - b[3]);
  return std::min(difference, 24 - difference);
}

inline std::int32_t hour(const When& a, const When& b) { return hours_apart(a, b) + ((a[2] >= 5) == (b[2] >= 5) ? 13 : 0); }

/// Of the latitude that distances are measured at.
inline double cosine(double degrees) { return std::cos(degrees * std::numbers::pi / 180); }

/// Equirectangular: the bins are octaves, so the error of a few per cent at city scale does not matter.
inline std::int32_t distance(const TokenPosition& a, const TokenPosition& b, double cosine) {
  constexpr double km_per_degree = 111.19;
  const double north = a.latitude - b.latitude;
  const double east = std::remainder(a.longitude - b.longitude, 360.0) * cosine;
  return log2_bin(km_per_degree * std::sqrt(north * north + east * east), 5, PointerBins::distance);
}

}  // namespace chronotope::pointer_bins
