#pragma once
// Learning rates over the course of a training.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace chronotope {

/// Cosine from `peak` down to `least` over `steps` (Loshchilov & Hutter 2017), times a linear warm-up over the first
/// `warmup` steps.
struct WarmupCosine {
  double peak = 1e-3, least = 1e-4;
  std::int64_t warmup = 0, steps = 1;

  /// Rate of step 0, 1, …; stays at `least` after the last.
  double operator()(std::int64_t step) const {
    const double passed = std::min(1.0, static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(steps, 1)));
    const double cosine = least + (peak - least) * 0.5 * (1 + std::cos(std::numbers::pi * passed));
    return cosine * std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(std::max<std::int64_t>(warmup, 1)));
  }
};

}  // namespace chronotope
