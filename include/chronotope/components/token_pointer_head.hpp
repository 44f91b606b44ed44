#pragma once
// The history pointer among tokens; ours, not in the paper (docs/design.md).

#include "chronotope/components/context_states.hpp"
#include "chronotope/components/decoder.hpp"
#include "chronotope/components/pointer_attention.hpp"
#include "chronotope/components/token_heads.hpp"
#include "chronotope/components/token_pointers.hpp"
#include "chronotope/ops/index.hpp"

namespace chronotope {

/// The typed head behind two looks at the user's own past actions j < i, in whose contexts h_j they were made. First what kinds of places they went
/// to is recalled, under weights r_k that know how i and j relate (hours, days, distance):
///   h'_i = h_i + W_r [sum_j r_k(i, j) v_k(category of j)]_k          for the context i and the block token behind it alike
///   h"_i = h'_i + f(norm(h'_i))                                      f: a feed-forward layer, in which what is recalled meets the block
/// Then the softmax of h" is mixed with pointers to the places themselves, where known:
///   P(block = b)          = g_0 softmax(W_B h"_u)_b + sum_k g_k sum_j a_k(i, j) [block of j = b]                      g = softmax(W_g h"_u + c)
///   P(inner = m | block b) = g'_0 softmax(W_I h"_b)_m + sum_k g'_k sum_{j in block b} a'_k(i, j) [inner of j = m]     g' = softmax(W_g' h"_b + c')
/// r_k(i, .) and a_k(i, .) are the softmax over j of PointerAttention's s_k(i, j) between contexts, which knows the categories of past places too (a_k
/// asks with h'_i), a'_k(i, .) that of the same scores over the j in block b. Who has nobody to point to gets g_0 = 1. Where places are one
/// token, the second form holds with h"_u and without the restriction.
template <Backend B> class TokenPointerHead {
 public:
  using backend = B;

  /// Throws ConfigError unless there is at least one pointer head of at least one element.
  TokenPointerHead(Context<B>& context, const TokenHeadOptions& o)
      : typed(context, o), recall(context, pointer_options(o)), kinds(context, o.categories, o.pointer_heads * o.pointer_width, o.dtype),
        recalled(context, o.pointer_heads * o.pointer_width, o.width, false, o.dtype), norm(context, o.width, o.dtype), ffn(context, feed_forward_options(o)), attention(context, pointer_options(o)),
        inner_gate(context, o.width, o.pointer_heads + 1, true, o.dtype) {
    if (o.blocks > 0) block_gate.emplace(context, o.width, o.pointer_heads + 1, true, o.dtype);
  }

  static constexpr bool wants_contexts() { return true; }

  /// As TypedHead's; `past` has the contexts of the whole batch. O(A N) memory for A asks and N contexts a sequence.
  Tensor<B> nll(const Tensor<B>& h, const TokenTensors<B>& batch, const ContextStates<B>& past) const {
    const ModuleScope scope("head");
    std::vector<PointerAsk> asks;
    std::vector<std::int32_t> targets;
    for (const Question what : {Question::block, Question::inner})
      for (const Ask& ask : batch.host.asks())
        if (ask.what == what) asks.push_back({ask.row, what}), targets.push_back(ask.target);
    if (asks.empty()) return typed.nll(h, batch, past);
    const Look look(*this, past, asks);
    const Tensor<B> own = look.add(gather(h, concat(std::vector<Tensor<B>>{batch.block_asks, batch.inner_asks}, 0)));
    const std::int64_t blocks = batch.block_asks.size(0);
    const Tensor<B> of_blocks = slice(own, 0, 0, blocks), of_inners = slice(own, 0, blocks, own.size(0));
    const Tensor<B> plain = typed.nll_of(of_blocks, of_inners, batch);
    std::vector<Tensor<B>> scores;
    if (blocks > 0) scores.push_back(gate_of(block_gate)(of_blocks));
    if (of_inners.size(0) > 0) scores.push_back(inner_gate(of_inners));
    const Tensor<B> g = detail::pointer_gates(detail::joined(scores, h), look.pointers.alone);
    const Tensor<B> match = detail::upload_like(h, look.pointers.match(targets), {plain.size(0), 1, look.pointers.keys});
    const Tensor<B> pointed = sum(look.weights * match, -1);  // [A, K]
    return neg(log(select(g, 1, 0) * exp(neg(plain)) + sum(slice(g, 1, 1, g.size(1)) * pointed, 1) + detail::least_probability));
  }

  /// h [Q, D] of the tokens in the packed rows `rows` [Q], whose sequences are in `past` -> [Q, NB], [Q, NI]: logarithms of probabilities.
  Tensor<B> block_scores(const Tensor<B>& h, const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    if (rows.empty()) return typed.block_scores(h, past, rows);
    const ModuleScope scope("head");
    const Look look(*this, past, asks_of(rows, Question::block));
    const Tensor<B> own = look.add(h);
    return mixed(typed.block_scores(own, past, rows), gate_of(block_gate)(own), look);
  }
  Tensor<B> inner_scores(const Tensor<B>& h, const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    if (rows.empty()) return typed.inner_scores(h, past, rows);
    const ModuleScope scope("head");
    const Look look(*this, past, asks_of(rows, Question::inner));
    const Tensor<B> own = look.add(h);
    return mixed(typed.inner_scores(own, past, rows), inner_gate(own), look);
  }

  template <class V> void visit(V&& v) {
    typed.visit(v);
    v("recall", recall);
    v("kinds", kinds);
    v("recalled", recalled);
    v("norm", norm);
    v("ffn", ffn);
    attention.visit(v);
    v("block_gate", block_gate);
    v("inner_gate", inner_gate);
  }

  TypedHead<B> typed;
  PointerAttention<B> recall;           ///< r
  Embedding<B> kinds;                   ///< v [categories, K d]
  Linear<B> recalled;                   ///< W_r [D, K d]
  RmsNorm<B> norm;
  SwigluFeedForward<B> ffn;             ///< f
  PointerAttention<B> attention;        ///< a
  std::optional<Linear<B>> block_gate;  ///< W_g [1 + K, D]: the softmax, then the pointers
  Linear<B> inner_gate;                 ///< W_g' [1 + K, D]

 private:
  static constexpr double bias_scale = 8;  ///< a bias of 4 within some hundred steps

  static const Linear<B>& gate_of(const std::optional<Linear<B>>& gate) {
    if (!gate) throw DataError("[head] a block is asked for, the head knows none");
    return *gate;
  }

  static DecoderOptions feed_forward_options(const TokenHeadOptions& o) { return {.width = o.width, .feed_forward = o.feed_forward, .dtype = o.dtype}; }

  static PointerOptions pointer_options(const TokenHeadOptions& o) {
    return {o.width, o.pointer_heads, o.pointer_width, o.dtype, TokenPointerBins::weekday, TokenPointerBins::distance, o.categories, o.spacetime, bias_scale};
  }

  static std::vector<PointerAsk> asks_of(std::span<const std::int32_t> rows, Question what) {
    std::vector<PointerAsk> asks;
    for (const std::int32_t row : rows) asks.push_back({row, what});
    return asks;
  }

  /// What A askers see of the past.
  struct Look {
    Look(const TokenPointerHead& head, const ContextStates<B>& past, std::span<const PointerAsk> asks) : of(head), pointers(past.trail(), asks) {
      const Tensor<B>& h = past.states();
      const Tensor<B> slots = detail::upload_like(h, pointers.slot), more = head.recalled_kinds(h, pointers);
      added = gather(more, slots);
      const Tensor<B> asking = gather(h, detail::upload_like(h, pointers.query_action)) + more;
      const Tensor<B> own = detail::scores_at(head.attention(asking, h, pointers), pointers.slot);
      weights = detail::pointer_softmax(own, detail::upload_like(own, pointers.hidden, {own.size(0), 1, pointers.keys}));
    }

    /// h -> h'', [A, D].
    Tensor<B> add(const Tensor<B>& h) const {
      const Tensor<B> y = h + added;
      return y + of.ffn(of.norm(y));
    }

    const TokenPointerHead& of;

    TokenPointers pointers;
    Tensor<B> added;    ///< [A, D]
    Tensor<B> weights;  ///< [A, K, N]: a_k or a'_k over the steps of each asker's sequence
  };

  /// W_r [...] of all queries, [S M, D]; 0 without a past.
  Tensor<B> recalled_kinds(const Tensor<B>& h, const TokenPointers& p) const {
    const Tensor<B> later = detail::upload_like(h, p.later, {p.sequences, 1, p.queries, p.keys});
    const Tensor<B> scores = recall(h, p);  // [S, K, M, N]
    const Tensor<B> r = where(later, scalar_like(scores, 0), detail::pointer_softmax(scores, later));
    const std::int64_t heads = scores.size(1), wide = recalled.weight().size(1);
    const Tensor<B> v = permute(reshape(kinds(detail::upload_like(h, p.key_category)), {p.sequences, p.keys, heads, wide / heads}), {0, 2, 1, 3});
    return recalled(reshape(permute(matmul(r, v), {0, 2, 1, 3}), {p.sequences * p.queries, wide}));
  }

  /// Plain scores [Q, V] with what is pointed to.
  static Tensor<B> mixed(const Tensor<B>& plain, const Tensor<B>& gate_scores, const Look& look) {
    const TokenPointers& pointers = look.pointers;
    const Tensor<B> g = detail::pointer_gates(gate_scores, pointers.alone);
    const Tensor<B> share = sum(look.weights * unsqueeze(slice(g, 1, 1, g.size(1)), 2), 1);  // [Q, N]
    std::vector<std::int64_t> to;  // where each key's share lands in the flattened [Q, V]
    for (std::size_t i = 0; i < pointers.value.size(); ++i)
      to.push_back(static_cast<std::int64_t>(i) / pointers.keys * plain.size(1) + pointers.value[i]);
    const Tensor<B> chosen = exp(plain) * slice(g, 1, 0, 1);
    const Tensor<B> all = scatter_add(reshape(chosen, {-1, 1}), detail::upload_like(plain, to), reshape(share, {-1, 1}));
    return log(reshape(all, plain.shape()) + detail::least_probability);
  }
};

}  // namespace chronotope
