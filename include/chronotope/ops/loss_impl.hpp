#pragma once
// Definitions of ops/loss.hpp.

#include <numeric>

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void check_targets(const char* op, const Tensor<B>& x, const Tensor<B>& target) {
  need_rank(op, "the input", x, 2);
  need_floating(op, x);
  need_dtype(op, "target", target, DType::i32);
  if (!(target.shape() == Shape{x.size(0)})) shapes_differ(op, "one target a row is needed", x.shape(), target.shape());
}

template <Backend B> bool fused_linear_cross_entropy(Tensor<B>& y, const Tensor<B>& h_in, const Tensor<B>& weight, const Tensor<B>& target) {
  if constexpr (requires { &B::try_linear_cross_entropy; }) {
    const Tensor<B> h = dense(h_in), w = dense(weight), t = dense(target);
    const Tensor<B> nll(h.state(), {h.size(0)}, h.dtype()), lse(h.state(), {h.size(0)}, h.dtype());
    if (!B::try_linear_cross_entropy(h.stream(), nll.view(), lse.view(), h.view(), w.view(), t.view())) return false;
    y = record(nll, {&h_in, &weight}, [h, w, t, lse](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dh = like(h), dw = like(w);
      if (!B::try_linear_cross_entropy_backward(h.stream(), dh.view(), dw.view(), dy.view(), h.view(), w.view(), t.view(), lse.view()))
        throw BackendError("[linear_cross_entropy] the backend took the forward but not the backward");
      sink.add(0, dh);
      sink.add(1, dw);
    });
    return true;
  }
  return false;
}

}  // namespace detail

template <Backend B> Tensor<B> cross_entropy(const Tensor<B>& logits, const Tensor<B>& target) {
  detail::check_targets("cross_entropy", logits, target);
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  // The target's logit by its place in the flattened matrix: row * P + target. i64, since Q * P may pass 2^31.
  std::vector<std::int64_t> start(static_cast<std::size_t>(rows)), number(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < rows; ++i) start[static_cast<std::size_t>(i)] = i * classes;
  std::iota(number.begin(), number.end(), std::int64_t{0});
  const auto upload = [&](const std::vector<std::int64_t>& values) {
    return Tensor<B>::from_host(logits.state(), std::span<const std::int64_t>(values), {static_cast<std::int64_t>(values.size())});
  };
  // The look-up refuses targets outside [0, P), which would read the logits of another row.
  const Tensor<B> place = upload(start) + gather(upload(number), target);
  const Tensor<B> own = gather(reshape(logits, {rows * classes, 1}), place);
  return squeeze(logsumexp(logits, -1) - own, 1);
}

namespace detail {

/// Where nothing is recorded: some rows after others, so that never all logits are there, and with the bits that linear() gives a row.
template <Backend B> Tensor<B> unrecorded_cross_entropy(const Tensor<B>& h, const Tensor<B>& weight, const Tensor<B>& target) {
  constexpr std::int64_t most_logits = 1 << 22;
  const std::int64_t step = std::max<std::int64_t>(most_logits / std::max<std::int64_t>(weight.size(0), 1), 1);
  std::vector<Tensor<B>> parts;
  for (std::int64_t at = 0; at < h.size(0); at += step) {
    const std::int64_t end = std::min(h.size(0), at + step);
    parts.push_back(cross_entropy(linear(slice(h, 0, at, end), weight), slice(target, 0, at, end)));
  }
  return concat(parts, 0);
}

}  // namespace detail

template <Backend B> Tensor<B> linear_cross_entropy(const Tensor<B>& h, const Tensor<B>& weight, const Tensor<B>& target) {
  detail::check_targets("linear_cross_entropy", h, target);
  detail::need_rank("linear_cross_entropy", "the weight", weight, 2);
  if (h.size(1) != weight.size(1)) detail::shapes_differ("linear_cross_entropy", "widths differ", h.shape(), weight.shape());
  if (!detail::recording && h.elements()) return detail::unrecorded_cross_entropy(h, weight, target);
  Tensor<B> y;
  if (h.elements() && detail::fused_linear_cross_entropy(y, h, weight, target)) return y;
  return cross_entropy(linear(h, weight), target);
}

template <Backend B> Tensor<B> binary_cross_entropy(const Tensor<B>& logits, const Tensor<B>& labels) {
  detail::same_dtype("binary_cross_entropy", logits, labels);
  if (!(logits.shape() == labels.shape())) detail::shapes_differ("binary_cross_entropy", "shapes differ", logits.shape(), labels.shape());
  const Tensor<B> x = logits.detach(), y = labels.detach();
  const Tensor<B> value = relu(x) - x * y + log(exp(neg(abs(x))) + 1.0);
  // Its own gradient: that of the parts would be wrong at 0, where |x| and max(x, 0) have a kink and the loss has none.
  return record(value, {&logits, &labels}, [x, y](const Tensor<B>& d, GradientSink<B>& sink) {
    if (sink.wants(0)) sink.add(0, d * (sigmoid(x) - y));
    if (sink.wants(1)) sink.add(1, neg(d * x));
  });
}

}  // namespace chronotope
