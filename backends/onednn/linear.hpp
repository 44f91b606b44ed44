#pragma once
// Arguments of the kernels in linear.cpp.

#include "gemm.hpp"
#include "panels.hpp"
#include "row_sums.hpp"
#include "views.hpp"

namespace chronotope::onednn {

/// Rows that a thread takes at once: a multiple of the rows that a product keeps in registers.
inline constexpr std::int64_t linear_chunk = 192;

/// y [R, N] = x [R, K] w^T + bias with w [N, K], rectified or not, and its gradients.
struct LinearTask {
  Rows x, y, dy;
  Rows dx;                 ///< without data where nobody asks for it
  const float* w = nullptr;
  const float* bias = nullptr;
  const std::int32_t* group = nullptr;  ///< [R] which row of bias [G, N] is added; none where there is one row
  float* packed = nullptr;  ///< w in panels
  bool relu = false;
};

}  // namespace chronotope::onednn
