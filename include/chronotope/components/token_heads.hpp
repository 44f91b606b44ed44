#pragma once
// Heads of tokens: hidden states to the next block, and to the next place in its block.

#include "chronotope/components/context_states.hpp"
#include "chronotope/components/token_tensors.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

struct TokenHeadOptions {
  std::int64_t width = 768;  ///< D
  std::int64_t blocks = 0;   ///< NB, the unknown block 0 included; 0: places are one token
  std::int64_t inners = 1;   ///< NI, the unknown 0 included
  DType dtype = DType::f32;
  std::int64_t pointer_heads = 2, pointer_width = 32;  ///< K, d of TokenPointerHead
  std::int64_t categories = 1;  ///< of places, the unknown 0 included: what its keys know
  std::int64_t feed_forward = 2048;  ///< F of its feed-forward layer
  bool spacetime = true;             ///< whether it knows how actions relate in time and space
};

namespace detail {

template <Backend B> Tensor<B> log_softmax(const Tensor<B>& logits) { return logits - logsumexp(logits, 1); }

/// Both kinds of asks, blocks first.
template <Backend B> Tensor<B> joined(const std::vector<Tensor<B>>& parts, const Tensor<B>& like) {
  if (parts.empty()) return full<B>(like.state(), {0}, 0, like.dtype());
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}

}  // namespace detail

/// Each kind has a softmax of its own: a block is asked for among blocks, a place among the numbers 1 … K in a block.
template <Backend B> class TypedHead {
 public:
  using backend = B;
  TypedHead(Context<B>& context, const TokenHeadOptions& o) : inner(context, o.width, o.inners, false, o.dtype) {
    if (o.blocks > 0) block.emplace(context, o.width, o.blocks, false, o.dtype);
  }

  static constexpr bool wants_contexts() { return false; }

  /// -log p of the targets, of hidden states h [Q, D] -> [Nb + Ni]: those of blocks, then those of inners. Logits exist for asked tokens only.
  Tensor<B> nll(const Tensor<B>& h, const TokenTensors<B>& batch, const ContextStates<B>&) const {
    const ModuleScope scope("head");
    return nll_of(gather(h, batch.block_asks), gather(h, batch.inner_asks), batch);
  }
  /// The same of the states of those that are asked for a block [Nb, D] and for a place [Ni, D].
  Tensor<B> nll_of(const Tensor<B>& blocks, const Tensor<B>& inners, const TokenTensors<B>& batch) const {
    std::vector<Tensor<B>> parts;
    if (blocks.size(0) > 0) parts.push_back(linear_cross_entropy(blocks, block_weight(), batch.block_targets));
    if (inners.size(0) > 0) parts.push_back(linear_cross_entropy(inners, inner.weight(), batch.inner_targets));
    return detail::joined(parts, blocks);
  }

  /// h [Q, D] -> [Q, NB], [Q, NI]: logarithms of probabilities.
  Tensor<B> block_scores(const Tensor<B>& h, const ContextStates<B>&, std::span<const std::int32_t>) const { return detail::log_softmax(linear(h, block_weight())); }
  Tensor<B> inner_scores(const Tensor<B>& h, const ContextStates<B>&, std::span<const std::int32_t>) const { return detail::log_softmax(inner(h)); }

  /// From now on the weights are those of the tables that the tokens are read with (Press & Wolf 2017), and no parameters of the
  /// head's own. Throws ShapeError for tables of another size.
  void tie(const std::optional<Embedding<B>>& blocks, const Embedding<B>& inners) {
    if (blocks.has_value() != block.has_value() || (block && !(blocks->weight.shape() == block->weight.shape())) || !(inners.weight.shape() == inner.weight.shape()))
      throw ShapeError("[head] only tables of the head's own shapes can be tied to it");
    if (block) block->weight = blocks->weight;
    inner.weight = inners.weight;
    tied_ = true;
  }

  template <class V> void visit(V&& v) {
    if (tied_) return;
    v("block", block);
    v("inner", inner);
  }

  std::optional<Linear<B>> block;  ///< [NB, D]
  Linear<B> inner;                 ///< [NI, D]

 private:
  bool tied_ = false;

  Tensor<B> block_weight() const {
    if (!block) throw DataError("[head] a block is asked for, the head knows none");
    return block->weight();
  }
};

/// One softmax over blocks and inners together, as in the paper: it has to learn which of them comes next.
template <Backend B> class JointHead {
 public:
  using backend = B;
  JointHead(Context<B>& context, const TokenHeadOptions& o)
      : vocabulary(context, o.width, o.blocks + o.inners, false, o.dtype), blocks_(o.blocks) {}

  static constexpr bool wants_contexts() { return false; }

  /// As TypedHead's.
  Tensor<B> nll(const Tensor<B>& h, const TokenTensors<B>& batch, const ContextStates<B>&) const {
    const ModuleScope scope("head");
    std::vector<Tensor<B>> rows, targets;
    if (batch.block_asks.size(0) > 0) rows.push_back(batch.block_asks), targets.push_back(batch.block_targets);
    if (batch.inner_asks.size(0) > 0)
      rows.push_back(batch.inner_asks), targets.push_back(batch.inner_targets + full<B>(h.state(), {}, static_cast<double>(blocks_), DType::i32));
    if (rows.empty()) return detail::joined<B>({}, h);
    return linear_cross_entropy(gather(h, concat(rows, 0)), vocabulary.weight(), concat(targets, 0));
  }

  Tensor<B> block_scores(const Tensor<B>& h, const ContextStates<B>&, std::span<const std::int32_t>) const { return slice(detail::log_softmax(vocabulary(h)), 1, 0, blocks_); }
  Tensor<B> inner_scores(const Tensor<B>& h, const ContextStates<B>&, std::span<const std::int32_t>) const {
    const Tensor<B> all = detail::log_softmax(vocabulary(h));
    return slice(all, 1, blocks_, all.size(1));
  }

  template <class V> void visit(V&& v) { v("vocabulary", vocabulary); }

  Linear<B> vocabulary;  ///< [NB + NI, D]

 private:
  std::int64_t blocks_;
};

}  // namespace chronotope
