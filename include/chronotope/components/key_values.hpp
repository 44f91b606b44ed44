#pragma once
// Keys and values of tokens that were decoded before, so that whatever follows them costs only itself.

#include "chronotope/ops/attention.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Room for the keys and values of T tokens in every block of a decoder: 2 x layers x D values a token, and up to a quarter more.
/// Serving only: nothing is recorded.
template <Backend B> class KeyValues {
 public:
  struct Block {
    Tensor<B> keys, values;  ///< [capacity, H, D / H]; of the first tokens() rows
  };

  std::int64_t tokens() const { return tokens_; }
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const Block& b : blocks_) sum += 2 * b.keys.elements() * static_cast<std::int64_t>(size_of(b.keys.dtype()));
    return sum;
  }

  /// Forgets the tokens from `count` on. Throws ShapeError when there are fewer.
  void keep(std::int64_t count) {
    if (count < 0 || count > tokens_) throw ShapeError("[key_values] cannot keep " + std::to_string(count) + " of " + std::to_string(tokens_) + " tokens");
    tokens_ = count;
  }

  /// Puts the keys and values [N, H, d] of the tokens after the first tokens() into a block's room, and returns those of all
  /// tokens() + N. The last block's call ends with advance().
  Block put(std::size_t block, std::size_t blocks, const Tensor<B>& k, const Tensor<B>& v) {
    if (blocks_.empty()) blocks_.resize(blocks);
    const std::int64_t wanted = tokens_ + k.size(0);
    Block& room = blocks_[block];
    room.keys = grown(room.keys, k, wanted), room.values = grown(room.values, v, wanted);
    write(room.keys, k), write(room.values, v);
    return {slice(room.keys, 0, 0, wanted), slice(room.values, 0, 0, wanted)};
  }
  void advance(std::int64_t more) { tokens_ += more; }

 private:
  /// A quarter more than is wanted when the room does not suffice: appending costs O(1) copies a token, and what is asked of a user
  /// just encoded finds room.
  Tensor<B> grown(const Tensor<B>& room, const Tensor<B>& like, std::int64_t wanted) const {
    if (room.defined() && room.size(0) >= wanted) return room;
    Tensor<B> larger(like.state(), {wanted + wanted / 4, like.size(1), like.size(2)}, like.dtype());
    if (tokens_ > 0) B::copy(like.stream(), slice(larger, 0, 0, tokens_).view(), slice(room, 0, 0, tokens_).view());
    return larger;
  }
  void write(const Tensor<B>& room, const Tensor<B>& rows) const {
    if (rows.size(0) > 0) B::copy(rows.stream(), slice(room, 0, tokens_, tokens_ + rows.size(0)).view(), rows.view());
  }

  std::vector<Block> blocks_;
  std::int64_t tokens_ = 0;
};

}  // namespace chronotope
