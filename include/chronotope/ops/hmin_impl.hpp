#pragma once
// Definitions of ops/hmin.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/hmin.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void check_hmin(const HminInputs<B>& x) {
  const char* op = "hmin";
  need_floating(op, x.keys);
  for (const Tensor<B>* part : {&x.query, &x.mask, &x.temperature, &x.weight1, &x.bias1, &x.weight2, &x.bias2}) same_dtype(op, x.keys, *part);
  need_dtype(op, "valid", x.valid, DType::u8);
  need_rank(op, "the queries", x.query, 3);
  need_rank(op, "the keys", x.keys, 3);
  need_rank(op, "the mask", x.mask, 3);
  need_rank(op, "the second weight", x.weight2, 3);
  const auto need = [&](bool holds, const char* rule, const Tensor<B>& a, const Tensor<B>& b) {
    if (!holds) shapes_differ(op, rule, a.shape(), b.shape());
  };
  const std::int64_t B_ = x.keys.size(0), k = x.keys.size(1), D = x.keys.size(2), H = x.weight2.size(0), O = x.weight2.size(1), F = x.weight2.size(2);
  need(x.query.size(0) == B_ && x.query.size(2) == D, "queries and keys differ in samples or width", x.query, x.keys);
  need(x.mask.size(0) == B_ && x.mask.size(2) == k, "masks and keys differ in samples or behaviours", x.mask, x.keys);
  need(x.valid.shape() == Shape{B_, k}, "valid must have the keys' samples and behaviours", x.valid, x.keys);
  need(x.temperature.shape() == Shape{1}, "there is one temperature", x.temperature, x.keys);
  need(x.weight1.shape() == Shape{H * F, D}, "the first weight must be [heads x hidden, width of the keys]", x.weight1, x.weight2);
  need(x.bias1.shape() == Shape{H * F}, "the first bias must be [heads x hidden]", x.bias1, x.weight2);
  need(x.bias2.shape() == Shape{H, O}, "the second bias must be [heads, out]", x.bias2, x.weight2);
}

template <Backend B> Tensor<B> unit_vectors(const Tensor<B>& x) { return x / sqrt(sum(x * x, -1, true) + 1e-20); }

/// Weights of the behaviours under every query and mask, [B, Q M, k]; 0 in padding.
template <Backend B> Tensor<B> hmin_weights(const HminInputs<B>& x) {
  const Tensor<B> scores = hmin_scores(x.query, x.keys, x.mask, x.temperature), there = unsqueeze(x.valid, 1);
  // A hidden score is finite, so that a sample without behaviours stays finite too.
  return softmax(where(there, scores, scalar_like(scores, -1e30))) * cast(there, scores.dtype());
}

template <Backend B> HminViews views(const HminInputs<B>& x) {
  const auto view = [](const Tensor<B>& t) { return t.defined() ? t.view() : View{}; };
  return {x.query.view(), x.keys.view(), x.mask.view(), view(x.valid), x.temperature.view(), x.weight1.view(), x.bias1.view(), x.weight2.view(), x.bias2.view()};
}

/// f of every part that has a gradient.
template <Backend B, class F> HminInputs<B> each_part(const HminInputs<B>& x, F f) {
  return {f(x.query), f(x.keys), f(x.mask), {}, f(x.temperature), f(x.weight1), f(x.bias1), f(x.weight2), f(x.bias2)};
}

template <Backend B> bool fused_hmin(Tensor<B>& y, const HminInputs<B>& x_in, const Shape& shape) {
  if constexpr (requires { &B::try_hmin; }) {
    HminInputs<B> x = each_part(x_in, [](const Tensor<B>& t) { return dense(t); });
    x.valid = dense(x_in.valid);
    const Tensor<B> out(x.keys.state(), shape, x.keys.dtype());
    if (!B::try_hmin(out.stream(), out.view(), views(x))) return false;
    y = record(out, {&x_in.query, &x_in.keys, &x_in.mask, &x_in.temperature, &x_in.weight1, &x_in.bias1, &x_in.weight2, &x_in.bias2},
               [x](const Tensor<B>& dy_in, GradientSink<B>& sink) {
                 const Tensor<B> dy = dense(dy_in);
                 const HminInputs<B> d = each_part(x, [](const Tensor<B>& t) { return like(t); });
                 if (!B::try_hmin_backward(dy.stream(), views(d), dy.view(), views(x)))
                   throw BackendError("[hmin] the backend took the forward but not the backward");
                 int i = 0;
                 for (const Tensor<B>* part : {&d.query, &d.keys, &d.mask, &d.temperature, &d.weight1, &d.bias1, &d.weight2, &d.bias2}) sink.add(i++, *part);
               });
    return true;
  }
  return false;
}

}  // namespace detail

template <Backend B> Tensor<B> hmin_scores(const Tensor<B>& query, const Tensor<B>& keys, const Tensor<B>& mask, const Tensor<B>& temperature) {
  const std::int64_t samples = keys.size(0), k = keys.size(1), rows = query.size(1) * mask.size(1);
  const Tensor<B> cosine = matmul(detail::unit_vectors(query), transpose(detail::unit_vectors(keys), 1, 2));       // [B, Q, k]
  return reshape(unsqueeze(cosine, 2) * unsqueeze(mask, 1), {samples, rows, k}) * temperature;  // [B, Q M, k]
}

template <Backend B> Tensor<B> hmin(const HminInputs<B>& x) {
  detail::check_hmin(x);
  const std::int64_t samples = x.keys.size(0), rows = x.query.size(1) * x.mask.size(1);
  const std::int64_t heads = x.weight2.size(0), out = x.weight2.size(1), hidden = x.weight2.size(2);
  const Shape shape{samples, rows, heads * out};
  Tensor<B> y;
  if (x.keys.elements() && shape.elements() && detail::fused_hmin(y, x, shape)) return y;
  const Tensor<B> pooled = matmul(detail::hmin_weights(x), linear(x.keys, x.weight1, x.bias1, true));                  // [B, Q M, H F]
  const Tensor<B> by_head = permute(reshape(pooled, {samples * rows, heads, hidden}), {1, 0, 2});                      // [H, B Q M, F]
  const Tensor<B> values = permute(matmul(by_head, transpose(x.weight2, 1, 2)), {1, 0, 2});                            // [B Q M, H, O]
  const Tensor<B> any = unsqueeze(max(cast(x.valid, x.keys.dtype()), 1, true), 2);                                     // [B, 1, 1]
  return reshape(values, shape) + any * reshape(x.bias2, {heads * out});
}

}  // namespace chronotope
