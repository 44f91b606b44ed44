#pragma once
// Output heads: hidden states to a distribution over places.

#include "chronotope/components/concepts.hpp"
#include "chronotope/components/pointer_layout.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

struct HeadOptions {
  std::int64_t width = 768;       ///< D
  std::int64_t places = 1;        ///< P, the unknown place 0 included
  std::int64_t pointer_heads = 2; ///< K of the history pointer
  std::int64_t pointer_width = 32;
  DType dtype = DType::f32;
};

/// Softmax over all places (Spacetime-GR, 3.2.1): p = softmax(W_o h).
template <Backend B> class VocabularyHead {
 public:
  using backend = B;
  static constexpr bool wants_all_contexts = false;

  VocabularyHead(Context<B>& context, const HeadOptions& o) : vocabulary(context, o.width, o.places, false, o.dtype) {}

  Tensor<B> nll(const Tensor<B>& h, const ActionTensors<B>& batch) const {
    return linear_cross_entropy(h, vocabulary.weight(), batch.target);
  }
  Tensor<B> probabilities(const Tensor<B>& h, const ActionTensors<B>&) const { return softmax(vocabulary(h)); }

  template <class V> void visit(V&& v) { v("vocabulary", vocabulary); }

  Linear<B> vocabulary;  ///< [P, D]
};

/// The softmax mixed with attention over the user's own past actions; ours, not in the paper (docs/design.md):
///   p(place) = g_0 softmax(W h)[place] + sum_k g_k sum_{j < i} a_k(i, j) [place of j = place],   g = softmax(W_g h_i + b)
///   a_k(i, .) = softmax_j(q_k(h_i) . c_k(h_j) / sqrt(d) + one learned bias for each relation of i and j (PointerBins))
/// h_i, h_j are the hidden states of the contexts: the key of a past action is the context it was made in.
template <Backend B> class HistoryPointerHead {
 public:
  using backend = B;
  static constexpr bool wants_all_contexts = true;

  /// Throws ConfigError unless there is at least one pointer head of at least one element.
  HistoryPointerHead(Context<B>& context, const HeadOptions& o)
      : vocabulary((check(o), context), o),
        query(context, o.width, o.pointer_heads * o.pointer_width, false, o.dtype),
        key(context, o.width, o.pointer_heads * o.pointer_width, false, o.dtype),
        gate(context, o.width, o.pointer_heads + 1, true, o.dtype),
        recency(constant_parameter(context, {PointerBins::recency, o.pointer_heads}, 0, o.dtype)),
        hour(constant_parameter(context, {PointerBins::hour, o.pointer_heads}, 0, o.dtype)),
        weekday(constant_parameter(context, {PointerBins::weekday, o.pointer_heads}, 0, o.dtype)),
        distance(constant_parameter(context, {PointerBins::distance, o.pointer_heads}, 0, o.dtype)),
        follow(constant_parameter(context, {PointerBins::follow, o.pointer_heads}, 0, o.dtype)),
        options_(o) {}

  /// h [A, D]: contexts of all actions.
  Tensor<B> nll(const Tensor<B>& h, const ActionTensors<B>& batch) const {
    const ModuleScope scope("head");
    const PointerLayout layout(batch.host);
    const Tensor<B> own = gather(h, batch.selected), g = gates(own, layout);
    const Tensor<B> match = upload(h, layout.match, {layout.sequences, 1, layout.queries, layout.keys});
    const Tensor<B> hit = sum(weights(h, layout) * match, -1);  // [S, K, M]
    const Tensor<B> pointed = gather(reshape(permute(hit, {0, 2, 1}), {-1, options_.pointer_heads}), upload(h, layout.slot));
    const Tensor<B> chosen = exp(neg(vocabulary.nll(own, batch)));
    const Tensor<B> p = select(g, 1, 0) * chosen + sum(slice(g, 1, 1, options_.pointer_heads + 1) * pointed, 1);
    return neg(log(p + least));
  }

  Tensor<B> probabilities(const Tensor<B>& h, const ActionTensors<B>& batch) const {
    const ModuleScope scope("head");
    const PointerLayout layout(batch.host);
    const Tensor<B> own = gather(h, batch.selected), g = gates(own, layout);
    const Tensor<B> chosen = vocabulary.probabilities(own, batch) * slice(g, 1, 0, 1);
    const Tensor<B> flat = reshape(permute(weights(h, layout), {0, 2, 3, 1}), {layout.sequences * layout.queries, layout.keys, options_.pointer_heads});
    const Tensor<B> share = gather(flat, upload(h, layout.slot)) * unsqueeze(slice(g, 1, 1, options_.pointer_heads + 1), 1);
    const Tensor<B> ids = upload(h, mass_ids(layout, chosen.size(1)));
    return reshape(scatter_add(reshape(chosen, {-1, 1}), ids, reshape(sum(share, 2), {-1, 1})), chosen.shape());
  }

  template <class V> void visit(V&& v) {
    vocabulary.visit(v);
    v("query", query);
    v("key", key);
    v("gate", gate);
    v("recency", recency);
    v("hour", hour);
    v("weekday", weekday);
    v("distance", distance);
    v("follow", follow);
  }

  VocabularyHead<B> vocabulary;
  Linear<B> query, key;  ///< [K d, D]
  Linear<B> gate;        ///< [1 + K, D]: the softmax, then the pointers
  Parameter<B> recency, hour, weekday, distance, follow;  ///< [bins, K]

 private:
  static constexpr double hidden_score = -1e30;  ///< finite, so that a row with no visible key stays finite too
  static constexpr double least = 1e-30;         ///< keeps log finite where the softmax underflows

  static void check(const HeadOptions& o) {
    if (o.pointer_heads < 1 || o.pointer_width < 1) throw ConfigError("model.pointer_heads and pointer_width must be at least 1");
  }

  template <class T> static Tensor<B> upload(const Tensor<B>& like, const std::vector<T>& values, const Shape& shape) {
    const Tensor<B> t = Tensor<B>::from_host(like.state(), std::span<const T>(values), shape);
    return dtype_of<T> == DType::f32 ? cast(t, like.dtype()) : t;
  }
  template <class T> static Tensor<B> upload(const Tensor<B>& like, const std::vector<T>& values) {
    return upload(like, values, {static_cast<std::int64_t>(values.size())});
  }

  /// [Q, 1 + K]; who has no history to point to gets everything from the softmax.
  Tensor<B> gates(const Tensor<B>& own, const PointerLayout& layout) const {
    const Tensor<B> alone = upload(own, layout.alone, {own.size(0), 1});
    const Tensor<B> scores = gate(own);
    const Tensor<B> pointers = where(alone, scalar_like(own, hidden_score), slice(scores, 1, 1, options_.pointer_heads + 1));
    return softmax(concat(std::vector<Tensor<B>>{slice(scores, 1, 0, 1), pointers}, 1));
  }

  /// a_k(i, j) as [S, K, M, N]. Rows without a visible key are meaningless and must be gated away.
  Tensor<B> weights(const Tensor<B>& h, const PointerLayout& l) const {
    const std::int64_t K = options_.pointer_heads, d = options_.pointer_width;
    const Tensor<B> q = reshape(query(gather(h, upload(h, l.query_action))), {l.sequences, l.queries, K, d});
    const Tensor<B> c = reshape(gather(key(h), upload(h, l.key_action)), {l.sequences, l.keys, K, d});
    const Tensor<B> content = matmul(permute(q, {0, 2, 1, 3}), permute(c, {0, 2, 3, 1})) * (1 / std::sqrt(static_cast<double>(d)));
    const Shape pairs{l.sequences, l.queries, l.keys};
    const auto bias = [&](const Parameter<B>& table, const std::vector<std::int32_t>& bins) { return gather(table(), upload(h, bins, pairs)); };
    const Tensor<B> related = bias(recency, l.recency) + bias(hour, l.hour) + bias(weekday, l.weekday) + bias(distance, l.distance) + bias(follow, l.follow);
    const Tensor<B> hidden = upload(h, l.hidden, {l.sequences, 1, l.queries, l.keys});
    return softmax(where(hidden, scalar_like(h, hidden_score), content + permute(related, {0, 3, 1, 2})));
  }

  /// Where the mass of key j of selected action q lands in the flattened [Q, P].
  static std::vector<std::int64_t> mass_ids(const PointerLayout& l, std::int64_t places) {
    std::vector<std::int64_t> ids;
    for (std::size_t q = 0; q < l.slot.size(); ++q)
      for (std::int64_t j = 0; j < l.keys; ++j)
        ids.push_back(static_cast<std::int64_t>(q) * places + l.key_place[static_cast<std::size_t>(l.slot[q] / l.queries * l.keys + j)]);
    return ids;
  }

  HeadOptions options_;
};

}  // namespace chronotope
