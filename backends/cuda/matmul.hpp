#pragma once
// Products, by cuBLASLt or cuBLAS where they take them, in the stream's math mode.

#include <utility>

#include "stream.hpp"

namespace chronotope::cuda {

/// out = a b + beta out, of any dtype and strides.
void product(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta);

/// out = a b + bias, a bias for each column of a dense row-major matrix. False: the bias is still to be added.
bool product_with_bias(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, const View& bias);

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
