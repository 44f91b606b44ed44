#pragma once
// Text of user profiles ("age: 34; occupation: teacher") as tokens: byte pair encoding over bytes (Sennrich et al.,
// "Neural machine translation of rare words with subword units", ACL 2016), so that any text of any script has tokens.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chronotope {

/// A text and how often it occurs.
struct CountedText {
  std::string_view text;
  std::uint64_t count = 1;
};

/// Token 0 is the end of a profile and what pads it, tokens 1 to 256 are the bytes 0 to 255, token 257 + m is what
/// merge m makes of two earlier tokens. Text is cut into words first: ';' and ':' are words of their own, a blank
/// begins a word. No token spans two words, so a field's tokens do not depend on the fields beside it.
class TextTokenizer {
 public:
  static constexpr std::int32_t end = 0, first_merge = 257;
  static constexpr std::int32_t most_tokens = 65536;     ///< the largest vocabulary
  static constexpr std::size_t most_token_bytes = 64;    ///< no merge makes a longer token

  /// Bytes only.
  TextTokenizer();

  /// Learns merges until there are `vocabulary` tokens: each time of the pair of neighbours that occurs most often
  /// (three times in "aaaa"), and among equals of the pair whose bytes come first. Pairs that occur once are not merged, so there may be fewer
  /// tokens. A function of the texts and their counts, not of their order. Time O(bytes of distinct words x merges) at
  /// worst, much less where words are short: a merge visits the words that hold its pair. Memory O(bytes of distinct
  /// words). Throws ConfigError for a vocabulary outside 257 to most_tokens, DataError where counts add up to 2^62
  /// bytes or more.
  static TextTokenizer train(std::span<const CountedText> texts, std::int32_t vocabulary);

  /// Number of tokens, token 0 included.
  std::int32_t vocabulary() const { return first_merge + static_cast<std::int32_t>(merges_.size()); }

  /// The first `most` tokens of the text; token 0 is not among them. Any bytes. O(n log n) time and O(n) memory for the
  /// longest word of n bytes; words behind the last token wanted are not looked at. Throws DataError for a word of 2^32
  /// bytes or more.
  std::vector<std::int32_t> encode(std::string_view text,
                                   std::size_t most = std::numeric_limits<std::size_t>::max()) const;

  /// The text of tokens up to the first 0; decode(encode(text)) is the text. Throws DataError for a number that is no
  /// token.
  std::string decode(std::span<const std::int32_t> tokens) const;

  /// {"merges": [[left, right], ...]}; parse reads nothing else. Throws FormatError for text that is longer than any
  /// tokenizer's, or no JSON of this form; for a merge of tokens that are not there yet, of a pair merged before, into
  /// too long a token or across words.
  std::string to_json() const;
  static TextTokenizer parse(const std::string& json);

 private:
  using Pair = std::pair<std::int32_t, std::int32_t>;
  static constexpr std::uint64_t key(Pair p) {
    return std::uint64_t{static_cast<std::uint32_t>(p.first)} << 32 | static_cast<std::uint32_t>(p.second);
  }

  class Learner;
  class Word;
  /// What is wrong with merging the two; nothing when nothing is.
  const char* fault(Pair pair) const;
  void add(Pair pair);

  std::vector<Pair> merges_;
  std::vector<std::string> bytes_;                        // of each token
  std::unordered_map<std::uint64_t, std::int32_t> made_;  // the token that a pair is merged into
};

}  // namespace chronotope
