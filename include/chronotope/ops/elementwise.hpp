#pragma once
// Element by element, broadcasting trailing axes (an extent of 1 stretches). Operands share one dtype: nothing is
// promoted. All are differentiable unless said otherwise. ShapeError when shapes do not broadcast, DTypeError when
// types differ. Time is O(elements of the result).

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

template <Backend B> Tensor<B> add(const Tensor<B>& a, const Tensor<B>& b);
template <Backend B> Tensor<B> sub(const Tensor<B>& a, const Tensor<B>& b);
template <Backend B> Tensor<B> mul(const Tensor<B>& a, const Tensor<B>& b);
template <Backend B> Tensor<B> div(const Tensor<B>& a, const Tensor<B>& b);
/// The larger of both; where they are equal each gets half of the gradient.
template <Backend B> Tensor<B> maximum(const Tensor<B>& a, const Tensor<B>& b);

/// u8 tensors of 0 and 1; not differentiable.
template <Backend B> Tensor<B> equal(const Tensor<B>& a, const Tensor<B>& b);
template <Backend B> Tensor<B> less(const Tensor<B>& a, const Tensor<B>& b);

template <Backend B> Tensor<B> neg(const Tensor<B>& x);
template <Backend B> Tensor<B> exp(const Tensor<B>& x);
template <Backend B> Tensor<B> log(const Tensor<B>& x);
template <Backend B> Tensor<B> sqrt(const Tensor<B>& x);
template <Backend B> Tensor<B> reciprocal(const Tensor<B>& x);
template <Backend B> Tensor<B> sin(const Tensor<B>& x);
template <Backend B> Tensor<B> cos(const Tensor<B>& x);
template <Backend B> Tensor<B> tanh(const Tensor<B>& x);
/// Gradient 0 at 0.
template <Backend B> Tensor<B> abs(const Tensor<B>& x);

/// 1 / (1 + e^-x), without overflow for any x.
template <Backend B> Tensor<B> sigmoid(const Tensor<B>& x);
/// x sigmoid(x) (Hendrycks & Gimpel 2016; Elfwing et al. 2018).
template <Backend B> Tensor<B> silu(const Tensor<B>& x);
/// The tanh form of x Phi(x) (Hendrycks & Gimpel 2016).
template <Backend B> Tensor<B> gelu(const Tensor<B>& x);
/// max(x, 0); gradient 0 at 0.
template <Backend B> Tensor<B> relu(const Tensor<B>& x);

/// cond ? a : b; cond is u8 and gets no gradient.
template <Backend B> Tensor<B> where(const Tensor<B>& cond, const Tensor<B>& a, const Tensor<B>& b);

/// Another dtype; the gradient is cast back. Float to integer truncates and is not differentiable.
template <Backend B> Tensor<B> cast(const Tensor<B>& x, DType dtype);

/// A scalar of x's dtype and context, for use as an operand.
template <Backend B> Tensor<B> scalar_like(const Tensor<B>& x, double value) {
  return full<B>(x.state(), Shape{}, value, x.dtype());
}

template <Backend B> Tensor<B> operator+(const Tensor<B>& a, const Tensor<B>& b) { return add(a, b); }
template <Backend B> Tensor<B> operator-(const Tensor<B>& a, const Tensor<B>& b) { return sub(a, b); }
template <Backend B> Tensor<B> operator*(const Tensor<B>& a, const Tensor<B>& b) { return mul(a, b); }
template <Backend B> Tensor<B> operator/(const Tensor<B>& a, const Tensor<B>& b) { return div(a, b); }
template <Backend B> Tensor<B> operator-(const Tensor<B>& x) { return neg(x); }
template <Backend B> Tensor<B> operator+(const Tensor<B>& a, double b) { return add(a, scalar_like(a, b)); }
template <Backend B> Tensor<B> operator-(const Tensor<B>& a, double b) { return sub(a, scalar_like(a, b)); }
template <Backend B> Tensor<B> operator*(const Tensor<B>& a, double b) { return mul(a, scalar_like(a, b)); }
template <Backend B> Tensor<B> operator/(const Tensor<B>& a, double b) { return div(a, scalar_like(a, b)); }

}  // namespace chronotope
