#pragma once
// Attention of asking actions over past ones by content and by how both relate; ours, not in the paper (docs/design.md).

#include "chronotope/components/pointer_layout.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/pointer.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

namespace detail {

inline constexpr double hidden_score = -1e30;       ///< finite, so that a row with no visible key stays finite too
inline constexpr double least_probability = 1e-30;  ///< keeps log finite where a softmax underflows

/// Host values on the device of `like`; numbers with a fraction in its dtype.
template <class T, Backend B> Tensor<B> upload_like(const Tensor<B>& like, const std::vector<T>& values, const Shape& shape) {
  const Tensor<B> t = Tensor<B>::from_host(like.state(), std::span<const T>(values), shape);
  return dtype_of<T> == DType::f32 ? cast(t, like.dtype()) : t;
}
template <class T, Backend B> Tensor<B> upload_like(const Tensor<B>& like, const std::vector<T>& values) {
  return upload_like(like, values, {static_cast<std::int64_t>(values.size())});
}

/// Softmax of scores [..., N] over the keys that are not hidden (1), which broadcasts to the scores.
template <Backend B> Tensor<B> pointer_softmax(const Tensor<B>& scores, const Tensor<B>& hidden) {
  return softmax(where(hidden, scalar_like(scores, hidden_score), scores));
}

/// Of scores [S, K, M, N] those of the askers whose queries stand at `slots` [A] of the flattened [S, M]: [A, K, N].
template <Backend B> Tensor<B> scores_at(const Tensor<B>& scores, const std::vector<std::int32_t>& slots) {
  const auto heads = static_cast<std::int32_t>(scores.size(1)), queries = static_cast<std::int32_t>(scores.size(2));
  std::vector<std::int32_t> rows;
  for (const std::int32_t slot : slots)
    for (std::int32_t k = 0; k < heads; ++k) rows.push_back((slot / queries * heads + k) * queries + slot % queries);
  return gather(reshape(scores, {-1, scores.size(3)}), upload_like(scores, rows, {static_cast<std::int64_t>(slots.size()), heads}));
}

/// Gates of A askers [A, 1 + K] from their scores; who has no history to point to gets everything from the plain softmax, gate 0.
template <Backend B> Tensor<B> pointer_gates(const Tensor<B>& scores, const std::vector<std::uint8_t>& alone) {
  const Tensor<B> none = upload_like(scores, alone, {scores.size(0), 1});
  const Tensor<B> pointers = where(none, scalar_like(scores, hidden_score), slice(scores, 1, 1, scores.size(1)));
  return softmax(concat(std::vector<Tensor<B>>{slice(scores, 1, 0, 1), pointers}, 1));
}

}  // namespace detail

struct PointerOptions {
  std::int64_t width = 768;                  ///< D
  std::int64_t heads = 2, head_width = 32;   ///< K, d
  DType dtype = DType::f32;
  std::int64_t weekday = PointerBins::weekday, distance = PointerBins::distance;  ///< bins of two relations
  std::int64_t categories = 0;  ///< of places, the unknown 0 included; 0: keys do not know them
  bool spacetime = true;        ///< whether scores know times and positions
  double bias_scale = 1;        ///< biases are the tables times this: how fast they learn under an optimizer whose steps have one size
};

/// s_k(i, j) = q_k(h_i) . (c_k(h_j) + e_k(category of j)) / sqrt(d) + one learned bias for each relation of i and j.
template <Backend B> class PointerAttention {
 public:
  using backend = B;

  /// Throws ConfigError unless there is at least one head of at least one element.
  PointerAttention(Context<B>& context, const PointerOptions& o)
      : query((check(o), context), o.width, o.heads * o.head_width, false, o.dtype), key(context, o.width, o.heads * o.head_width, false, o.dtype),
        follow(bias(context, o, PointerBins::follow)), heads_(o.heads), width_(o.head_width), scale_(o.bias_scale) {
    if (o.spacetime) {
      recency.emplace(bias(context, o, PointerBins::recency)), hour.emplace(bias(context, o, PointerBins::hour));
      weekday.emplace(bias(context, o, o.weekday)), distance.emplace(bias(context, o, o.distance));
    }
    if (o.categories > 0) category.emplace(context, o.categories, o.heads * o.head_width, o.dtype);
  }

  /// Hidden states h [C, D] of the actions that the grid numbers -> scores [S, K, M, N], those of padding among them.
  Tensor<B> operator()(const Tensor<B>& h, const PointerGrid& g) const { return (*this)(gather(h, detail::upload_like(h, g.query_action)), h, g); }

  /// The same with states of its own [S M, D] for who asks.
  Tensor<B> operator()(const Tensor<B>& asking, const Tensor<B>& h, const PointerGrid& g) const {
    using detail::upload_like;
    const Tensor<B> q = reshape(query(asking), {g.sequences, g.queries, heads_, width_});
    Tensor<B> keys = gather(key(h), upload_like(h, g.key_action));
    if (category) keys = keys + (*category)(upload_like(h, g.key_category));
    const Tensor<B> c = reshape(keys, {g.sequences, g.keys, heads_, width_});
    // Keys laid out by column: oneDNN sums a row against transposed keys in an order that depends on how many rows there are.
    const Tensor<B> content = matmul(permute(q, {0, 2, 1, 3}), contiguous(permute(c, {0, 2, 3, 1})));
    const Shape pairs{g.sequences, g.queries, g.keys};
    std::vector<Relation<B>> relations;
    const auto relate = [&](const Parameter<B>& table, const std::vector<std::int32_t>& bins) { relations.push_back({table(), upload_like(h, bins, pairs)}); };
    if (recency) relate(*recency, g.recency), relate(*hour, g.hour), relate(*weekday, g.weekday), relate(*distance, g.distance);
    relate(follow, g.follow);
    return pointer_scores(content, relations, 1 / std::sqrt(static_cast<double>(width_)), scale_);
  }

  template <class V> void visit(V&& v) {
    v("query", query);
    v("key", key);
    v("category", category);
    v("recency", recency);
    v("hour", hour);
    v("weekday", weekday);
    v("distance", distance);
    v("follow", follow);
  }

  Linear<B> query, key;                                   ///< [K d, D]
  std::optional<Embedding<B>> category;                   ///< [categories, K d]
  std::optional<Parameter<B>> recency, hour, weekday, distance;  ///< [bins, K]
  Parameter<B> follow;                                           ///< [bins, K]

 private:
  static void check(const PointerOptions& o) {
    if (o.heads < 1 || o.head_width < 1) throw ConfigError("model.pointer_heads and pointer_width must be at least 1");
  }
  static Parameter<B> bias(Context<B>& context, const PointerOptions& o, std::int64_t bins) { return constant_parameter(context, {bins, o.heads}, 0, o.dtype); }

  std::int64_t heads_, width_;
  double scale_;
};

}  // namespace chronotope
