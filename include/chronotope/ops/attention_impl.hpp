#pragma once
// Definitions of ops/attention.hpp.

#include <algorithm>
#include <limits>

#include "chronotope/backend/fused.hpp"
#include "chronotope/ops/attention.hpp"
#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

namespace detail {

/// Throws ShapeError unless segment s, which comes after the tokens of `place` and `number`, may have this prefix.
inline void check_prefix(std::size_t s, Prefix p, const std::vector<std::int32_t>& ends, const std::vector<std::int32_t>& place,
                         const std::vector<std::int32_t>& number) {
  const auto refuse = [&](const std::string& why) {
    throw ShapeError("[packing] segment " + std::to_string(s) + " has the prefix " + std::to_string(p.begin) + " … " + std::to_string(p.end) + ": " + why);
  };
  if (p.begin < 0 || p.end < p.begin) refuse("begin and end must ascend from 0");
  if (p.end == p.begin) return;
  if (p.end > ends.back()) refuse("it must lie before the segment, which begins at " + std::to_string(ends.back()));
  const auto first = static_cast<std::size_t>(p.begin);  // a branch's first token is not at place 0
  if (place[first] != 0) refuse("it must begin where an earlier segment without a prefix begins");
  const std::int32_t end = ends[static_cast<std::size_t>(number[first]) + 1];
  if (p.end > end) refuse("segment " + std::to_string(number[first]) + ", where it begins, ends at " + std::to_string(end));
}

}  // namespace detail

template <Backend B>
Packing<B>::Packing(Context<B>& context, const std::vector<std::int32_t>& counts, const std::vector<Prefix>& before) : lengths(counts) {
  if (!before.empty() && before.size() != counts.size())
    throw ShapeError("[packing] " + std::to_string(counts.size()) + " segments and " + std::to_string(before.size()) + " prefixes");
  std::vector<std::int32_t> ends{0}, place, number, ranges;
  bool branches = false;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (counts[s] < 0) throw ShapeError("[packing] segment " + std::to_string(s) + " has a negative length");
    Prefix own;
    if (!before.empty()) detail::check_prefix(s, before[s], ends, place, number);
    if (!before.empty() && before[s].length() > 0) own = before[s], branches = true;
    for (std::int32_t i = 0; i < counts[s]; ++i) {
      place.push_back(own.length() + i);
      number.push_back(static_cast<std::int32_t>(s));
    }
    if (counts[s] > 0) positions = std::max(positions, place.back() + 1);
    ends.push_back(static_cast<std::int32_t>(place.size()));
    prefixes.push_back(own);
    ranges.insert(ranges.end(), {own.begin, own.end});
  }
  const auto tokens = static_cast<std::int64_t>(place.size()), segments = static_cast<std::int64_t>(counts.size());
  if (branches) prefix = Tensor<B>::from_host(context, ranges, {segments, 2});
  else prefixes.clear();
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

template <Backend B> AttentionLayout attention_layout(const Tensor<B>& offsets, const Tensor<B>& rows, const Tensor<B>& prefix) {
  return {offsets.view(), rows.view(), prefix.defined() ? prefix.view() : View()};
}

template <Backend B>
bool fused_attention(Tensor<B>& y, const Tensor<B>& q, const Tensor<B>& k, const Tensor<B>& v, const Packing<B>& packing,
                     const Tensor<B>& rows, double scale) {
  if constexpr (requires { &B::try_attention; }) {
    Tensor<B> out(q.state(), q.shape(), q.dtype()), lse(q.state(), {q.size(0), q.size(1)}, q.dtype());
    const AttentionLayout layout = attention_layout(packing.offsets, rows, packing.prefix);
    if (!B::try_attention(q.stream(), out.view(), lse.view(), q.view(), k.view(), v.view(), layout, scale)) return false;
    y = record(out, {&q, &k, &v},
               [q = q.detach(), k = k.detach(), v = v.detach(), out, lse, offsets = packing.offsets, rows,
                prefix = packing.prefix, scale](const Tensor<B>& dy_in, GradientSink<B>& sink) {
                 const Tensor<B> dy = dense(dy_in), dq = like(q), dk = like(k), dv = like(v);
                 if (!B::try_attention_backward(q.stream(), dq.view(), dk.view(), dv.view(), dy.view(), q.view(), k.view(),
                                                v.view(), out.view(), lse.view(), attention_layout(offsets, rows, prefix), scale))
                   throw BackendError("[attention] the backend took the forward but not the backward");
                 sink.add(0, dq);
                 sink.add(1, dk);
                 sink.add(2, dv);
               });
    return true;
  }
  return false;
}

template <Backend B> Tensor<B> negated(const Tensor<B>& flags) { return equal(flags, full<B>(flags.state(), {}, 0, DType::u8)); }

/// [Q, T] u8: 1 where the key is not in the prefix of the query's segment.
template <Backend B> Tensor<B> outside_prefix(const Packing<B>& packing, const Tensor<B>& rows) {
  std::vector<std::int32_t> row(static_cast<std::size_t>(packing.tokens()));
  for (std::size_t t = 0; t < row.size(); ++t) row[t] = static_cast<std::int32_t>(t);
  const Tensor<B> key = Tensor<B>::from_host(rows.state(), std::span<const std::int32_t>(row), {packing.tokens()});
  const Tensor<B> own = gather(packing.prefix, gather(packing.segment, rows));  // [Q, 2]
  return maximum(less(key, slice(own, 1, 0, 1)), negated(less(key, slice(own, 1, 1, 2))));
}

/// [Q, T] u8: 1 where the key may not be seen: another segment or later than the query, and not in its prefix.
template <Backend B> Tensor<B> hidden_keys(const Packing<B>& packing, const Tensor<B>& rows) {
  const NoGrad no_grad;
  const Tensor<B> own_segment = unsqueeze(gather(packing.segment, rows), 1), own_position = unsqueeze(gather(packing.position, rows), 1);
  const Tensor<B> hidden = maximum(negated(equal(own_segment, packing.segment)), less(own_position, packing.position));
  return packing.prefix.defined() ? hidden * outside_prefix(packing, rows) : hidden;
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
