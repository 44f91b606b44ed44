#pragma once
// Arguments of the kernels in forgetting.cpp.

#include "chronotope/backend/fused.hpp"

namespace chronotope::onednn {

/// Views without gaps as pointers; extents as in ReviewViews and CurveConstants.
struct ForgettingTask {
  CurveShape shape;
  std::int64_t samples = 0, materials = 0, kept = 0;  ///< B, M, k
  const std::uint8_t *valid = nullptr, *review = nullptr;
  const float* time = nullptr;
  const float *r_init = nullptr, *r_final = nullptr, *s = nullptr, *i = nullptr;
  float* mask = nullptr;
  const float* dmask = nullptr;
};

}  // namespace chronotope::onednn
