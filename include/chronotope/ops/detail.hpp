#pragma once
// Shared by the definitions of operations (*_impl.hpp). Users do not include it.

#include <string>

#include "chronotope/autograd/backward.hpp"

namespace chronotope::detail {

template <Backend B> void same_dtype(const char* op, const Tensor<B>& a, const Tensor<B>& b) {
  if (a.dtype() != b.dtype())
    throw DTypeError("[" + std::string(op) + "] dtypes differ: lhs " + to_string(a.dtype()) + ", rhs " +
                     to_string(b.dtype()) + "; cast one of them");
}

template <Backend B> void need_dtype(const char* op, const char* what, const Tensor<B>& x, DType dtype) {
  if (x.dtype() != dtype)
    throw DTypeError("[" + std::string(op) + "] " + what + " must be " + to_string(dtype) + ", is " + to_string(x.dtype()));
}

template <Backend B> void need_floating(const char* op, const Tensor<B>& x) {
  if (!is_floating(x.dtype()))
    throw DTypeError("[" + std::string(op) + "] needs f32 or f64, got " + to_string(x.dtype()));
}

template <Backend B> void need_rank(const char* op, const char* what, const Tensor<B>& x, int rank) {
  if (x.rank() != rank)
    throw ShapeError("[" + std::string(op) + "] " + what + " must have " + std::to_string(rank) + " axes, shape is " +
                     to_string(x.shape()));
}

/// Throws the ShapeError that names both operands and the rule they break.
[[noreturn]] inline void shapes_differ(const char* op, const char* rule, const Shape& a, const Shape& b) {
  throw ShapeError("[" + std::string(op) + "] " + rule + ": lhs " + to_string(a) + ", rhs " + to_string(b));
}

/// The view stretched to `shape` by strides of 0.
inline View stretched(const View& v, const Shape& shape) {
  View out = v;
  out.shape = shape;
  const int shift = shape.rank() - v.shape.rank();
  for (int i = 0; i < shape.rank(); ++i)
    out.strides[i] = i < shift || v.shape[i - shift] == 1 ? 0 : v.strides[i - shift];
  return out;
}

/// The same elements with leading axes merged: [R, last]. `x` must be row-major.
inline View as_rows(const View& x) {
  const std::int64_t width = x.shape[-1];
  return contiguous_view(x.data, x.dtype, {width ? x.elements() / width : 0, width});
}

/// Uninitialised, of x's shape and dtype / one element for each row of x.
template <Backend B> Tensor<B> like(const Tensor<B>& x) { return Tensor<B>(x.state(), x.shape(), x.dtype()); }
template <Backend B> Tensor<B> column(const Tensor<B>& x) { return Tensor<B>(x.state(), {as_rows(x.view()).shape[0]}, x.dtype()); }

template <Backend B> Tensor<B> run_binary(Binary op, const Tensor<B>& a, const Tensor<B>& b, const char* name) {
  same_dtype(name, a, b);
  const Shape shape = broadcast(a.shape(), b.shape(), name);
  const bool compares = op == Binary::eq || op == Binary::lt;
  Tensor<B> out(a.state(), shape, compares ? DType::u8 : a.dtype());
  if (out.elements()) B::binary(out.stream(), op, out.view(), stretched(a.view(), shape), stretched(b.view(), shape));
  return out;
}

template <Backend B> Tensor<B> run_unary(Unary op, const Tensor<B>& x) {
  Tensor<B> out(x.state(), x.shape(), x.dtype());
  if (out.elements()) B::unary(out.stream(), op, out.view(), x.view());
  return out;
}

/// `axes` of x (a bit each) reduced to extent 1.
template <Backend B> Tensor<B> run_reduce(Reduction op, const Tensor<B>& x, unsigned axes) {
  Shape shape = x.shape();
  for (int i = 0; i < shape.rank(); ++i)
    if (axes >> i & 1) shape[i] = 1;
  Tensor<B> out(x.state(), shape, x.dtype());
  if (out.elements()) B::reduce(out.stream(), op, out.view(), x.view());
  return out;
}

/// Sums a gradient over the axes along which `shape` was stretched to the gradient's shape.
template <Backend B> Tensor<B> unbroadcast(const Tensor<B>& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  unsigned axes = 0;
  const int shift = gradient.rank() - shape.rank();
  for (int i = 0; i < gradient.rank(); ++i)
    if (i < shift || (shape[i - shift] == 1 && gradient.shape()[i] != 1)) axes |= 1u << i;
  const Tensor<B> sum = run_reduce(Reduction::sum, gradient, axes);
  return sum.alias(shape, contiguous_strides(shape));
}

}  // namespace chronotope::detail
