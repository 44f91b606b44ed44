#pragma once
// Forgetting curves and the masks made of them (STIM, "Spatiotemporal Dynamic Masking with Forgetting Curve", eq. 2, 4, 6).
// Differentiable in the constants. O(B M k).

#include "chronotope/backend/fused.hpp"
#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// B samples of k behaviours, oldest first, and which of them are reviews, for M materials. What stands in padding of
/// `review` and `time` does not matter.
template <Backend B> struct ReviewTensors {
  Tensor<B> valid;   ///< [B, k] u8, 0 in padding
  Tensor<B> review;  ///< [B, M, k] u8, 1 where a behaviour is a review
  Tensor<B> time;    ///< [B, k] back from the request, falling towards the newest
};

/// Where every behaviour stands between the reviews, counted from the newest behaviour backwards; each [B, M, k], 0 in
/// padding.
template <Backend B> struct ReviewSteps {
  Tensor<B> reviewed;  ///< u8, 1 from the first review backwards, the review itself included
  Tensor<B> since;     ///< time back from the latest review, from the request where there is none yet
  Tensor<B> number;    ///< i of the latest review, counted from 1; 0 where there is none yet
  Tensor<B> share;     ///< (i - 1) / (n - 1) with n reviews in all; 0 for n = 1
};

/// Not differentiable. Throws ShapeError, DTypeError. O(B M k).
template <Backend B> ReviewSteps<B> review_steps(const ReviewTensors<B>& points);

/// [M] each, one of a material: the paper's Rinit, Rfinal, S and I.
template <Backend B> struct ForgettingConstants {
  Tensor<B> r_init, r_final, s, i;
};

/// R(t) [B, M, k] of review_steps(): curve(x) with x = since (1 + number i) / s, after a review times r_final - (r_final - r_init) share.
/// What stands in padding means nothing. Throws ShapeError, DTypeError.
template <Backend B>
Tensor<B> retention(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape);

/// R(t) scaled to 0 .. 1 over the behaviours there are, 1 where all retain the same, then the logistic function when the
/// shape has it; 0 in padding. [B, M, k].
template <Backend B>
Tensor<B> forgetting_mask(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape);

}  // namespace chronotope
