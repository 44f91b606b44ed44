#pragma once
// Forgetting curves and the masks made of them (STIM, "Spatiotemporal Dynamic Masking with Forgetting Curve", eq. 2, 4, 6).
// Differentiable in the constants. O(B M k).

#include "chronotope/backend/fused.hpp"
#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Where B samples of k behaviours stand between their reviews, for M materials.
template <Backend B> struct ReviewTensors {
  Tensor<B> valid;     ///< [B, k] u8, 0 in padding
  Tensor<B> reviewed;  ///< [B, M, k] u8, 1 from the first review backwards
  Tensor<B> since;     ///< [B, M, k] time since the latest review, since the newest behaviour where there is none yet
  Tensor<B> number;    ///< [B, M, k] of the latest review, n; 0 where there is none yet
  Tensor<B> share;     ///< [B, M, k] how far that is between the first review (0) and the last one (1)
};

/// [M] each, one of a material: the paper's Rinit, Rfinal, S and I.
template <Backend B> struct ForgettingConstants {
  Tensor<B> r_init, r_final, s, i;
};

/// R(t) [B, M, k]: curve(x) with x = since (1 + number i) / s, after a review times r_final - (r_final - r_init) share.
/// What stands in padding means nothing. Throws ShapeError, DTypeError.
template <Backend B>
Tensor<B> retention(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape);

/// R(t) scaled to 0 .. 1 over the behaviours there are, 1 where all retain the same, then the logistic function when the
/// shape has it; 0 in padding. [B, M, k].
template <Backend B>
Tensor<B> forgetting_mask(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape);

}  // namespace chronotope
