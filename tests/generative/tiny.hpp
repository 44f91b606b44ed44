#pragma once
// Models of actions at tiny sizes in f64, batches of made-up tokens, and a small index of places.

#include <map>
#include <random>

#include "chronotope/components/decoder.hpp"
#include "chronotope/components/token_encoder.hpp"
#include "chronotope/components/token_pointer_head.hpp"
#include "chronotope/models/generative_model.hpp"
#include "chronotope/models/place_beams.hpp"
#include "components/tiny.hpp"
#include "data/geo_places.hpp"

namespace chronotope::test {

struct TinyShape {
  std::int64_t blocks = 4, inners = 5, vector_width = 0;
  FusionWeights fusion = FusionWeights::fixed;
  bool spacetime = true;
};

inline TokenEncoderOptions tiny_tokens(const TinyShape& s) {
  return {tiny_width, 6, s.blocks, s.inners, tiny_categories, 3, tiny_geo_rows + 1, s.vector_width, s.spacetime, true, s.fusion, 0, DType::f64};
}

/// What models with the history pointer have.
template <class Head> std::optional<CandidatePointer<Reference>> tiny_candidates(std::int64_t categories = tiny_categories, std::int64_t places = 3) {
  if constexpr (!std::is_same_v<Head, TokenPointerHead<Reference>>) return {};
  else return CandidatePointer<Reference>(context(), {{tiny_width, 2, 3, DType::f64, TokenPointerBins::weekday, TokenPointerBins::distance, categories}, places, 4});
}

template <class Decoder = LlamaDecoder<Reference>, class Head = TypedHead<Reference>> auto tiny_generative(const TinyShape& s = {}) {
  return GenerativeModel(context(), TokenEncoder<Reference>(context(), tiny_tokens(s)), Decoder(context(), tiny_decoder()),
                         Head(context(), {tiny_width, s.blocks, s.inners, DType::f64, 2, 3, tiny_categories}), 4, DType::f64, tiny_candidates<Head>());
}

/// Tokens whose ids follow from a seed.
struct TokenMaker {
  std::mt19937_64 random;
  TinyShape shape;
  std::int64_t local = 0;
  explicit TokenMaker(std::uint64_t seed, TinyShape shape = {}) : random(seed), shape(shape) {}

  std::int32_t below(std::int64_t n) { return static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(n)); }
  template <std::size_t N> std::array<std::int32_t, N> ids(std::int64_t n) {
    std::array<std::int32_t, N> all{};
    for (auto& id : all) id = below(n);
    return all;
  }
  TokenPosition position() { return below(4) == 0 ? TokenPosition{} : TokenPosition{40 + 0.01f * static_cast<float>(below(30)), 3 + 0.01f * static_cast<float>(below(30))}; }
  ContextInput context() {
    local += 60 * below(3000);
    return {{below(12), below(31), below(7), below(24)}, ids<geo_parts>(tiny_geo_rows + 1), local, position()};
  }
  InnerInput inner() { return {below(shape.inners), below(tiny_categories), ids<geo_parts>(tiny_geo_rows + 1), below(3), position()}; }

  /// The tokens of an action; asks for its place when `asked`.
  void action(TokenBatch& batch, bool asked) {
    std::int32_t row = batch.context(context());
    if (shape.blocks > 0) {
      if (asked) batch.ask(row, Question::block, below(shape.blocks));
      row = batch.block(below(shape.blocks));
    }
    if (asked) batch.ask(row, Question::inner, below(shape.inners));
    batch.inner(inner());
    batch.type(below(3));
  }
  void text(TokenBatch& batch, int n) {
    for (int i = 0; i < n; ++i) batch.text(below(6));
  }
};

/// Gradients of every parameter of a loss.
template <class Model> std::map<std::string, std::vector<double>> gradients(Model& model, const T& loss) {
  backward(loss);
  std::map<std::string, std::vector<double>> all;
  for (auto& [path, p] : named_parameters(model)) {
    if (!p.gradient().empty()) all[path] = testing::collected_gradient(p);
    p.zero_grad();
  }
  return all;
}

inline void check_gradients(const std::map<std::string, std::vector<double>>& got, const std::map<std::string, std::vector<double>>& want) {
  REQUIRE(want.size() == got.size());
  for (const auto& [path, values] : want) {
    CAPTURE(path);
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < values.size(); ++i) apart = std::max(apart, std::abs(values[i] - got.at(path)[i])), size = std::max(size, std::abs(values[i]));
    CHECK(apart <= 1e-10 * (1 + size));
  }
}

/// Two sequences with profiles, some actions asked for.
inline TokenBatch made_up_tokens(std::uint64_t seed, const TinyShape& shape = {}) {
  TokenMaker make(seed, shape);
  TokenBatch batch;
  for (const int actions : {3, 2}) {
    batch.sequence();
    make.text(batch, 2);
    for (int i = 0; i < actions; ++i) make.action(batch, i > 0);
  }
  return batch;
}

}  // namespace chronotope::test
