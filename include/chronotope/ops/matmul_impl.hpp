#pragma once
// Definitions of ops/matmul.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

inline Shape with_matrix(const Shape& batch, std::int64_t rows, std::int64_t columns) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  return shape;
}

inline Shape batch_of(const Shape& shape) {
  Shape batch;
  for (int i = 0; i + 2 < shape.rank(); ++i) batch.push_back(shape[i]);
  return batch;
}

template <Backend B> Tensor<B> run_matmul(const Tensor<B>& a, const Tensor<B>& b) {
  same_dtype("matmul", a, b);
  need_floating("matmul", a);
  if (a.rank() < 2 || b.rank() < 2) shapes_differ("matmul", "both need at least two axes", a.shape(), b.shape());
  if (a.size(-1) != b.size(-2))
    shapes_differ("matmul", ("inner extents differ (" + std::to_string(a.size(-1)) + " != " + std::to_string(b.size(-2)) + ")").c_str(),
                  a.shape(), b.shape());
  const Shape batch = broadcast(batch_of(a.shape()), batch_of(b.shape()), "matmul");
  Tensor<B> out(a.state(), with_matrix(batch, a.size(-2), b.size(-1)), a.dtype());
  if (out.elements())
    B::matmul(out.stream(), out.view(), stretched(a.view(), with_matrix(batch, a.size(-2), a.size(-1))),
              stretched(b.view(), with_matrix(batch, b.size(-2), b.size(-1))), 0.0);
  return out;
}

}  // namespace detail

template <Backend B> Tensor<B> matmul(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_matmul(a, b), {&a, &b}, [a = a.detach(), b = b.detach()](const Tensor<B>& dy, GradientSink<B>& sink) {
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(matmul(dy, transpose(b, -1, -2)), a.shape()));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(matmul(transpose(a, -1, -2), dy), b.shape()));
  });
}

namespace detail {

template <Backend B> void check_linear(const Tensor<B>& x, const Tensor<B>& weight) {
  need_rank("linear", "the weight", weight, 2);
  if (x.rank() < 1 || x.size(-1) != weight.size(1))
    shapes_differ("linear", "the input's last extent is not the weight's second", x.shape(), weight.shape());
}

template <Backend B>
bool fused_linear(Tensor<B>& out, const Tensor<B>& x_in, const Tensor<B>& weight, const Tensor<B>& bias, bool relu) {
  if constexpr (requires { &B::try_linear; }) {
    const Tensor<B> x = dense(x_in), w = dense(weight), b = dense(bias);
    Shape shape = x.shape();
    shape[-1] = w.size(0);
    const Tensor<B> y(x.state(), shape, x.dtype());
    if (!B::try_linear(x.stream(), as_rows(y.view()), as_rows(x.view()), w.view(), b.view(), relu)) return false;
    out = record(y, {&x_in, &weight, &bias}, [x, w, y, relu](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dw = like(w), db(w.state(), {w.size(0)}, w.dtype());
      const Tensor<B> dx = sink.wants(0) ? like(x) : Tensor<B>();
      if (!B::try_linear_backward(x.stream(), dx.defined() ? as_rows(dx.view()) : View{}, dw.view(), db.view(), as_rows(dy.view()),
                                  as_rows(x.view()), w.view(), as_rows(y.view()), relu))
        throw BackendError("[linear] the backend took the forward but not the backward");
      if (dx.defined()) sink.add(0, dx);
      sink.add(1, dw);
      sink.add(2, db);
    });
    return true;
  }
  return false;
}

/// Where nothing is recorded: a backend may give each row bits that do not depend on the others.
template <Backend B> bool unrecorded_linear(Tensor<B>& out, const Tensor<B>& x_in, const Tensor<B>& weight) {
  if constexpr (requires { &B::try_linear; }) {
    if (recording || x_in.elements() == 0) return false;
    const Tensor<B> x = dense(x_in), w = dense(weight);
    Shape shape = x.shape();
    shape[-1] = w.size(0);
    out = Tensor<B>(x.state(), shape, x.dtype());
    return B::try_linear(x.stream(), as_rows(out.view()), as_rows(x.view()), w.view(), View{}, false);
  }
  return false;
}

}  // namespace detail

template <Backend B> Tensor<B> linear(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& bias, bool rectify) {
  detail::check_linear(x, weight);
  detail::same_dtype("linear", x, weight);
  detail::same_dtype("linear", x, bias);
  if (!(bias.shape() == Shape{weight.size(0)})) detail::shapes_differ("linear", "the bias must have the weight's first extent", weight.shape(), bias.shape());
  Tensor<B> y;
  if (x.elements() && detail::fused_linear(y, x, weight, bias, rectify)) return y;
  y = linear(x, weight) + bias;
  return rectify ? relu(y) : y;
}

template <Backend B> Tensor<B> linear(const Tensor<B>& x, const Tensor<B>& weight) {
  detail::check_linear(x, weight);
  if (Tensor<B> y; detail::unrecorded_linear(y, x, weight)) return y;
  Shape shape = x.shape();
  shape[-1] = weight.size(0);
  // Leading axes merge, so that the weight's gradient is one product instead of one a batch entry and a sum.
  std::int64_t count = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) count *= x.size(i);
  const Tensor<B> rows = reshape(x, Shape{count, x.size(-1)});
  return reshape(matmul(rows, transpose(weight, 0, 1)), shape);
}

namespace detail {

template <Backend B>
bool fused_linear_grouped(Tensor<B>& out, const Tensor<B>& x_in, const Tensor<B>& weight, const Tensor<B>& biases, const Tensor<B>& group) {
  if constexpr (requires { &B::try_linear_grouped; }) {
    const Tensor<B> x = dense(x_in), w = dense(weight), ids = dense(group);
    const Tensor<B> y(x.state(), {x.size(0), w.size(0)}, x.dtype());
    if (!B::try_linear_grouped(x.stream(), y.view(), x.view(), w.view(), dense(biases).view(), ids.view())) return false;
    out = record(y, {&x_in, &weight, &biases}, [x, w, ids](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dw = like(w), unused(w.state(), {w.size(0)}, w.dtype());
      const Tensor<B> dx = sink.wants(0) ? like(x) : Tensor<B>();
      if (!B::try_linear_backward(x.stream(), dx.defined() ? dx.view() : View{}, dw.view(), unused.view(), dy.view(), x.view(), w.view(), dy.view(), false))
        throw BackendError("[linear_grouped] the backend took the forward but not the backward");
      if (dx.defined()) sink.add(0, dx);
      sink.add(1, dw);
      sink.add_rows(2, ids, dy);
    });
    return true;
  }
  return false;
}

}  // namespace detail

template <Backend B>
Tensor<B> linear_grouped(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& biases, const Tensor<B>& group) {
  const char* op = "linear_grouped";
  detail::check_linear(x, weight);
  detail::need_rank(op, "the input", x, 2);
  detail::need_rank(op, "the biases", biases, 2);
  detail::same_dtype(op, x, weight);
  detail::same_dtype(op, x, biases);
  detail::need_dtype(op, "group", group, DType::i32);
  if (biases.size(1) != weight.size(0)) detail::shapes_differ(op, "biases must be as wide as the weight's first extent", weight.shape(), biases.shape());
  if (!(group.shape() == Shape{x.size(0)})) detail::shapes_differ(op, "there must be one group for each row of the input", x.shape(), group.shape());
  Tensor<B> y;
  if (x.elements() && detail::fused_linear_grouped(y, x, weight, biases, group)) return y;
  return linear(x, weight) + gather(biases, group);
}

}  // namespace chronotope
