#pragma once
// Attention over packed sequences that may branch: no padding, block-diagonal and causal.

#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Packed token rows begin … end - 1, which a branch sees before its own tokens. None: an empty range.
struct Prefix {
  std::int32_t begin = 0, end = 0;
  std::int32_t length() const { return end - begin; }
};

/// How segments of different lengths lie one after another in a token axis of T = offsets.back(). A segment is a root,
/// a sequence of its own, or a branch, which goes on after the first tokens of an earlier root: its prefix. Branches do
/// not see one another, so the candidates of one user lie side by side at equal positions.
template <Backend B> struct Packing {
  Tensor<B> offsets;                  ///< [S + 1] i32
  Tensor<B> position;                 ///< [T] i32: place of each token in its sequence, from 0; a branch's follow its prefix
  Tensor<B> segment;                  ///< [T] i32: number of each token's segment
  Tensor<B> prefix;                   ///< [S, 2] i32: begin and end of each segment's prefix; undefined when all are roots
  std::vector<std::int32_t> lengths;  ///< of the S segments, without prefixes, on the host
  std::vector<Prefix> prefixes;       ///< of the S segments, on the host; empty when all are roots
  std::int32_t positions = 0;         ///< one more than the greatest position

  /// `prefixes` has one for each segment, or none at all. Throws ShapeError on a negative length, and on a prefix that
  /// does not begin where an earlier root begins or ends behind that root.
  Packing(Context<B>& context, const std::vector<std::int32_t>& lengths, const std::vector<Prefix>& prefixes = {});
  std::int64_t tokens() const { return position.size(0); }
};

/// Causal attention inside each packed sequence (Vaswani et al. 2017): q [Q, H, D] stands at the packed rows
/// `query_rows` [Q] i32, strictly ascending; k, v [T, H, D]. Query row r sees the keys of its segment's prefix and of its
/// segment up to r. Returns [Q, H, D]. Fused backends keep no [T, T] tensor; the composition does, O(T^2 H) memory.
/// Differentiable.
template <Backend B>
Tensor<B> attention(const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing,
                    const Tensor<B>& query_rows, double scale);

}  // namespace chronotope
