#pragma once
// Definitions of ops/elementwise.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"

namespace chronotope {

template <Backend B> Tensor<B> add(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_binary(Binary::add, a, b, "add"), {&a, &b},
                [sa = a.shape(), sb = b.shape()](const Tensor<B>& dy, GradientSink<B>& sink) {
                  if (sink.wants(0)) sink.add(0, detail::unbroadcast(dy, sa));
                  if (sink.wants(1)) sink.add(1, detail::unbroadcast(dy, sb));
                });
}

template <Backend B> Tensor<B> sub(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_binary(Binary::sub, a, b, "sub"), {&a, &b},
                [sa = a.shape(), sb = b.shape()](const Tensor<B>& dy, GradientSink<B>& sink) {
                  if (sink.wants(0)) sink.add(0, detail::unbroadcast(dy, sa));
                  if (sink.wants(1)) sink.add(1, detail::unbroadcast(neg(dy), sb));
                });
}

template <Backend B> Tensor<B> mul(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_binary(Binary::mul, a, b, "mul"), {&a, &b}, [a = a.detach(), b = b.detach()](const Tensor<B>& dy, GradientSink<B>& sink) {
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(dy * b, a.shape()));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(dy * a, b.shape()));
  });
}

template <Backend B> Tensor<B> div(const Tensor<B>& a, const Tensor<B>& b) {
  detail::need_floating("div", a);
  const Tensor<B> y = detail::run_binary(Binary::div, a, b, "div");
  return record(y, {&a, &b}, [y, b = b.detach(), sa = a.shape()](const Tensor<B>& dy, GradientSink<B>& sink) {
    const Tensor<B> da = dy / b;
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(da, sa));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(neg(da * y), b.shape()));
  });
}

template <Backend B> Tensor<B> maximum(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_binary(Binary::max, a, b, "maximum"), {&a, &b}, [a = a.detach(), b = b.detach()](const Tensor<B>& dy, GradientSink<B>& sink) {
    const Tensor<B> half = cast(equal(a, b), dy.dtype()) * 0.5;
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(dy * (cast(less(b, a), dy.dtype()) + half), a.shape()));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(dy * (cast(less(a, b), dy.dtype()) + half), b.shape()));
  });
}

template <Backend B> Tensor<B> equal(const Tensor<B>& a, const Tensor<B>& b) { return detail::run_binary(Binary::eq, a, b, "equal"); }
template <Backend B> Tensor<B> less(const Tensor<B>& a, const Tensor<B>& b) { return detail::run_binary(Binary::lt, a, b, "less"); }

template <Backend B> Tensor<B> neg(const Tensor<B>& x) {
  return record(detail::run_unary(Unary::neg, x), {&x},
                [](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, neg(dy)); });
}

namespace detail {

/// A floating-point function whose derivative is `slope(x, y)` times dy.
template <Backend B, class Slope> Tensor<B> smooth(const char* name, Unary op, const Tensor<B>& x, Slope slope) {
  need_floating(name, x);
  const Tensor<B> y = run_unary(op, x);
  return record(y, {&x}, [x = x.detach(), y, slope](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, slope(x, y, dy)); });
}

}  // namespace detail

#define CHRONOTOPE_SMOOTH(function, op, gradient)                                                              \
  template <Backend B> Tensor<B> function(const Tensor<B>& x) {                                                \
    return detail::smooth(#function, Unary::op, x,                                                             \
                          []([[maybe_unused]] const Tensor<B>& x, [[maybe_unused]] const Tensor<B>& y,         \
                             const Tensor<B>& dy) -> Tensor<B> { return gradient; });                          \
  }
CHRONOTOPE_SMOOTH(exp, exp, dy * y)
CHRONOTOPE_SMOOTH(log, log, dy / x)
CHRONOTOPE_SMOOTH(sqrt, sqrt, dy * 0.5 / y)
CHRONOTOPE_SMOOTH(reciprocal, recip, neg(dy * (y * y)))
CHRONOTOPE_SMOOTH(sin, sin, dy * cos(x))
CHRONOTOPE_SMOOTH(cos, cos, neg(dy * sin(x)))
CHRONOTOPE_SMOOTH(tanh, tanh, dy * (scalar_like(y, 1) - y * y))
CHRONOTOPE_SMOOTH(abs, abs, dy * (cast(less(scalar_like(x, 0), x), x.dtype()) - cast(less(x, scalar_like(x, 0)), x.dtype())))
#undef CHRONOTOPE_SMOOTH

/// tanh saturates where e^-x would overflow.
template <Backend B> Tensor<B> sigmoid(const Tensor<B>& x) { return tanh(x * 0.5) * 0.5 + 0.5; }
template <Backend B> Tensor<B> silu(const Tensor<B>& x) { return x * sigmoid(x); }
template <Backend B> Tensor<B> gelu(const Tensor<B>& x) {
  const Tensor<B> inner = (x + x * x * x * 0.044715) * 0.7978845608028654;  // sqrt(2 / pi)
  return x * (tanh(inner) + 1.0) * 0.5;
}

template <Backend B> Tensor<B> where(const Tensor<B>& cond, const Tensor<B>& a, const Tensor<B>& b) {
  detail::need_dtype("where", "the condition", cond, DType::u8);
  detail::same_dtype("where", a, b);
  const Shape shape = broadcast(broadcast(a.shape(), b.shape(), "where"), cond.shape(), "where");
  Tensor<B> out(a.state(), shape, a.dtype());
  if (out.elements())
    B::select(out.stream(), out.view(), detail::stretched(cond.view(), shape), detail::stretched(a.view(), shape),
              detail::stretched(b.view(), shape));
  return record(out, {&a, &b}, [cond, sa = a.shape(), sb = b.shape()](const Tensor<B>& dy, GradientSink<B>& sink) {
    const Tensor<B> zero = scalar_like(dy, 0);
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(where(cond, dy, zero), sa));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(where(cond, zero, dy), sb));
  });
}

template <Backend B> Tensor<B> relu(const Tensor<B>& x) {
  detail::need_floating("relu", x);
  const Tensor<B> y = detail::run_binary(Binary::max, x, scalar_like(x, 0), "relu");
  return record(y, {&x}, [y](const Tensor<B>& dy, GradientSink<B>& sink) {
    const Tensor<B> zero = scalar_like(dy, 0);
    sink.add(0, where(less(zero, y), dy, zero));
  });
}

template <Backend B> Tensor<B> cast(const Tensor<B>& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  Tensor<B> out(x.state(), x.shape(), dtype);
  if (out.elements()) B::copy(out.stream(), out.view(), x.view());
  if (!is_floating(dtype) || !is_floating(x.dtype())) return out;
  return record(out, {&x}, [from = x.dtype()](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, cast(dy, from)); });
}

}  // namespace chronotope
