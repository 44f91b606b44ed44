#pragma once
// What the f32 kernels ask of a view before they take it.

#include <optional>

#include "chronotope/core/shape.hpp"

namespace chronotope::onednn {

/// f32 [R, D] whose last axis is dense; rows may be strided or repeated.
struct Rows {
  float* data = nullptr;
  std::int64_t rows = 0, columns = 0, stride = 0;
  float* row(std::int64_t r) const { return data + r * stride; }
};

inline std::optional<Rows> rows_of(const View& v) {
  if (v.dtype != DType::f32 || v.shape.rank() != 2 || (v.shape[1] > 1 && v.strides[1] != 1)) return std::nullopt;
  return Rows{v.as<float>(), v.shape[0], v.shape[1], v.strides[0]};
}

inline bool same_extents(const Rows& a, const Rows& b) { return a.rows == b.rows && a.columns == b.columns; }

/// Data of a dense f32 vector [n], otherwise null.
inline float* vector_of(const View& v, std::int64_t n) {
  const bool dense = v.dtype == DType::f32 && v.shape.rank() == 1 && v.shape[0] == n && (n <= 1 || v.strides[0] == 1);
  return dense ? v.as<float>() : nullptr;
}

/// f32 and without gaps, of any shape.
inline bool is_dense(const View& v) { return v.dtype == DType::f32 && v.contiguous(); }

}  // namespace chronotope::onednn
