#pragma once
// Components at tiny sizes in f64, and a batch of made-up actions.

#include "chronotope/models/spacetime_gr.hpp"
#include "ops/support.hpp"

namespace chronotope::test {

inline constexpr std::int64_t tiny_width = 12, tiny_places = 6, tiny_categories = 3, tiny_geo_rows = 5;

inline EncoderOptions tiny_encoder(double dropout = 0) {
  return {tiny_width, tiny_places, tiny_categories, tiny_geo_rows, dropout, DType::f64};
}
inline DecoderOptions tiny_decoder(double dropout = 0) { return {2, tiny_width, 2, 8, 32, dropout, DType::f64}; }
inline HeadOptions tiny_head() { return {tiny_width, tiny_places, 2, 3, DType::f64}; }

/// An action whose every field follows from `seed`.
inline Action made_up(std::uint64_t seed) {
  const auto number = [&](std::uint64_t which, std::uint32_t below) { return static_cast<std::int32_t>(philox(seed, which, 0)[0] % below); };
  Action a;
  a.place = number(0, tiny_places);
  a.category = number(1, tiny_categories);
  a.when = {number(2, 12), number(3, 31), number(4, 7), number(5, 24)};
  for (std::size_t i = 0; i < geo_parts; ++i) a.where[i] = number(10 + i, tiny_geo_rows);
  a.latitude = static_cast<float>(number(6, 100)) / 100;
  a.longitude = static_cast<float>(number(7, 100)) / 100;
  a.utc = a.local = static_cast<std::int64_t>(seed) * 5000 + number(8, 3000);
  return a;
}

/// Sequences of these lengths; `selected` as given, the targets their places.
inline ActionBatch made_up_batch(const std::vector<std::int32_t>& lengths, const std::vector<std::int32_t>& selected) {
  ActionBatch batch;
  batch.lengths = lengths;
  std::uint64_t seed = 1;
  for (std::int32_t length : lengths)
    for (std::int32_t i = 0; i < length; ++i) batch.actions.push_back(made_up(seed++));
  batch.selected = selected;
  for (std::int32_t i : selected) batch.target.push_back(batch.actions[static_cast<std::size_t>(i)].place);
  return batch;
}

/// Gives every parameter values in [-0.7, 0.7), so that no gradient drowns in rounding.
template <Module M> void stir(M& module, std::uint64_t seed = 9) {
  for_each_parameter(module, [&](const std::string&, Parameter<Reference>& p) { p.assign(random(p.shape(), seed++, -0.7, 0.7)); });
}

// Parts as a user might write them.

/// Hour and place tables, nothing else.
struct UserEncoder {
  using backend = Reference;
  UserEncoder() : hours(chronotope::test::context(), 24, tiny_width, DType::f64), places(chronotope::test::context(), tiny_places, tiny_width, DType::f64) {}
  T context(const ActionTensors<Reference>& batch) const { return hours(batch.when[3]); }
  T place(const ActionTensors<Reference>& batch) const { return places(batch.place); }
  std::int64_t width() const { return tiny_width; }
  template <class V> void visit(V&& v) {
    v("hours", hours);
    v("places", places);
  }
  Embedding<Reference> hours, places;
};

/// The mean of what a sequence has seen so far, by attention that scores everything alike.
struct UserDecoder {
  using backend = Reference;
  UserDecoder() : mix(chronotope::test::context(), tiny_width, tiny_width, false, DType::f64) {}
  T decode(const T& x, const Packing<Reference>& packing, const T& rows) const {
    const T values = reshape(mix(x), {x.size(0), 1, tiny_width});
    return reshape(attention(gather(values, rows), values, values, packing, rows, 0.0), {rows.size(0), tiny_width});
  }
  template <class V> void visit(V&& v) { v("mix", mix); }
  Linear<Reference> mix;
};

struct UserHead {
  using backend = Reference;
  static constexpr bool wants_all_contexts = false;
  UserHead() : scores(chronotope::test::context(), tiny_width, tiny_places, true, DType::f64) {}
  T nll(const T& h, const ActionTensors<Reference>& batch) const { return cross_entropy(scores(h), batch.target); }
  T probabilities(const T& h, const ActionTensors<Reference>&) const { return softmax(scores(h)); }
  template <class V> void visit(V&& v) { v("scores", scores); }
  Linear<Reference> scores;
};

// Whole models, made by make().

struct LlamaModel {
  static auto make(double dropout = 0) {
    return SpacetimeGr(CheckinEncoder<Reference>(context(), tiny_encoder(dropout)), LlamaDecoder<Reference>(context(), tiny_decoder(dropout)),
                       VocabularyHead<Reference>(context(), tiny_head()));
  }
};
struct GptModel {
  static auto make(double dropout = 0) {
    return SpacetimeGr(CheckinEncoder<Reference>(context(), tiny_encoder(dropout)), GptDecoder<Reference>(context(), tiny_decoder(dropout)),
                       VocabularyHead<Reference>(context(), tiny_head()));
  }
};
struct PointerModel {
  static auto make(double dropout = 0) {
    return SpacetimeGr(CheckinEncoder<Reference>(context(), tiny_encoder(dropout)), LlamaDecoder<Reference>(context(), tiny_decoder(dropout)),
                       HistoryPointerHead<Reference>(context(), tiny_head()));
  }
};
struct UserModel {
  static auto make(double = 0) { return SpacetimeGr(UserEncoder(), UserDecoder(), UserHead()); }
};

}  // namespace chronotope::test
