#pragma once
// The interest unit of STIM ("Hierarchical Multi-Interest Network Unit", eq. 14 to 17) behind its queries. Differentiable in
// all but `valid`.

#include "chronotope/backend/fused.hpp"
#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// B samples, Q queries, M masks, k behaviours, H heads that are networks D -> F -> O.
template <Backend B> struct HminInputs {
  Tensor<B> query;             ///< [B, Q, D]
  Tensor<B> keys;              ///< [B, k, D]
  Tensor<B> mask;              ///< [B, M, k]
  Tensor<B> valid;             ///< [B, k] u8, 0 in padding
  Tensor<B> temperature;       ///< [1]
  Tensor<B> weight1, bias1;    ///< [H F, D], [H F]: first layers, the heads one behind the other; ReLU follows
  Tensor<B> weight2, bias2;    ///< [H, O, F], [H, O]: second layers
};

/// [B, Q M, H O]: for every query and mask softmax(temperature cos(query, key) mask) over the behaviours there are, which
/// weighs the heads' values at the keys. The second layers are linear and the weights add up to 1, so they come after the
/// pooling: the same values, at a cost of Q M rows instead of k. Padding takes no part; a sample without behaviours gets
/// zeros. Squared lengths are kept off 0 by 1e-20. Throws ShapeError, DTypeError.
/// O(B (k H F (D + Q M) + Q M H F O)); fused backends keep nothing for the backward pass.
template <Backend B> Tensor<B> hmin(const HminInputs<B>& x);

/// What hmin's softmax is taken of, [B, Q M, k]; means nothing in padding. Arguments as in HminInputs.
template <Backend B> Tensor<B> hmin_scores(const Tensor<B>& query, const Tensor<B>& keys, const Tensor<B>& mask, const Tensor<B>& temperature);

}  // namespace chronotope
