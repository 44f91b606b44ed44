#include "chronotope/components/text_tokenizer.hpp"

#include <nlohmann/json.hpp>
#include <queue>

#include "chronotope/core/error.hpp"
#include "text_words.hpp"

namespace chronotope {
namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t longest_json = std::size_t{4} << 20;  // 65,536 merges take 1 MB

}  // namespace

TextTokenizer::TextTokenizer() : bytes_(first_merge) {
  for (int byte = 0; byte < 256; ++byte) bytes_[static_cast<std::size_t>(byte) + 1] = std::string(1, static_cast<char>(byte));
}

void TextTokenizer::add(Pair pair) {
  made_.emplace(key(pair), vocabulary());
  bytes_.push_back(bytes_[static_cast<std::size_t>(pair.first)] + bytes_[static_cast<std::size_t>(pair.second)]);
  merges_.push_back(pair);
}

const char* TextTokenizer::fault(Pair pair) const {
  const std::string &left = bytes_[static_cast<std::size_t>(pair.first)], &right = bytes_[static_cast<std::size_t>(pair.second)];
  if (!in_one_word(left, right)) return "crosses the end of a word";
  if (left.size() + right.size() > most_token_bytes) return "makes a token of more than 64 bytes";
  return nullptr;
}

/// A word while its neighbours are merged, earliest merges first and among equals from the left: which gives what
/// applying one merge after another to the whole word gives, as a merge's token only takes part in later ones.
class TextTokenizer::Word {
 public:
  Word(const TextTokenizer& tokenizer, std::string_view bytes) : tokenizer_(tokenizer) {
    if (bytes.size() >= none) throw DataError("a word of " + std::to_string(bytes.size()) + " bytes has too many to be encoded");
    const auto size = static_cast<std::uint32_t>(bytes.size());
    parts_.resize(size);
    for (std::uint32_t i = 0; i < size; ++i) parts_[i] = {byte_token(bytes[i]), i - 1, i + 1 < size ? i + 1 : none};
    for (std::uint32_t i = 0; i + 1 < size; ++i) offer(i);
    while (!offers_.empty()) {
      const Offer offer = offers_.top();
      offers_.pop();
      if (made_at(offer.at) == offer.token) merge(offer);
    }
  }

  /// Appends the tokens, up to `most` in all.
  void append_to(std::vector<std::int32_t>& tokens, std::size_t most) const {
    for (std::uint32_t at = 0; at != none && tokens.size() < most; at = parts_[at].next) tokens.push_back(parts_[at].token);
  }

 private:
  struct Part {
    std::int32_t token;  // 0 once it was merged into the part before
    std::uint32_t previous, next;  // of the first: none, which is what 0 - 1 gives
  };
  struct Offer {
    std::int32_t token;
    std::uint32_t at;
    bool operator<(const Offer& o) const { return token != o.token ? token > o.token : at > o.at; }
  };

  /// What the part and the one behind it are merged into; 0 for nothing.
  std::int32_t made_at(std::uint32_t at) const {
    const Part& part = parts_[at];
    if (part.token == 0 || part.next == none) return 0;
    const auto found = tokenizer_.made_.find(key({part.token, parts_[part.next].token}));
    return found == tokenizer_.made_.end() ? 0 : found->second;
  }
  void offer(std::uint32_t at) {
    if (const std::int32_t token = made_at(at)) offers_.push({token, at});
  }
  void merge(const Offer& offered) {
    Part& part = parts_[offered.at];
    Part& swallowed = parts_[part.next];
    part = {offered.token, part.previous, swallowed.next};
    swallowed.token = 0;
    if (part.next != none) parts_[part.next].previous = offered.at;
    if (part.previous != none) offer(part.previous);
    offer(offered.at);
  }

  const TextTokenizer& tokenizer_;
  std::vector<Part> parts_;
  std::priority_queue<Offer> offers_;
};

std::vector<std::int32_t> TextTokenizer::encode(std::string_view text, std::size_t most) const {
  std::vector<std::int32_t> tokens;
  while (!text.empty() && tokens.size() < most) Word(*this, take_word(text)).append_to(tokens, most);
  return tokens;
}

std::string TextTokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) {
    if (token == end) break;
    if (token < 0 || token >= vocabulary())
      throw DataError(std::to_string(token) + " is no token of text; they are 0 to " + std::to_string(vocabulary() - 1));
    text += bytes_[static_cast<std::size_t>(token)];
  }
  return text;
}

std::string TextTokenizer::to_json() const { return nlohmann::json{{"merges", merges_}}.dump(); }

TextTokenizer TextTokenizer::parse(const std::string& json) {
  const auto fail = [](const std::string& what) { throw FormatError("the text tokenizer is damaged: " + what); };
  if (json.size() > longest_json) fail(std::to_string(json.size()) + " bytes are more than any has");
  const auto watch = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > 3) fail("it nests too deeply");
    return true;
  };
  const auto content = nlohmann::json::parse(json, watch, false);
  if (!content.is_object() || content.size() != 1 || !content.contains("merges") || !content["merges"].is_array())
    fail("an object with a list \"merges\" and nothing else is wanted");
  TextTokenizer tokenizer;
  if (content["merges"].size() > most_tokens - first_merge) fail("it has more than 65,536 tokens");
  for (const auto& merge : content["merges"]) {
    const std::string title = "merge " + std::to_string(tokenizer.merges_.size()) + " (from 0) ";
    const auto known = [&](const nlohmann::json& t) {
      return t.is_number_unsigned() && t.get<std::uint64_t>() > 0 && t.get<std::uint64_t>() < static_cast<std::uint64_t>(tokenizer.vocabulary());
    };
    if (!merge.is_array() || merge.size() != 2 || !known(merge[0]) || !known(merge[1])) fail(title + "is not of two earlier tokens");
    const Pair pair{merge[0].get<std::int32_t>(), merge[1].get<std::int32_t>()};
    if (const char* broken = tokenizer.fault(pair)) fail(title + broken);
    if (tokenizer.made_.contains(key(pair))) fail(title + "was made before");
    tokenizer.add(pair);
  }
  return tokenizer;
}

}  // namespace chronotope
