#pragma once
// Shared by the benchmarks of the model of actions: its sizes, tokens made up from a seed, options of a command line.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/components/token_batch.hpp"
#include "chronotope/models/make_generative_model.hpp"

namespace chronotope::bench {

/// The model that issue and paper speak of: 12 x 768, blocks and places in them 400,000 rows together.
struct ModelSizes {
  std::int64_t layers = 12, width = 768, heads = 32, feed_forward = 2048;
  std::int64_t blocks = 100000, inners = 300000, categories = 400, types = 6, geo_rows = 2049, texts = 512;
  std::int64_t actions = 128, profile = 16;
  bool joint = true;
};

inline Config config_of(const ModelSizes& s) {
  Config config;
  config.model.layers = s.layers, config.model.width = s.width, config.model.heads = s.heads, config.model.feed_forward = s.feed_forward;
  config.model.length = s.actions;
  config.actions.head = s.joint ? "joint" : "typed", config.actions.profile_tokens = s.profile;
  return config;
}

inline AnyGenerativeModel<any_backend> make_model(Context<any_backend>& context, const ModelSizes& s) {
  return make_generative_model(context, config_of(s), GenerativeSizes{s.blocks, s.inners, s.categories, s.types, s.geo_rows, s.texts});
}

/// Tokens whose ids follow from a seed.
class TokenMaker {
 public:
  TokenMaker(const ModelSizes& sizes, std::uint64_t seed) : sizes_(sizes), random_(seed) {}

  void profile(TokenBatch& batch) {
    for (std::int64_t i = 0; i < sizes_.profile; ++i) batch.text(below(sizes_.texts));
  }
  ContextInput context() { return {{below(12), below(31), below(7), below(24)}, where()}; }
  InnerInput inner() { return {known(sizes_.inners), below(sizes_.categories), where(), 0}; }
  std::int32_t block() { return known(sizes_.blocks); }
  std::int32_t type() { return below(sizes_.types); }
  /// A whole action.
  void action(TokenBatch& batch) {
    batch.context(context());
    batch.block(block());
    batch.inner(inner());
    batch.type(type());
  }
  /// A sequence: profile, then whole actions.
  void history(TokenBatch& batch) {
    batch.sequence();
    profile(batch);
    for (std::int64_t i = 0; i < sizes_.actions; ++i) action(batch);
  }

 private:
  std::int32_t below(std::int64_t n) { return static_cast<std::int32_t>(random_() % static_cast<std::uint64_t>(n)); }
  std::int32_t known(std::int64_t rows) { return 1 + below(rows - 1); }
  std::array<std::int32_t, geo_parts> where() {
    std::array<std::int32_t, geo_parts> rows{};
    for (std::int32_t& row : rows) row = below(sizes_.geo_rows);
    return rows;
  }

  const ModelSizes& sizes_;
  std::mt19937_64 random_;
};

/// Whole numbers of a command line, "--name 7", and words of two, "--head joint".
class CommandLine {
 public:
  void number(const std::string& name, std::int64_t& value, std::int64_t least) { numbers_.push_back({name, &value, least}); }
  void word(const std::string& name, bool& value, const std::string& yes, const std::string& no) { words_.push_back({name, &value, yes, no}); }
  void sizes(ModelSizes& s) {
    number("--layers", s.layers, 1), number("--width", s.width, 12), number("--heads", s.heads, 1), number("--feed-forward", s.feed_forward, 1);
    number("--blocks", s.blocks, 2), number("--inners", s.inners, 2), number("--actions", s.actions, 2), number("--profile", s.profile, 0);
    word("--head", s.joint, "joint", "typed");
  }

  /// Says what is possible and ends the program for anything else.
  void read(int argc, char** argv) const {
    for (int i = 1; i < argc; i += 2)
      if (i + 1 >= argc || !set(argv[i], argv[i + 1])) help(argv[0]);
  }

 private:
  struct Number {
    std::string name;
    std::int64_t* value;
    std::int64_t least;
  };
  struct Word {
    std::string name;
    bool* value;
    std::string yes, no;
  };

  bool set(const std::string& name, const std::string& text) const {
    for (const Word& w : words_)
      if (w.name == name && (text == w.yes || text == w.no)) return *w.value = text == w.yes, true;
    for (const Number& n : numbers_) {
      if (n.name != name) continue;
      char* end = nullptr;
      *n.value = std::strtoll(text.c_str(), &end, 10);
      return *end == 0 && !text.empty() && *n.value >= n.least;
    }
    return false;
  }
  [[noreturn]] void help(const char* program) const {
    std::fprintf(stderr, "%s takes", program);
    for (const Number& n : numbers_) std::fprintf(stderr, " [%s N]", n.name.c_str());
    for (const Word& w : words_) std::fprintf(stderr, " [%s %s|%s]", w.name.c_str(), w.yes.c_str(), w.no.c_str());
    std::fprintf(stderr, "\n");
    std::exit(2);
  }

  std::vector<Number> numbers_;
  std::vector<Word> words_;
};

}  // namespace chronotope::bench
