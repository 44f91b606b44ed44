#pragma once
// Products, by cuBLAS where it takes them.

#include <utility>

#include "stream.hpp"

namespace chronotope::cuda {

/// out = a b + beta out, of any dtype and strides.
void product(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta);

/// False, having queued nothing, for integers, empty operands and layouts that are not rows or columns of dense elements.
bool blas_matmul(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta);

/// Whether cuBLAS takes it: floats [R, D], D > 0, with dense rows that do not overlap.
inline bool is_matrix(const View& v) {
  return is_floating(v.dtype) && v.shape.rank() == 2 && v.shape[1] > 0 && (v.shape[1] == 1 || v.strides[1] == 1) &&
         (v.shape[0] < 2 || v.strides[0] >= v.shape[1]);
}
/// Whether it is one like another, as the gradient of that.
inline bool is_matrix_like(const View& v, const View& other) { return is_matrix(v) && v.dtype == other.dtype && v.shape == other.shape; }

inline View transposed(View v) {
  const int rank = v.shape.rank();
  std::swap(v.shape[rank - 1], v.shape[rank - 2]);
  std::swap(v.strides[rank - 1], v.strides[rank - 2]);
  return v;
}

}  // namespace chronotope::cuda
