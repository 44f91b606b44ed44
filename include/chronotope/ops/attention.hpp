#pragma once
// Attention over packed sequences: no padding, block-diagonal and causal.

#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// How sequences of different lengths lie one after another in a token axis of T = offsets.back(), and which tokens ask.
template <Backend B> struct Packing {
  Tensor<B> offsets;                  ///< [S + 1] i32
  Tensor<B> position;                 ///< [T] i32: place of each token in its sequence, from 0
  Tensor<B> segment;                  ///< [T] i32: number of each token's sequence
  std::vector<std::int32_t> lengths;  ///< of the S sequences, on the host

  /// Throws ShapeError on a negative length.
  Packing(Context<B>& context, const std::vector<std::int32_t>& lengths);
  std::int64_t tokens() const { return position.size(0); }
};

/// Causal attention inside each packed sequence (Vaswani et al. 2017): q [Q, H, D] stands at the packed rows
/// `query_rows` [Q] i32, strictly ascending; k, v [T, H, D]. Query row r sees the keys of its own sequence up to r.
/// Returns [Q, H, D]. Fused backends keep no [T, T] tensor; the composition does, O(T^2 H) memory. Differentiable.
template <Backend B>
Tensor<B> attention(const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing,
                    const Tensor<B>& query_rows, double scale);

}  // namespace chronotope
