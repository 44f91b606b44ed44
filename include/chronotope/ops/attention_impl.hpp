#pragma once
// Definitions of ops/attention.hpp.

#include <limits>

#include "chronotope/backend/fused.hpp"
#include "chronotope/ops/attention.hpp"
#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

template <Backend B> Packing<B>::Packing(Context<B>& context, const std::vector<std::int32_t>& counts) : lengths(counts) {
  std::vector<std::int32_t> ends{0}, place, number;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (counts[s] < 0) throw ShapeError("[packing] sequence " + std::to_string(s) + " has a negative length");
    for (std::int32_t i = 0; i < counts[s]; ++i) {
      place.push_back(i);
      number.push_back(static_cast<std::int32_t>(s));
    }
    ends.push_back(static_cast<std::int32_t>(place.size()));
  }
  const auto tokens = static_cast<std::int64_t>(place.size());
  offsets = Tensor<B>::from_host(context, ends, {static_cast<std::int64_t>(ends.size())});
  position = Tensor<B>::from_host(context, place, {tokens});
  segment = Tensor<B>::from_host(context, number, {tokens});
}

namespace detail {

template <Backend B>
void check_attention(const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing, const Tensor<B>& rows) {
  need_rank("attention", "q", q, 3);
  need_rank("attention", "k", k, 3);
  need_dtype("attention", "query_rows", rows, DType::i32);
  same_dtype("attention", q, k);
  same_dtype("attention", k, v);
  if (!(k.shape() == v.shape())) shapes_differ("attention", "k and v must have one shape", k.shape(), v.shape());
  if (q.size(1) != k.size(1) || q.size(2) != k.size(2))
    shapes_differ("attention", "q and k differ in heads or head width", q.shape(), k.shape());
  if (k.size(0) != packing.tokens())
    shapes_differ("attention", "k does not have the packing's tokens", k.shape(), packing.position.shape());
  if (!(rows.shape() == Shape{q.size(0)})) shapes_differ("attention", "one query row a query is needed", q.shape(), rows.shape());
}

template <Backend B>
bool fused_attention(Tensor<B>& y, const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing,
                     const Tensor<B>& rows, double scale) {
  if constexpr (requires { &B::try_attention; }) {
    Tensor<B> out(q.state(), q.shape(), q.dtype()), lse(q.state(), {q.size(0), q.size(1)}, q.dtype());
    const AttentionLayout layout{packing.offsets.view(), rows.view()};
    if (!B::try_attention(q.stream(), out.view(), lse.view(), q.view(), k.view(), v.view(), layout, scale)) return false;
    y = record(out, {&q, &k, &v},
               [q = q.detach(), k = k.detach(), v = v.detach(), out, lse, offsets = packing.offsets, rows,
                scale](const Tensor<B>& dy_in, GradientSink<B>& sink) {
                 const Tensor<B> dy = dense(dy_in), dq = like(q), dk = like(k), dv = like(v);
                 if (!B::try_attention_backward(q.stream(), dq.view(), dk.view(), dv.view(), dy.view(), q.view(), k.view(),
                                                v.view(), out.view(), lse.view(), {offsets.view(), rows.view()}, scale))
                   throw BackendError("[attention] the backend took the forward but not the backward");
                 sink.add(0, dq);
                 sink.add(1, dk);
                 sink.add(2, dv);
               });
    return true;
  }
  return false;
}

/// [Q, T] u8: 1 where the key may not be seen: another sequence, or later than the query.
template <Backend B> Tensor<B> hidden_keys(const Packing<B>& packing, const Tensor<B>& rows) {
  const NoGrad no_grad;
  const Tensor<B> own_segment = unsqueeze(gather(packing.segment, rows), 1), own_position = unsqueeze(gather(packing.position, rows), 1);
  const Tensor<B> other = equal(equal(own_segment, packing.segment), full<B>(rows.state(), {}, 0, DType::u8));
  return maximum(other, less(own_position, packing.position));
}

}  // namespace detail

template <Backend B>
Tensor<B> attention(const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing,
                    const Tensor<B>& query_rows, double scale) {
  detail::check_attention(q, k, v, packing, query_rows);
  Tensor<B> y;
  if (q.elements() && detail::fused_attention(y, q, k, v, packing, query_rows, scale)) return y;
  const Tensor<B> scores = matmul(permute(q, {1, 0, 2}), permute(k, {1, 2, 0})) * scale;  // [H, Q, T]
  const Tensor<B> masked = where(detail::hidden_keys(packing, query_rows),
                                 scalar_like(scores, -std::numeric_limits<double>::infinity()), scores);
  return permute(matmul(softmax(masked), permute(v, {1, 0, 2})), {1, 0, 2});
}

}  // namespace chronotope
