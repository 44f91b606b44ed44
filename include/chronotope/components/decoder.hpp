#pragma once
// Decoders: Llama-style (Touvron et al. 2023: RMSNorm before, RoPE, SwiGLU, no biases), the one of Spacetime-GR, and
// GPT-style (Radford et al. 2019: LayerNorm before, learned positions, GELU, biases), the first row of its Table 7.

#include <cmath>
#include <numeric>

#include "chronotope/components/concepts.hpp"
#include "chronotope/components/key_values.hpp"
#include "chronotope/nn/drop.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/attention.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

struct DecoderOptions {
  std::int64_t layers = 2;
  std::int64_t width = 768;          ///< D
  std::int64_t heads = 32;           ///< H; D / H is the head width, even
  std::int64_t feed_forward = 2048;  ///< F
  std::int64_t positions = 256;      ///< longest sequence in tokens
  double dropout = 0;                ///< on what each half of a block adds
  DType dtype = DType::f32;
};

namespace detail {

inline void check(const DecoderOptions& o) {
  if (o.layers < 1 || o.heads < 1 || o.width < 1 || o.feed_forward < 1)
    throw ConfigError("model.layers, heads, width and feed_forward must be at least 1");
  if (o.width % o.heads != 0 || o.width / o.heads % 2 != 0)
    throw ConfigError("model.width must be an even multiple of model.heads, got " + std::to_string(o.width) + " and " + std::to_string(o.heads));
}

/// x at `rows`, or x itself when every row is asked for.
template <Backend B> Tensor<B> rows_of(const Tensor<B>& x, const Tensor<B>& rows) {
  return rows.size(0) == x.size(0) ? x : gather(x, rows);
}

}  // namespace detail

/// Rows of new tokens, as the packing counts them and as they count themselves. [Q] i32 each.
template <Backend B> struct FreshRows {
  Tensor<B> packed, local;
};

/// Multi-head causal self-attention with one weight for q, k and v.
template <Backend B> class SelfAttention {
 public:
  using backend = B;
  SelfAttention(Context<B>& context, const DecoderOptions& o, bool bias)
      : qkv(context, o.width, 3 * o.width, bias, o.dtype), out(context, o.width, o.width, bias, o.dtype), heads_(o.heads) {}

  /// x [T, D], asking rows [Q] -> [Q, D]. `turn` is applied to q and k [.., H, D / H] with their positions, in place if it likes.
  template <class Turn>
  Tensor<B> operator()(const Tensor<B>& x, const Packing<B>& packing, const Tensor<B>& rows, Turn&& turn) const {
    const ModuleScope scope("attn");
    const std::int64_t width = x.size(1), head = width / heads_;
    Tensor<B> q, k, v;
    if (rows.size(0) == x.size(0)) {
      const Tensor<B> all = reshape(qkv(x), {x.size(0), 3, heads_, head});
      q = select(all, 1, 0), k = select(all, 1, 1), v = select(all, 1, 2);
    } else {  // queries only where they are asked for
      q = reshape(part(gather(x, rows), 0, width), {rows.size(0), heads_, head});
      const Tensor<B> both = reshape(part(x, width, 3 * width), {x.size(0), 2, heads_, head});
      k = select(both, 1, 0), v = select(both, 1, 1);
    }
    const Tensor<B> y = attention(turn(q, detail::rows_of(packing.position, rows)), turn(k, packing.position), v, packing, rows,
                                  1 / std::sqrt(static_cast<double>(head)));
    return out(reshape(y, {rows.size(0), width}));
  }

  /// x [N, D] are the last N tokens of the packing, those before are in `past`. Asks where `fresh` says -> [Q, D].
  template <class Turn>
  Tensor<B> more(const Tensor<B>& x, const Packing<B>& packing, const FreshRows<B>& fresh, KeyValues<B>& past, std::size_t block,
                 std::size_t blocks, Turn&& turn) const {
    const ModuleScope scope("attn");
    const std::int64_t width = x.size(1), head = width / heads_;
    const Tensor<B> both = reshape(part(x, width, 3 * width), {x.size(0), 2, heads_, head});
    const Tensor<B> k = turn(select(both, 1, 0), slice(packing.position, 0, packing.tokens() - x.size(0), packing.tokens()));
    const auto all = past.put(block, blocks, k, select(both, 1, 1));
    const Tensor<B> q = reshape(part(detail::rows_of(x, fresh.local), 0, width), {fresh.packed.size(0), heads_, head});
    const Tensor<B> y = attention(turn(q, gather(packing.position, fresh.packed)), all.keys, all.values, packing, fresh.packed,
                                  1 / std::sqrt(static_cast<double>(head)));
    return out(reshape(y, {fresh.packed.size(0), width}));
  }

  template <class V> void visit(V&& v) {
    v("qkv", qkv);
    v("out", out);
  }

  Linear<B> qkv;  ///< [3D, D]: rows of q, of k, of v
  Linear<B> out;  ///< [D, D]

 private:
  /// The projection to some of qkv's outputs.
  Tensor<B> part(const Tensor<B>& x, std::int64_t begin, std::int64_t end) const {
    const Tensor<B> y = linear(x, slice(qkv.weight(), 0, begin, end));
    return qkv.bias ? y + slice((*qkv.bias)(), 0, begin, end) : y;
  }

  std::int64_t heads_;
};

template <Backend B> class SwigluFeedForward {
 public:
  using backend = B;
  SwigluFeedForward(Context<B>& context, const DecoderOptions& o)
      : gate_up(context, o.width, 2 * o.feed_forward, false, o.dtype), down(context, o.feed_forward, o.width, false, o.dtype) {}
  Tensor<B> operator()(const Tensor<B>& x) const {
    const ModuleScope scope("ffn");
    return down(swiglu(gate_up(x)));
  }
  template <class V> void visit(V&& v) {
    v("gate_up", gate_up);
    v("down", down);
  }

  Linear<B> gate_up;  ///< [2F, D]
  Linear<B> down;     ///< [D, F]
};

template <Backend B> class GeluFeedForward {
 public:
  using backend = B;
  GeluFeedForward(Context<B>& context, const DecoderOptions& o)
      : up(context, o.width, o.feed_forward, true, o.dtype), down(context, o.feed_forward, o.width, true, o.dtype) {}
  Tensor<B> operator()(const Tensor<B>& x) const {
    const ModuleScope scope("ffn");
    return down(gelu(up(x)));
  }
  template <class V> void visit(V&& v) {
    v("up", up);
    v("down", down);
  }

  Linear<B> up, down;
};

/// Attention and feed-forward, each behind its norm, each added to its input. From the attention on only the asking rows
/// are computed.
template <class Norm, class FeedForward> class DecoderBlock {
 public:
  using backend = typename Norm::backend;
  using Tensors = Tensor<backend>;
  DecoderBlock(Context<backend>& context, const DecoderOptions& o, bool bias)
      : norm1(context, o.width, o.dtype), norm2(context, o.width, o.dtype), attn(context, o, bias), ffn(context, o), dropout_(o.dropout) {}

  template <class Turn>
  Tensors operator()(const Tensors& x, const Packing<backend>& packing, const Tensors& rows, Turn&& turn) const {
    const Tensors y = detail::rows_of(x, rows) + detail::drop(attn(norm1(x), packing, rows, turn), dropout_);
    return y + detail::drop(ffn(norm2(y)), dropout_);
  }

  /// The same for tokens that follow others; see SelfAttention::more.
  template <class Turn>
  Tensors more(const Tensors& x, const Packing<backend>& packing, const FreshRows<backend>& fresh, KeyValues<backend>& past, std::size_t block,
               std::size_t blocks, Turn&& turn) const {
    const Tensors y = detail::rows_of(x, fresh.local) + attn.more(norm1(x), packing, fresh, past, block, blocks, turn);
    return y + ffn(norm2(y));
  }

  template <class V> void visit(V&& v) {
    v("norm1", norm1);
    v("attn", attn);
    v("norm2", norm2);
    v("ffn", ffn);
  }

  Norm norm1, norm2;
  SelfAttention<backend> attn;
  FeedForward ffn;

 private:
  double dropout_;
};

namespace detail {

/// Blocks, the last of which computes the asked rows only.
template <class Block, class Tensors, class Packed, class Turn>
Tensors run_blocks(const std::vector<Block>& blocks, Tensors x, const Packed& packing, const Tensors& rows, const Tensors& all, Turn&& turn) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const ModuleScope scope("decoder.blocks", static_cast<int>(i));
    x = blocks[i](x, packing, i + 1 < blocks.size() ? all : rows, turn);
  }
  return x;
}

/// first, first + 1, … on the device, one for each row of `like`.
template <Backend B> Tensor<B> every_row(const Tensor<B>& like, std::int64_t first = 0) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(like.size(0)));
  std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(first));
  return Tensor<B>::from_host(like.state(), std::span<const std::int32_t>(rows), {like.size(0)});
}

/// Blocks over the last tokens of the packing, the last block for the asked rows only; `past` has the tokens then, too.
template <class Block, Backend B, class Turn>
Tensor<B> run_blocks_more(const std::vector<Block>& blocks, Tensor<B> x, const Packing<B>& packing, const Tensor<B>& rows, KeyValues<B>& past, Turn&& turn) {
  if (past.tokens() + x.size(0) != packing.tokens())
    throw ShapeError("[decode_more] " + std::to_string(past.tokens()) + " tokens before and " + std::to_string(x.size(0)) + " new ones are not the packing's " + std::to_string(packing.tokens()));
  const std::int64_t fresh = x.size(0), first = past.tokens();
  const FreshRows<B> all{every_row(x, first), every_row(x)}, asked{rows, rows - full<B>(x.state(), {}, static_cast<double>(first), DType::i32)};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const ModuleScope scope("decoder.blocks", static_cast<int>(i));
    x = blocks[i].more(x, packing, i + 1 < blocks.size() ? all : asked, past, i, blocks.size(), turn);
  }
  past.advance(fresh);
  return x;
}

template <Backend B> void check_length(const Packing<B>& packing, std::int64_t positions) {
  if (packing.positions > positions)
    throw ShapeError("[decode] a sequence of " + std::to_string(packing.positions) + " tokens is longer than the decoder's " + std::to_string(positions) + " positions");
}

}  // namespace detail

template <Backend B> class LlamaDecoder {
 public:
  using backend = B;
  /// Throws ConfigError when the sizes do not fit together.
  LlamaDecoder(Context<B>& context, const DecoderOptions& o)
      : norm((detail::check(o), context), o.width, o.dtype), options_(o), tables_(context, o.positions, o.width / o.heads, 10000, o.dtype) {
    for (std::int64_t i = 0; i < o.layers; ++i) blocks.emplace_back(context, o, false);
  }

  Tensor<B> decode(const Tensor<B>& x, const Packing<B>& packing, const Tensor<B>& rows) const {
    detail::check_length(packing, options_.positions);
    const auto turn = [this](const Tensor<B>& t, const Tensor<B>& position) { return rope_in_place(t, position, tables_); };
    return norm(detail::run_blocks(blocks, x, packing, rows, detail::every_row(x), turn));
  }

  Tensor<B> decode_more(const Tensor<B>& x, const Packing<B>& packing, const Tensor<B>& rows, KeyValues<B>& past) const {
    const NoGrad no_grad;
    detail::check_length(packing, options_.positions);
    const auto turn = [this](const Tensor<B>& t, const Tensor<B>& position) { return rope_in_place(t, position, tables_); };
    return norm(detail::run_blocks_more(blocks, x, packing, rows, past, turn));
  }

  template <class V> void visit(V&& v) {
    v("blocks", blocks);
    v("norm", norm);
  }

  std::vector<DecoderBlock<RmsNorm<B>, SwigluFeedForward<B>>> blocks;
  RmsNorm<B> norm;

 private:
  DecoderOptions options_;
  RopeTables<B> tables_;
};

template <Backend B> class GptDecoder {
 public:
  using backend = B;
  GptDecoder(Context<B>& context, const DecoderOptions& o)
      : position((detail::check(o), context), o.positions, o.width, o.dtype), norm(context, o.width, o.dtype), options_(o) {
    for (std::int64_t i = 0; i < o.layers; ++i) blocks.emplace_back(context, o, true);
  }

  Tensor<B> decode(const Tensor<B>& x, const Packing<B>& packing, const Tensor<B>& rows) const {
    detail::check_length(packing, options_.positions);
    const auto turn = [](const Tensor<B>& t, const Tensor<B>&) { return t; };
    return norm(detail::run_blocks(blocks, x + position(packing.position), packing, rows, detail::every_row(x), turn));
  }

  Tensor<B> decode_more(const Tensor<B>& x, const Packing<B>& packing, const Tensor<B>& rows, KeyValues<B>& past) const {
    const NoGrad no_grad;
    detail::check_length(packing, options_.positions);
    const auto turn = [](const Tensor<B>& t, const Tensor<B>&) { return t; };
    const Tensor<B> own = position(slice(packing.position, 0, packing.tokens() - x.size(0), packing.tokens()));
    return norm(detail::run_blocks_more(blocks, x + own, packing, rows, past, turn));
  }

  template <class V> void visit(V&& v) {
    v("position", position);
    v("blocks", blocks);
    v("norm", norm);
  }

  Embedding<B> position;
  std::vector<DecoderBlock<LayerNorm<B>, GeluFeedForward<B>>> blocks;
  LayerNorm<B> norm;

 private:
  DecoderOptions options_;
};

}  // namespace chronotope
