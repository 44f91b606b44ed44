// Learning the merges of a TextTokenizer.

#include <algorithm>
#include <queue>
#include <unordered_set>

#include "chronotope/components/text_tokenizer.hpp"
#include "chronotope/core/error.hpp"
#include "text_words.hpp"

namespace chronotope {
namespace {

/// Distinct words and how often they occur.
std::unordered_map<std::string, std::uint64_t> count_words(std::span<const CountedText> texts) {
  constexpr std::uint64_t most = std::uint64_t{1} << 62;  // sums of counts of pairs stay below it
  std::uint64_t bytes = 0;
  std::unordered_map<std::string, std::uint64_t> words;
  for (CountedText t : texts) {
    if (t.count != 0 && t.text.size() > (most - bytes) / t.count)
      throw DataError("the texts to learn tokens from add up to more than 2^62 bytes; give smaller counts");
    bytes += t.text.size() * t.count;
    while (t.count != 0 && !t.text.empty()) words[std::string(take_word(t.text))] += t.count;
  }
  return words;
}

}  // namespace

/// Counts of all pairs of neighbours, kept up to date merge by merge. A merge can only lower the counts of pairs that
/// were there before, so a queue with outdated counts is enough: whatever comes out with too high a count goes back.
class TextTokenizer::Learner {
 public:
  Learner(TextTokenizer& tokenizer, const std::unordered_map<std::string, std::uint64_t>& words) : tokenizer_(tokenizer) {
    for (const auto& [text, count] : words) {
      Word word{{}, count};
      for (const char byte : text) word.tokens.push_back(byte_token(byte));
      words_.push_back(std::move(word));
      for (std::size_t at = 0; at + 1 < text.size(); ++at) count_pair(words_.size() - 1, at);
    }
    for (const auto& [pair, state] : pairs_) offer(pair);
  }

  void learn(std::int32_t vocabulary) {
    while (tokenizer_.vocabulary() < vocabulary && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const std::uint64_t count = pairs_.at(best.pair).count;
      if (count == best.count) merge(best.pair);
      else offer(best.pair);
    }
  }

 private:
  struct Word {
    std::vector<std::int32_t> tokens;
    std::uint64_t count;
  };
  struct PairState {
    std::uint64_t count = 0;
    std::vector<std::size_t> words;  // that have held the pair
  };
  struct Candidate {
    std::uint64_t count;
    std::uint64_t pair;
    const TextTokenizer* tokenizer;

    const std::string& left() const { return tokenizer->bytes_[pair >> 32]; }
    const std::string& right() const { return tokenizer->bytes_[pair & 0xFFFFFFFF]; }
    bool operator<(const Candidate& o) const {
      if (count != o.count) return count < o.count;
      if (left() != o.left()) return left() > o.left();
      if (right() != o.right()) return right() > o.right();
      return pair > o.pair;  // the same bytes, made in different ways
    }
  };

  void offer(std::uint64_t pair) {
    const std::uint64_t count = pairs_.at(pair).count;
    const Pair tokens{static_cast<std::int32_t>(pair >> 32), static_cast<std::int32_t>(pair & 0xFFFFFFFF)};
    if (count >= 2 && !tokenizer_.fault(tokens)) queue_.push({count, pair, &tokenizer_});
  }

  std::uint64_t pair_at(const Word& word, std::size_t at) const { return key({word.tokens[at], word.tokens[at + 1]}); }

  /// Counts the pair at `at` of a word and remembers that the word holds it.
  void count_pair(std::size_t number, std::size_t at) {
    PairState& state = pairs_[pair_at(words_[number], at)];
    state.count += words_[number].count;
    if (state.words.empty() || state.words.back() != number) state.words.push_back(number);
  }

  void merge(std::uint64_t pair) {
    const Pair two{static_cast<std::int32_t>(pair >> 32), static_cast<std::int32_t>(pair & 0xFFFFFFFF)};
    const std::int32_t made = tokenizer_.vocabulary();
    tokenizer_.add(two);
    const std::vector<std::size_t> holders = std::move(pairs_[pair].words);
    std::unordered_set<std::uint64_t> fresh;
    for (const std::size_t number : holders) merge_in(number, two, made, fresh);
    for (const std::uint64_t new_pair : fresh) offer(new_pair);
  }

  /// Only pairs beside a merge change their counts.
  void merge_in(std::size_t number, Pair two, std::int32_t made, std::unordered_set<std::uint64_t>& fresh) {
    std::vector<std::int32_t>& tokens = words_[number].tokens;
    std::size_t to = 0, uncounted = 0;  // pairs before `uncounted` are through
    for (std::size_t from = 0; from < tokens.size(); ++from, ++to) {
      const bool both = from + 1 < tokens.size() && tokens[from] == two.first && tokens[from + 1] == two.second;
      if (both) {
        for (std::size_t at = std::max(uncounted, from - (from > 0)); at < from + 2 && at + 1 < tokens.size(); ++at)
          pairs_.at(pair_at(words_[number], at)).count -= words_[number].count;
        uncounted = from + 2;
      }
      tokens[to] = both ? made : tokens[from];  // behind `from` nothing is overwritten
      from += both;
    }
    tokens.resize(to);
    for (std::size_t at = 0; at + 1 < to; ++at) {
      if (tokens[at] != made && tokens[at + 1] != made) continue;
      count_pair(number, at);
      fresh.insert(pair_at(words_[number], at));
    }
  }

  TextTokenizer& tokenizer_;
  std::vector<Word> words_;
  std::unordered_map<std::uint64_t, PairState> pairs_;
  std::priority_queue<Candidate> queue_;
};

TextTokenizer TextTokenizer::train(std::span<const CountedText> texts, std::int32_t vocabulary) {
  if (vocabulary < first_merge || vocabulary > most_tokens)
    throw ConfigError("a text tokenizer of " + std::to_string(vocabulary) + " tokens; at least 257 and at most 65,536 are possible");
  TextTokenizer tokenizer;
  Learner(tokenizer, count_words(texts)).learn(vocabulary);
  return tokenizer;
}

}  // namespace chronotope
