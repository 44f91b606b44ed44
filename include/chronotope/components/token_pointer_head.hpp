#pragma once
// The history pointer among tokens; ours, not in the paper (docs/design.md).

#include "chronotope/components/context_states.hpp"
#include "chronotope/components/pointer_attention.hpp"
#include "chronotope/components/token_heads.hpp"
#include "chronotope/components/token_pointers.hpp"
#include "chronotope/ops/index.hpp"

namespace chronotope {

/// The typed head mixed with attention over the user's own past actions j < i whose place is known:
///   P(block = b)          = g_0 softmax(W_B h_u)_b + sum_k g_k sum_j a_k(i, j) [block of j = b]                      g = softmax(W_g h_u + c)
///   P(inner = m | block b) = g'_0 softmax(W_I h_b)_m + sum_k g'_k sum_{j in block b} a'_k(i, j) [inner of j = m]     g' = softmax(W_g' h_b + c')
/// h_u, h_b: hidden states of the context i and of the block token behind it; a_k(i, .) is the softmax over j of PointerAttention's
/// s_k(i, j) between contexts, which knows the categories of past places too, a'_k(i, .) that of the same scores over the j in block b. Who
/// has nobody to point to gets g_0 = 1. Where places are one token, the second form holds with h_u and without the restriction.
template <Backend B> class TokenPointerHead {
 public:
  using backend = B;

  /// Throws ConfigError unless there is at least one pointer head of at least one element.
  TokenPointerHead(Context<B>& context, const TokenHeadOptions& o)
      : typed(context, o), attention(context, {o.width, o.pointer_heads, o.pointer_width, o.dtype, TokenPointerBins::weekday, TokenPointerBins::distance, o.categories, bias_scale}),
        inner_gate(context, o.width, o.pointer_heads + 1, true, o.dtype) {
    if (o.blocks > 0) block_gate.emplace(context, o.width, o.pointer_heads + 1, true, o.dtype);
  }

  static constexpr bool wants_contexts() { return true; }

  /// As TypedHead's; `past` has the contexts of the whole batch. O(A N) memory for A asks and N contexts a sequence.
  Tensor<B> nll(const Tensor<B>& h, const TokenTensors<B>& batch, const ContextStates<B>& past) const {
    const Tensor<B> plain = typed.nll(h, batch, past);
    if (plain.size(0) == 0) return plain;
    const ModuleScope scope("head");
    std::vector<PointerAsk> asks;
    std::vector<std::int32_t> targets;
    for (const Question what : {Question::block, Question::inner})
      for (const Ask& ask : batch.host.asks())
        if (ask.what == what) asks.push_back({ask.row, what}), targets.push_back(ask.target);
    const TokenPointers pointers(past.trail(), asks);
    std::vector<Tensor<B>> scores;
    if (batch.block_asks.size(0) > 0) scores.push_back(gate_of(block_gate)(gather(h, batch.block_asks)));
    if (batch.inner_asks.size(0) > 0) scores.push_back(inner_gate(gather(h, batch.inner_asks)));
    const Tensor<B> g = detail::pointer_gates(detail::joined(scores, h), pointers.alone);
    const Tensor<B> match = detail::upload_like(h, pointers.match(targets), {plain.size(0), 1, pointers.keys});
    const Tensor<B> pointed = sum(weights(pointers, past) * match, -1);  // [A, K]
    return neg(log(select(g, 1, 0) * exp(neg(plain)) + sum(slice(g, 1, 1, g.size(1)) * pointed, 1) + detail::least_probability));
  }

  /// h [Q, D] of the tokens in the packed rows `rows` [Q], whose sequences are in `past` -> [Q, NB], [Q, NI]: logarithms of probabilities.
  Tensor<B> block_scores(const Tensor<B>& h, const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    return mixed(typed.block_scores(h, past, rows), gate_of(block_gate)(h), Question::block, past, rows);
  }
  Tensor<B> inner_scores(const Tensor<B>& h, const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    return mixed(typed.inner_scores(h, past, rows), inner_gate(h), Question::inner, past, rows);
  }

  template <class V> void visit(V&& v) {
    typed.visit(v);
    attention.visit(v);
    v("block_gate", block_gate);
    v("inner_gate", inner_gate);
  }

  TypedHead<B> typed;
  PointerAttention<B> attention;
  std::optional<Linear<B>> block_gate;  ///< W_g [1 + K, D]: the softmax, then the pointers
  Linear<B> inner_gate;                 ///< W_g' [1 + K, D]

 private:
  static constexpr double bias_scale = 8;  ///< a bias of 4 within some hundred steps

  static const Linear<B>& gate_of(const std::optional<Linear<B>>& gate) {
    if (!gate) throw DataError("[head] a block is asked for, the head knows none");
    return *gate;
  }

  /// a_k or a'_k of each asker over the steps of its sequence, [A, K, N].
  Tensor<B> weights(const TokenPointers& p, const ContextStates<B>& past) const {
    const Tensor<B> scores = permute(attention(past.states(), p), {0, 2, 1, 3});  // [S, M, K, N]
    const Tensor<B> own = gather(reshape(scores, {-1, scores.size(2), p.keys}), detail::upload_like(scores, p.slot));
    return detail::pointer_softmax(own, detail::upload_like(scores, p.hidden, {own.size(0), 1, p.keys}));
  }

  /// Plain scores [Q, V] with what is pointed to.
  Tensor<B> mixed(const Tensor<B>& plain, const Tensor<B>& gate_scores, Question what, const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    const ModuleScope scope("head");
    std::vector<PointerAsk> asks;
    for (const std::int32_t row : rows) asks.push_back({row, what});
    if (asks.empty()) return plain;
    const TokenPointers pointers(past.trail(), asks);
    const Tensor<B> g = detail::pointer_gates(gate_scores, pointers.alone);
    const Tensor<B> share = sum(weights(pointers, past) * unsqueeze(slice(g, 1, 1, g.size(1)), 2), 1);  // [Q, N]
    std::vector<std::int64_t> to;  // where each key's share lands in the flattened [Q, V]
    for (std::size_t i = 0; i < pointers.value.size(); ++i)
      to.push_back(static_cast<std::int64_t>(i) / pointers.keys * plain.size(1) + pointers.value[i]);
    const Tensor<B> chosen = exp(plain) * slice(g, 1, 0, 1);
    const Tensor<B> all = scatter_add(reshape(chosen, {-1, 1}), detail::upload_like(plain, to), reshape(share, {-1, 1}));
    return log(reshape(all, plain.shape()) + detail::least_probability);
  }
};

}  // namespace chronotope
