#pragma once
// Definitions of ops/forgetting.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/forgetting.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void check_forgetting(const ReviewTensors<B>& p, const ForgettingConstants<B>& c) {
  const char* op = "forgetting_mask";
  need_rank(op, "since", p.since, 3);
  need_floating(op, p.since);
  need_dtype(op, "valid", p.valid, DType::u8);
  need_dtype(op, "reviewed", p.reviewed, DType::u8);
  const Shape& shape = p.since.shape();
  for (const Tensor<B>* x : {&p.number, &p.share}) same_dtype(op, p.since, *x);
  for (const Tensor<B>* x : {&p.number, &p.share, &p.reviewed})
    if (!(x->shape() == shape)) shapes_differ(op, "all of the review points must be [B, M, k]", shape, x->shape());
  if (!(p.valid.shape() == Shape{shape[0], shape[2]})) shapes_differ(op, "valid must be [B, k]", shape, p.valid.shape());
  for (const Tensor<B>* x : {&c.r_init, &c.r_final, &c.s, &c.i}) {
    same_dtype(op, p.since, *x);
    if (!(x->shape() == Shape{shape[1]})) shapes_differ(op, "a constant must have one value a material", shape, x->shape());
  }
}

template <Backend B> Tensor<B> forget(const Tensor<B>& x, const CurveShape& shape) {
  if (shape.form == CurveForm::power) return exp(log(x * shape.power_c + 1.0) * shape.power_m);
  if (shape.form == CurveForm::logarithm) return neg(log(x + shape.log_c) * shape.log_b - shape.log_a);
  return exp(neg(x));
}

/// Min-max over the behaviours that `valid` [B, 1, k] marks; eq. 6.
template <Backend B> Tensor<B> min_max_scaled(const Tensor<B>& r, const Tensor<B>& valid, bool logistic) {
  const Tensor<B> outside = scalar_like(r, -1e30);  // beyond every retention, and finite
  const Tensor<B> high = max(where(valid, r, outside), 2, true), low = neg(max(where(valid, neg(r), outside), 2, true));
  const Tensor<B> range = high - low, one = scalar_like(r, 1), varies = less(scalar_like(r, 0), range);
  const Tensor<B> m = where(varies, (r - low) / where(varies, range, one), one);
  return where(valid, logistic ? sigmoid(m) : m, scalar_like(r, 0));
}

template <Backend B> CurveConstants views(const ForgettingConstants<B>& c) {
  return {c.r_init.view(), c.r_final.view(), c.s.view(), c.i.view()};
}

template <Backend B>
bool fused_forgetting(Tensor<B>& y, const ReviewTensors<B>& p, const ForgettingConstants<B>& constants, const CurveShape& shape) {
  if constexpr (requires { &B::try_forgetting_mask; }) {
    const ReviewTensors<B> at{dense(p.valid), dense(p.reviewed), dense(p.since), dense(p.number), dense(p.share)};
    const ForgettingConstants<B> c{dense(constants.r_init), dense(constants.r_final), dense(constants.s), dense(constants.i)};
    const auto points = [](const ReviewTensors<B>& t) {
      return ReviewViews{t.valid.view(), t.reviewed.view(), t.since.view(), t.number.view(), t.share.view()};
    };
    const Tensor<B> mask = like(at.since);
    if (!B::try_forgetting_mask(mask.stream(), mask.view(), points(at), views(c), shape)) return false;
    y = record(mask, {&constants.r_init, &constants.r_final, &constants.s, &constants.i},
               [at, c, shape, points](const Tensor<B>& dy_in, GradientSink<B>& sink) {
                 const Tensor<B> dy = dense(dy_in);
                 const ForgettingConstants<B> d{like(c.r_init), like(c.r_final), like(c.s), like(c.i)};
                 if (!B::try_forgetting_mask_backward(dy.stream(), views(d), dy.view(), points(at), views(c), shape))
                   throw BackendError("[forgetting_mask] the backend took the forward but not the backward");
                 sink.add(0, d.r_init), sink.add(1, d.r_final), sink.add(2, d.s), sink.add(3, d.i);
               });
    return true;
  }
  return false;
}

}  // namespace detail

template <Backend B>
Tensor<B> retention(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape) {
  detail::check_forgetting(points, constants);
  const auto column = [](const Tensor<B>& c) { return reshape(c, {-1, 1}); };
  const Tensor<B> x = points.since * (points.number * column(constants.i) + 1.0) / column(constants.s);
  const Tensor<B> level = column(constants.r_final) - (column(constants.r_final) - column(constants.r_init)) * points.share;
  const Tensor<B> retained = detail::forget(x, shape);
  return where(points.reviewed, level * retained, retained);
}

template <Backend B>
Tensor<B> forgetting_mask(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape) {
  detail::check_forgetting(points, constants);
  Tensor<B> y;
  if (points.since.elements() && detail::fused_forgetting(y, points, constants, shape)) return y;
  return detail::min_max_scaled(retention(points, constants, shape), unsqueeze(points.valid, 1), shape.logistic);
}

}  // namespace chronotope
