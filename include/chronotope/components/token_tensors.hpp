#pragma once
// A batch of tokens on a device.

#include "chronotope/components/token_batch.hpp"

namespace chronotope {

/// Columns of the tokens of each kind, where they stand, and what is asked: Q tokens, for Nb blocks and Ni places in blocks.
template <Backend B> struct TokenTensors {
  TokenBatch host;
  Packing<B> packing;                              ///< of all T tokens
  Tensor<B> texts, blocks, types;                  ///< i32, one a token of the kind
  std::array<Tensor<B>, time_features> when;       ///< of contexts, i32 each
  std::array<Tensor<B>, geo_parts> user_where;     ///< of contexts
  Tensor<B> inners, categories, vectors;           ///< of inner tokens, i32
  std::array<Tensor<B>, geo_parts> place_where;    ///< of inner tokens
  Tensor<B> order;                                 ///< [T] i32: rows of texts, contexts, blocks, inners and types one after another
  Tensor<B> rows;                                  ///< [Q] i32 asked packed rows
  Tensor<B> block_asks, block_targets;             ///< [Nb] i32: which of the Q are asked for a block, and which came
  Tensor<B> inner_asks, inner_targets;             ///< [Ni] i32

  /// Throws DataError unless asked rows ascend within the tokens, ShapeError for prefixes that are none.
  TokenTensors(Context<B>& context, TokenBatch batch)
      : host(std::move(batch)), packing(context, host.lengths(), host.prefixes()), state_(context.state()) { fill(host); }

  /// The batch as the last tokens of `whole`, which has more in front: its asked rows become rows of the whole.
  TokenTensors(Context<B>& context, TokenBatch batch, Packing<B> whole)
      : host(std::move(batch)), packing(std::move(whole)), state_(context.state()), first_(static_cast<std::int32_t>(packing.tokens()) - host.tokens()) { fill(host); }

  /// Packed rows of the Q asked tokens and of the C contexts together, ascending, and where each of both stands among them.
  struct Reading {
    Tensor<B> rows, asked, contexts;  ///< i32: [R], [Q], [C]
  };
  Reading with_contexts() const {
    std::vector<std::int32_t> all, asked, contexts;
    auto ask = host.asks().begin();
    for (std::int32_t row = 0; row < host.tokens(); ++row) {
      const bool is_asked = ask != host.asks().end() && ask->row == row, is_context = host.kinds()[static_cast<std::size_t>(row)] == TokenKind::context;
      while (ask != host.asks().end() && ask->row == row) ++ask;
      if (is_asked) asked.push_back(static_cast<std::int32_t>(all.size()));
      if (is_context) contexts.push_back(static_cast<std::int32_t>(all.size()));
      if (is_asked || is_context) all.push_back(first_ + row);
    }
    return {upload(all), upload(asked), upload(contexts)};
  }

 private:
  void fill(const TokenBatch& batch) {
    texts = upload(batch.texts()), blocks = upload(batch.blocks()), types = upload(batch.types());
    for (std::size_t f = 0; f < time_features; ++f) when[f] = column(batch.contexts(), [f](const ContextInput& c) { return c.when[f]; });
    for (std::size_t f = 0; f < geo_parts; ++f) user_where[f] = column(batch.contexts(), [f](const ContextInput& c) { return c.where[f]; });
    for (std::size_t f = 0; f < geo_parts; ++f) place_where[f] = column(batch.inners(), [f](const InnerInput& i) { return i.where[f]; });
    inners = column(batch.inners(), [](const InnerInput& i) { return i.inner; });
    categories = column(batch.inners(), [](const InnerInput& i) { return i.category; });
    vectors = column(batch.inners(), [](const InnerInput& i) { return i.vector; });
    place_tokens(batch);
    place_asks(batch);
  }

  void place_tokens(const TokenBatch& batch) {
    std::array<std::size_t, token_kinds> next{};
    for (const TokenKind kind : batch.kinds())
      for (std::size_t later = static_cast<std::size_t>(kind) + 1; later < token_kinds; ++later) ++next[later];
    order = column(batch.kinds(), [&](TokenKind kind) { return static_cast<std::int32_t>(next[static_cast<std::size_t>(kind)]++); });
  }

  void place_asks(const TokenBatch& batch) {
    std::vector<std::int32_t> asked, of[2], targets[2];
    for (const Ask& ask : batch.asks()) {
      if (ask.row < 0 || ask.row >= batch.tokens() || (!asked.empty() && first_ + ask.row < asked.back()))
        throw DataError("[tokens] asked rows must not fall and lie within 0 .. " + std::to_string(batch.tokens() - 1) + ", found " + std::to_string(ask.row));
      if (asked.empty() || asked.back() != first_ + ask.row) asked.push_back(first_ + ask.row);
      if (ask.what == Question::state) continue;
      const int which = ask.what == Question::block ? 0 : 1;
      of[which].push_back(static_cast<std::int32_t>(asked.size()) - 1);
      targets[which].push_back(ask.target);
    }
    rows = upload(asked);
    block_asks = upload(of[0]), block_targets = upload(targets[0]);
    inner_asks = upload(of[1]), inner_targets = upload(targets[1]);
  }

  Tensor<B> upload(const std::vector<std::int32_t>& values) const {
    return Tensor<B>::from_host(state_, std::span<const std::int32_t>(values), {static_cast<std::int64_t>(values.size())});
  }
  template <class Rows, class F> Tensor<B> column(const Rows& rows, F&& value) const {
    std::vector<std::int32_t> values;
    values.reserve(rows.size());
    for (const auto& row : rows) values.push_back(value(row));
    return upload(values);
  }

  typename Tensor<B>::State state_;
  std::int32_t first_ = 0;
};

}  // namespace chronotope
