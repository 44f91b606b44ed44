#pragma once
// Definitions of ops/forgetting.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/forgetting.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void check_reviews(const ReviewTensors<B>& p) {
  const char* op = "forgetting_mask";
  need_rank(op, "time", p.time, 2);
  need_floating(op, p.time);
  need_rank(op, "review", p.review, 3);
  need_dtype(op, "review", p.review, DType::u8);
  need_dtype(op, "valid", p.valid, DType::u8);
  if (!(p.valid.shape() == p.time.shape())) shapes_differ(op, "valid and time must be [B, k]", p.valid.shape(), p.time.shape());
  if (!(p.time.shape() == Shape{p.review.size(0), p.review.size(2)}))
    shapes_differ(op, "review must be [B, M, k] for time [B, k]", p.review.shape(), p.time.shape());
}

template <Backend B> void check_forgetting(const ReviewTensors<B>& p, const ForgettingConstants<B>& c) {
  check_reviews(p);
  for (const Tensor<B>* x : {&c.r_init, &c.r_final, &c.s, &c.i}) {
    same_dtype("forgetting_mask", p.time, *x);
    if (!(x->shape() == Shape{p.review.size(1)}))
      shapes_differ("forgetting_mask", "a constant must have one value a material", p.review.shape(), x->shape());
  }
}

/// The time of review i of a sample and material, for every behaviour whose latest review that is; 0 for i = 0. Each row
/// has k + 1 slots, one a number: reviews put their time into their own, behaviours read that of their number.
template <Backend B> Tensor<B> time_of_review(const Tensor<B>& hits, const Tensor<B>& number, const Tensor<B>& time) {
  const std::int64_t rows = number.size(0) * number.size(1), k = number.size(2);
  std::vector<std::int32_t> first(static_cast<std::size_t>(rows));
  for (std::int64_t r = 0; r < rows; ++r) first[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(r * (k + 1));
  const Tensor<B> base = Tensor<B>::from_host(number.state(), std::span<const std::int32_t>(first), {rows, 1});
  const Tensor<B> slot = reshape(base + cast(reshape(number, {rows, k}), DType::i32), {rows * k});
  const Tensor<B> put = reshape(where(hits, unsqueeze(time, 1), scalar_like(time, 0)), {rows * k, 1});
  const Tensor<B> slots = scatter_add(full<B>(time.state(), {rows * (k + 1), 1}, 0, time.dtype()), slot, put);
  return reshape(gather(slots, slot), number.shape());
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
    const ReviewTensors<B> at{dense(p.valid), dense(p.review), dense(p.time)};
    const ForgettingConstants<B> c{dense(constants.r_init), dense(constants.r_final), dense(constants.s), dense(constants.i)};
    const auto points = [](const ReviewTensors<B>& t) { return ReviewViews{t.valid.view(), t.review.view(), t.time.view()}; };
    const Tensor<B> mask(at.time.state(), at.review.shape(), at.time.dtype());
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

template <Backend B> ReviewSteps<B> review_steps(const ReviewTensors<B>& p) {
  detail::check_reviews(p);
  const NoGrad no_grad;
  const DType dtype = p.time.dtype();
  const Tensor<B> valid = unsqueeze(p.valid, 1), zero = scalar_like(p.time, 0), one = scalar_like(p.time, 1);
  const Tensor<B> flag = cast(p.review, dtype) * cast(valid, dtype), hits = less(zero, flag), r = cast(hits, dtype);
  const Tensor<B> all = sum(r, 2, true), number = where(valid, all - cumsum(r, 2) + r, zero);
  const Tensor<B> since = where(valid, unsqueeze(p.time, 1) - detail::time_of_review(hits, number, p.time), zero);
  return {less(zero, number), since, number, relu(number - one) / maximum(all - one, one)};
}

template <Backend B>
Tensor<B> retention(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape) {
  detail::check_forgetting(points, constants);
  const auto column = [](const Tensor<B>& c) { return reshape(c, {-1, 1}); };
  const ReviewSteps<B> at = review_steps(points);
  const Tensor<B> x = at.since * (at.number * column(constants.i) + 1.0) / column(constants.s);
  const Tensor<B> level = column(constants.r_final) - (column(constants.r_final) - column(constants.r_init)) * at.share;
  const Tensor<B> retained = detail::forget(x, shape);
  return where(at.reviewed, level * retained, retained);
}

template <Backend B>
Tensor<B> forgetting_mask(const ReviewTensors<B>& points, const ForgettingConstants<B>& constants, const CurveShape& shape) {
  detail::check_forgetting(points, constants);
  Tensor<B> y;
  if (points.review.elements() && detail::fused_forgetting(y, points, constants, shape)) return y;
  return detail::min_max_scaled(retention(points, constants, shape), unsqueeze(points.valid, 1), shape.logistic);
}

}  // namespace chronotope
