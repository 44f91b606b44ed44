#pragma once
// Definitions of ops/reduce.hpp.

#include <limits>

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

template <Backend B> Tensor<B> sum(const Tensor<B>& x, int axis, bool keep) {
  axis = x.shape().axis(axis);
  Tensor<B> y = record(detail::run_reduce(Reduction::sum, x, 1u << axis), {&x},
                       [shape = x.shape()](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, expand(dy, shape)); });
  return keep ? y : squeeze(y, axis);
}

template <Backend B> Tensor<B> sum(const Tensor<B>& x) {
  const Tensor<B> y = detail::run_reduce(Reduction::sum, x, (1u << x.rank()) - 1);
  return record(y.alias(Shape{}, {}), {&x},
                [shape = x.shape()](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, expand(dy, shape)); });
}

template <Backend B> Tensor<B> mean(const Tensor<B>& x, int axis, bool keep) {
  return sum(x, axis, keep) / static_cast<double>(x.size(axis));
}
template <Backend B> Tensor<B> mean(const Tensor<B>& x) { return sum(x) / static_cast<double>(x.elements()); }

template <Backend B> Tensor<B> max(const Tensor<B>& x, int axis, bool keep) {
  axis = x.shape().axis(axis);
  const Tensor<B> y = detail::run_reduce(Reduction::max, x, 1u << axis);
  const Tensor<B> kept = record(y, {&x}, [x = x.detach(), y, axis](const Tensor<B>& dy, GradientSink<B>& sink) {
    const Tensor<B> hit = cast(equal(x, expand(y, x.shape())), dy.dtype());
    sink.add(0, hit * (dy / sum(hit, axis, true)));
  });
  return keep ? kept : squeeze(kept, axis);
}

namespace detail {

/// Infinities replaced by the largest finite numbers of their sign.
template <Backend B> Tensor<B> finite(const Tensor<B>& x) {
  const double most = x.dtype() == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const Tensor<B> lowest = scalar_like(x, -most);
  return neg(maximum(neg(maximum(x, lowest)), lowest));
}

}  // namespace detail

template <Backend B> Tensor<B> logsumexp(const Tensor<B>& x, int axis) {
  // The shift cancels in the gradient, so it is treated as a constant. It is kept finite: -inf - -inf would be NaN.
  const Tensor<B> top = detail::finite(detail::run_reduce(Reduction::max, x, 1u << x.shape().axis(axis)));
  return log(sum(exp(x - top), axis, true)) + top;
}

template <Backend B> Tensor<B> cumsum(const Tensor<B>& x, int axis) {
  axis = x.shape().axis(axis);
  Tensor<B> y(x.state(), x.shape(), x.dtype());
  if (y.elements()) B::cumsum(y.stream(), y.view(), x.view(), axis);
  return record(y, {&x}, [axis](const Tensor<B>& dy, GradientSink<B>& sink) {
    // Sum from i to the end = total - running sum + own value.
    sink.add(0, sum(dy, axis, true) - cumsum(dy, axis) + dy);
  });
}

template <Backend B> Tensor<B> sum_squares(const Tensor<B>& x) {
  const Tensor<B> flat = dense(x);
  if constexpr (requires { &B::try_sum_squares; }) {
    Tensor<B> out(x.state(), Shape{}, x.dtype());
    if (B::try_sum_squares(x.stream(), out.view(), flat.view())) return out;
  }
  const NoGrad no_grad;
  return sum(flat * flat);
}

}  // namespace chronotope
