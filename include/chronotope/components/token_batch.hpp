#pragma once
// Sequences of tokens as Spacetime-GR reads them (3.2.1): the text of a profile, then (u, block, inner, a) for each action, then
// what is asked: u of a request, candidates.

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "chronotope/components/actions.hpp"

namespace chronotope {

enum class TokenKind : std::uint8_t {
  text,     ///< a piece of the profile
  context,  ///< u: when, and where the user is
  block,    ///< the block of a place
  inner,    ///< the place in its block, with its category and position
  type      ///< a: what was done
};
inline constexpr std::size_t token_kinds = 5;

/// A position on the host, degrees; not numbers where nobody knows.
struct TokenPosition {
  float latitude = std::numeric_limits<float>::quiet_NaN(), longitude = std::numeric_limits<float>::quiet_NaN();
  bool known() const { return latitude == latitude; }
};

/// The token u.
struct ContextInput {
  std::array<std::int32_t, time_features> when{};
  std::array<std::int32_t, geo_parts> where{};  ///< rows of the twelve geo tables, of the user's position
  std::int64_t local = 0;                       ///< wall clock, seconds; it and `at` are what pointers relate contexts by
  TokenPosition at = {};                        ///< of the user
};

/// The token of a place in its block; 0 stands for what is not known.
struct InnerInput {
  std::int32_t inner = 0, category = 0;
  std::array<std::int32_t, geo_parts> where{};  ///< of the place's position
  std::int32_t vector = 0;                      ///< row of the places' multimodal vectors
  TokenPosition at = {};                        ///< of the place
};

enum class Question : std::uint8_t {
  block,  ///< which block comes next
  inner,  ///< which place in its block
  state   ///< nothing but the hidden state
};

/// What is asked of a token. `target` is the id that came, 0 when nobody knows.
struct Ask {
  std::int32_t row = 0;  ///< packed row of the token
  Question what = Question::block;
  std::int32_t target = 0;
};

/// Sequences one after another, T tokens in all, and what is asked of them. Tokens are added at the end; the functions that
/// add one return its packed row.
class TokenBatch {
 public:
  /// Begins a sequence.
  void sequence() { branch({}); }
  /// Begins a piece of its own that also sees the packed rows `seen` of an earlier sequence, in front.
  void branch(Prefix seen) {
    lengths_.push_back(0);
    prefixes_.push_back(seen);
  }

  std::int32_t text(std::int32_t id) { return add(TokenKind::text, texts_, id); }
  std::int32_t context(const ContextInput& input) { return add(TokenKind::context, contexts_, input); }
  std::int32_t block(std::int32_t id) { return add(TokenKind::block, blocks_, id); }
  std::int32_t inner(const InnerInput& input) { return add(TokenKind::inner, inners_, input); }
  std::int32_t type(std::int32_t id) { return add(TokenKind::type, types_, id); }

  /// Asks the token in `row`. Rows must not fall; one token may be asked several things.
  void ask(std::int32_t row, Question what, std::int32_t target = 0) { asks_.push_back({row, what, target}); }

  std::int32_t tokens() const { return static_cast<std::int32_t>(kinds_.size()); }
  const std::vector<std::int32_t>& lengths() const { return lengths_; }
  const std::vector<Prefix>& prefixes() const { return prefixes_; }
  const std::vector<TokenKind>& kinds() const { return kinds_; }
  const std::vector<std::int32_t>& texts() const { return texts_; }
  const std::vector<std::int32_t>& blocks() const { return blocks_; }
  const std::vector<std::int32_t>& types() const { return types_; }
  const std::vector<ContextInput>& contexts() const { return contexts_; }
  const std::vector<InnerInput>& inners() const { return inners_; }
  const std::vector<Ask>& asks() const { return asks_; }

 private:
  template <class T> std::int32_t add(TokenKind kind, std::vector<T>& column, const T& value) {
    if (lengths_.empty()) throw DataError("[tokens] a token belongs to a sequence: begin one first");
    column.push_back(value);
    kinds_.push_back(kind);
    ++lengths_.back();
    return tokens() - 1;
  }

  std::vector<std::int32_t> lengths_;
  std::vector<Prefix> prefixes_;
  std::vector<TokenKind> kinds_;
  std::vector<std::int32_t> texts_, blocks_, types_;  // the n-th token of a kind is the n-th of its column
  std::vector<ContextInput> contexts_;
  std::vector<InnerInput> inners_;
  std::vector<Ask> asks_;
};

}  // namespace chronotope
