// Profiles as tokens: against a plain reference, on every kind of text, and damaged files.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "chronotope/components/text_tokenizer.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/core/stopwatch.hpp"

using chronotope::CountedText;
using chronotope::TextTokenizer;

namespace {

using Tokens = std::vector<std::int32_t>;
using Merges = std::vector<std::pair<std::int32_t, std::int32_t>>;

const std::vector<std::string> profiles{
    "age: 34; occupation: teacher; city: Berlin", "age: 35; occupation: teacher; city: Bern", "age: 34; occupation: nurse; city: Paris",
    "gender: f; age: 17; occupation: pupil",      "gender: m; age: 71; occupation: none",      "name: aaaaaaaaaa; x: aaaa aaaa"};

const std::vector<std::string> scripts{
    "\xE5\xB9\xB4\xE9\xBE\x84: 34; \xE8\x81\x8C\xE4\xB8\x9A: \xE6\x95\x99\xE5\xB8\x88", "\xD0\xB2\xD0\xBE\xD0\xB7\xD1\x80\xD0\xB0\xD1\x81\xD1\x82: 34",
    "\xD8\xA7\xD9\x84\xD8\xB9\xD9\x85\xD8\xB1: \xD9\xA3\xD9\xA4", "\xE0\xA4\x86\xE0\xA4\xAF\xE0\xA5\x81: 34", "\xF0\x9F\x8D\x9C; : ;;  x:", " ", ";", ""};

std::vector<CountedText> counted(const std::vector<std::string>& texts) {
  std::vector<CountedText> all;
  for (const std::string& text : texts) all.push_back({text, 1});
  return all;
}

TextTokenizer trained(std::int32_t vocabulary) { return TextTokenizer::train(counted(profiles), vocabulary); }

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  for (const char byte : text) {
    const bool separator = byte == ';' || byte == ':';
    if (all.empty() || separator || byte == ' ' || all.back() == ";" || all.back() == ":") all.emplace_back();
    all.back() += byte;
  }
  return all;
}

void apply(Tokens& tokens, std::pair<std::int32_t, std::int32_t> merge, std::int32_t made) {
  Tokens out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool both = i + 1 < tokens.size() && tokens[i] == merge.first && tokens[i + 1] == merge.second;
    out.push_back(both ? made : tokens[i]);
    i += both;
  }
  tokens = out;
}

Tokens of_bytes(const std::string& word) {
  Tokens tokens;
  for (const char byte : word) tokens.push_back(1 + static_cast<unsigned char>(byte));
  return tokens;
}

// As the definition says: everything counted anew for every merge.
Merges reference_merges(const std::vector<CountedText>& texts, std::size_t most) {
  std::vector<std::pair<Tokens, std::uint64_t>> all;
  std::map<std::int32_t, std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes[b + 1] = std::string(1, static_cast<char>(b));
  for (const CountedText& text : texts)
    for (const std::string& word : words(std::string(text.text))) all.emplace_back(of_bytes(word), text.count);
  Merges merges;
  while (merges.size() < most) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t> counts;
    for (const auto& [tokens, count] : all)
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) counts[{tokens[i], tokens[i + 1]}] += count;
    std::pair<std::int32_t, std::int32_t> best{0, 0};
    std::uint64_t highest = 1;
    for (const auto& [pair, count] : counts) {
      const auto& [l, r] = pair;
      if (bytes[l].size() + bytes[r].size() > 64) continue;
      const bool first = std::tie(bytes[l], bytes[r], l, r) < std::tie(bytes[best.first], bytes[best.second], best.first, best.second);
      if (count > highest || (count == highest && highest > 1 && first)) highest = count, best = pair;
    }
    if (highest < 2) break;
    const auto made = static_cast<std::int32_t>(257 + merges.size());
    bytes[made] = bytes[best.first] + bytes[best.second];
    for (auto& [tokens, count] : all) apply(tokens, best, made);
    merges.push_back(best);
  }
  return merges;
}

std::string json_of(const Merges& merges) {
  std::string text = "{\"merges\":[";
  for (const auto& [l, r] : merges) text += (text.back() == '[' ? "[" : ",[") + std::to_string(l) + "," + std::to_string(r) + "]";
  return text + "]}";
}

Tokens reference_encoding(const std::string& text, const Merges& merges) {
  Tokens all;
  for (const std::string& word : words(text)) {
    Tokens tokens = of_bytes(word);
    for (std::size_t m = 0; m < merges.size(); ++m) apply(tokens, merges[m], static_cast<std::int32_t>(257 + m));
    all.insert(all.end(), tokens.begin(), tokens.end());
  }
  return all;
}

std::string random_text(std::mt19937_64& random, const std::string& letters, std::size_t longest) {
  std::string text(random() % (longest + 1), ' ');
  for (char& byte : text) byte = letters.empty() ? static_cast<char>(random()) : letters[random() % letters.size()];
  return text;
}

}  // namespace

TEST_CASE("text tokenizer: learns and applies what a plain reference does") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 8; ++trial) {
    std::vector<std::string> texts;
    for (int i = 0; i < 40; ++i) texts.push_back(random_text(random, trial % 2 ? "aab:; " : "abcdefgh :", 40));
    std::vector<CountedText> all = counted(texts);
    for (CountedText& text : all) text.count = random() % 5;
    const Merges merges = reference_merges(all, 60);
    const TextTokenizer tokenizer = TextTokenizer::train(all, 257 + 60);
    REQUIRE(tokenizer.to_json() == json_of(merges));
    for (int i = 0; i < 40; ++i) {
      const std::string text = random_text(random, "aabcde:; ", 60);
      CAPTURE(text);
      CHECK(tokenizer.encode(text) == reference_encoding(text, merges));
    }
  }
}

TEST_CASE("text tokenizer: every string of bytes is encoded and decoded to itself") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> texts = scripts;
  texts.insert(texts.end(), profiles.begin(), profiles.end());
  for (int i = 0; i < 300; ++i) texts.push_back(random_text(random, "", 200));
  for (const TextTokenizer& tokenizer : {TextTokenizer(), trained(300), TextTokenizer::train(counted(texts), 2000)})
    for (const std::string& text : texts) {
      const Tokens tokens = tokenizer.encode(text);
      CHECK(tokenizer.decode(tokens) == text);
      for (const std::int32_t token : tokens) {
        CHECK(token > 0);
        CHECK(token < tokenizer.vocabulary());
      }
      CHECK(tokens.size() <= text.size());
    }
}

TEST_CASE("text tokenizer: no token spans two fields, and a field's tokens depend on it alone") {
  const TextTokenizer tokenizer = trained(1000);
  CHECK(tokenizer.vocabulary() < 1000);  // pairs that occur once are left
  CHECK(tokenizer.encode(" teacher").size() == 1);
  for (std::int32_t token = TextTokenizer::first_merge; token < tokenizer.vocabulary(); ++token) {
    const std::string text = tokenizer.decode(Tokens{token});
    CHECK(text.size() > 1);
    CHECK(text.size() <= TextTokenizer::most_token_bytes);
    CHECK(text.find_first_of(";:") == text.npos);
    CHECK(text.find(' ', 1) == text.npos);
  }
  const Tokens whole = tokenizer.encode("age: 34; occupation: nurse");
  Tokens parts = tokenizer.encode("age: 34;");
  const Tokens second = tokenizer.encode(" occupation: nurse");
  parts.insert(parts.end(), second.begin(), second.end());
  CHECK(whole == parts);
}

TEST_CASE("text tokenizer: at most so many tokens, the first ones") {
  const TextTokenizer tokenizer = trained(300);
  for (const std::string& text : profiles) {
    const Tokens all = tokenizer.encode(text);
    for (std::size_t most = 0; most <= all.size() + 1; ++most)
      CHECK(tokenizer.encode(text, most) == Tokens(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()))));
  }
}

TEST_CASE("text tokenizer: decoding stops at the end and refuses what is no token") {
  const TextTokenizer tokenizer = trained(280);
  CHECK(tokenizer.decode(Tokens{'a' + 1, 0, 'b' + 1}) == "a");
  CHECK(tokenizer.decode(Tokens{1}) == std::string(1, '\0'));
  CHECK_THROWS_AS(tokenizer.decode(Tokens{-1}), chronotope::DataError);
  CHECK_THROWS_AS(tokenizer.decode(Tokens{280}), chronotope::DataError);
}

TEST_CASE("text tokenizer: neither the order of the texts nor how counts are split up matters") {
  std::vector<CountedText> texts = counted(profiles);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].count = 1 + i % 3;
  const std::string json = TextTokenizer::train(texts, 320).to_json();
  std::vector<CountedText> split;
  for (const CountedText& text : texts)
    for (std::uint64_t i = 0; i < text.count; ++i) split.insert(split.begin(), {text.text, 1});
  CHECK(TextTokenizer::train(split, 320).to_json() == json);
  CHECK(TextTokenizer::parse(json).to_json() == json);
  CHECK(TextTokenizer::parse(json).encode(profiles[0]) == TextTokenizer::train(texts, 320).encode(profiles[0]));
}

TEST_CASE("text tokenizer: settings and counts that cannot be are refused") {
  CHECK_THROWS_AS(trained(256), chronotope::ConfigError);
  CHECK_THROWS_AS(trained(65537), chronotope::ConfigError);
  CHECK(trained(257).vocabulary() == 257);
  CHECK(TextTokenizer::train({}, 300).vocabulary() == 257);
  const std::vector<CountedText> many{{"aa", std::uint64_t{1} << 61}, {"bb", 1}};
  CHECK_THROWS_AS(TextTokenizer::train(many, 300), chronotope::DataError);
}

TEST_CASE("text tokenizer: a mebibyte of one letter, or a long random word, takes no quadratic time") {
  const std::string same(std::size_t{1} << 20, 'a');
  const chronotope::Stopwatch watch;
  const TextTokenizer tokenizer = TextTokenizer::train(std::vector<CountedText>{{same, 1}}, 300);
  CHECK(tokenizer.vocabulary() == 257 + 6);  // 2, 4, ... 64 letters
  const Tokens tokens = tokenizer.encode(same);
  CHECK(tokens.size() == same.size() / 64);
  CHECK(tokenizer.decode(tokens) == same);
  CHECK(tokenizer.encode(std::string(1000001, 'a')).size() == 1000001 / 64 + 1);
  std::mt19937_64 random(7);
  std::string mixed(std::size_t{1} << 18, 'a');
  for (char& byte : mixed) byte = static_cast<char>('a' + random() % 3);
  const TextTokenizer few = TextTokenizer::train(std::vector<CountedText>{{std::string_view(mixed).substr(0, 10000), 1}}, 400);
  CHECK(few.decode(few.encode(mixed)) == mixed);
  CHECK(watch.seconds() < 30);  // quadratic time takes hours
}

TEST_CASE("text tokenizer: damaged files are refused") {
  const auto refused = [](const std::string& json, const std::string& rule) {
    CAPTURE(json.substr(0, 80));
    std::string error;
    try {
      TextTokenizer::parse(json);
    } catch (const chronotope::FormatError& e) {
      error = e.what();
    }
    CAPTURE(error);
    CHECK(error.find(rule) != error.npos);
  };
  for (const char* no : {"", "[]", "{}", "{\"merges\":1}", "{\"merges\":[],\"more\":1}", "{\"merges\":[}", "\xff"}) refused(no, "and nothing else");
  refused(json_of({{0, 1}}), "earlier tokens");
  refused(json_of({{257, 1}}), "earlier tokens");
  refused(json_of({{98, -1}}), "earlier tokens");
  refused("{\"merges\":[[98,99],[98]]}", "merge 1 (from 0) is not of two");
  refused("{\"merges\":[[98,99.0]]}", "earlier tokens");
  refused("{\"merges\":[[98,\"99\"]]}", "earlier tokens");
  refused("{\"merges\":[[98,18446744073709551615]]}", "earlier tokens");
  refused("{\"merges\":[[[[1]]]]}", "too deeply");
  refused(json_of({{98, 99}, {98, 99}}), "made before");
  refused(json_of({{98, ';' + 1}}), "end of a word");
  refused(json_of({{':' + 1, 98}}), "end of a word");
  refused(json_of({{98, ' ' + 1}}), "end of a word");
  refused(json_of({{98, 98}, {257, 257}, {258, 258}, {259, 259}, {260, 260}, {261, 261}, {262, 262}}), "more than 64 bytes");
  refused(std::string(5 << 20, ' '), "more than any has");
  CHECK(TextTokenizer::parse(json_of({{' ' + 1, 98}})).encode(" aa") == Tokens{257, 98});
}

TEST_CASE("text tokenizer: a turned bit gives a tokenizer or an error of ours") {
  const std::string good = trained(270).to_json();
  int refused = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    try {
      const TextTokenizer tokenizer = TextTokenizer::parse(bad);
      CHECK(tokenizer.decode(tokenizer.encode(profiles[0])) == profiles[0]);
    } catch (const chronotope::FormatError&) {
      ++refused;
    }
  }
  CHECK(refused > static_cast<int>(good.size()) * 2);
}
