#pragma once
// Sums and maxima. `axis` may count from the end; with keep the reduced axis stays with extent 1. Differentiable.

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Sum over one axis.
template <Backend B> Tensor<B> sum(const Tensor<B>& x, int axis, bool keep = false);
/// Sum of everything, a scalar.
template <Backend B> Tensor<B> sum(const Tensor<B>& x);
/// Mean over one axis; of an empty axis NaN.
template <Backend B> Tensor<B> mean(const Tensor<B>& x, int axis, bool keep = false);
template <Backend B> Tensor<B> mean(const Tensor<B>& x);
/// Largest value along an axis; equal maxima share the gradient.
template <Backend B> Tensor<B> max(const Tensor<B>& x, int axis, bool keep = false);
/// log sum e^x along an axis, without overflow; the axis stays with extent 1.
template <Backend B> Tensor<B> logsumexp(const Tensor<B>& x, int axis);
/// Running sums along an axis.
template <Backend B> Tensor<B> cumsum(const Tensor<B>& x, int axis);
/// sum of x^2, a scalar; not differentiable (gradient norms).
template <Backend B> Tensor<B> sum_squares(const Tensor<B>& x);

}  // namespace chronotope
