#pragma once
// Output heads: hidden states to a distribution over places.

#include "chronotope/components/concepts.hpp"
#include "chronotope/components/pointer_attention.hpp"
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
      : vocabulary(context, o), attention(context, {o.width, o.pointer_heads, o.pointer_width, o.dtype}),
        gate(context, o.width, o.pointer_heads + 1, true, o.dtype), options_(o) {}

  /// h [A, D]: contexts of all actions.
  Tensor<B> nll(const Tensor<B>& h, const ActionTensors<B>& batch) const {
    const ModuleScope scope("head");
    const PointerLayout layout(batch.host);
    const Tensor<B> own = gather(h, batch.selected), g = detail::pointer_gates(gate(own), layout.alone);
    const Tensor<B> match = detail::upload_like(h, layout.match, {layout.sequences, 1, layout.queries, layout.keys});
    const Tensor<B> hit = sum(weights(h, layout) * match, -1);  // [S, K, M]
    const Tensor<B> pointed = gather(reshape(permute(hit, {0, 2, 1}), {-1, options_.pointer_heads}), detail::upload_like(h, layout.slot));
    const Tensor<B> chosen = exp(neg(vocabulary.nll(own, batch)));
    const Tensor<B> p = select(g, 1, 0) * chosen + sum(slice(g, 1, 1, options_.pointer_heads + 1) * pointed, 1);
    return neg(log(p + detail::least_probability));
  }

  Tensor<B> probabilities(const Tensor<B>& h, const ActionTensors<B>& batch) const {
    const ModuleScope scope("head");
    const PointerLayout layout(batch.host);
    const Tensor<B> own = gather(h, batch.selected), g = detail::pointer_gates(gate(own), layout.alone);
    const Tensor<B> chosen = vocabulary.probabilities(own, batch) * slice(g, 1, 0, 1);
    const Tensor<B> flat = reshape(permute(weights(h, layout), {0, 2, 3, 1}), {layout.sequences * layout.queries, layout.keys, options_.pointer_heads});
    const Tensor<B> share = gather(flat, detail::upload_like(h, layout.slot)) * unsqueeze(slice(g, 1, 1, options_.pointer_heads + 1), 1);
    const Tensor<B> ids = detail::upload_like(h, mass_ids(layout, chosen.size(1)));
    return reshape(scatter_add(reshape(chosen, {-1, 1}), ids, reshape(sum(share, 2), {-1, 1})), chosen.shape());
  }

  template <class V> void visit(V&& v) {
    vocabulary.visit(v);
    attention.visit(v);
    v("gate", gate);
  }

  VocabularyHead<B> vocabulary;
  PointerAttention<B> attention;
  Linear<B> gate;        ///< [1 + K, D]: the softmax, then the pointers

 private:
  /// a_k(i, j) as [S, K, M, N]. Rows without a visible key are meaningless and must be gated away.
  Tensor<B> weights(const Tensor<B>& h, const PointerLayout& l) const {
    return detail::pointer_softmax(attention(h, l), detail::upload_like(h, l.hidden, {l.sequences, 1, l.queries, l.keys}));
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
