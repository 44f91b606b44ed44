#pragma once
// Tokens to vectors (Spacetime-GR, 3.2.1):
//   E(u) = w1 Emb_t(t) + w2 Emb_g(g of the user)          E(block) = Emb_p(block)
//   E(inner) = w3 Emb_p(inner) + w4 Emb_c(c) + w5 Emb_g(g of the place)          E(a) = Emb_a(a)

#include "chronotope/components/encoder.hpp"
#include "chronotope/components/fusion.hpp"
#include "chronotope/components/token_tensors.hpp"

namespace chronotope {

struct TokenEncoderOptions {
  std::int64_t width = 768;      ///< D; a multiple of 12 (four time parts, twelve geo parts)
  std::int64_t texts = 0;        ///< pieces of profiles; 0: none are read
  std::int64_t blocks = 0;       ///< rows of the block table, the unknown block 0 included; 0: places are one token
  std::int64_t inners = 1;       ///< rows of the inner table, the unknown 0 included
  std::int64_t categories = 1;   ///< likewise
  std::int64_t types = 0;        ///< likewise; 0: actions have no type
  std::int64_t geo_rows = 2049;  ///< rows of each of the twelve geo tables
  std::int64_t vector_width = 0; ///< of multimodal vectors of places; 0: none (Spacetime-GR, 3.2.2)
  bool spacetime = true;         ///< false: neither times nor positions are read (its Table 7)
  bool user_position = true;     ///< false: u has the time only
  FusionWeights fusion = FusionWeights::fixed;
  double dropout = 0;            ///< on every token vector
  DType dtype = DType::f32;
};

template <Backend B> class TokenEncoder {
 public:
  using backend = B;

  /// Throws ConfigError when the width is not a positive multiple of 12.
  TokenEncoder(Context<B>& context, const TokenEncoderOptions& o)
      : inner((check(o), context), o.inners, o.width, o.dtype), category(context, o.categories, o.width, o.dtype), options_(o) {
    const EncoderOptions parts{o.width, 1, 1, o.geo_rows, 0, o.dtype};
    if (o.spacetime) time.emplace(context, parts), geo.emplace(context, parts);
    else u = normal_parameter(context, {o.width}, initial_deviation, o.dtype);
    if (o.spacetime && o.user_position) fuse_u.emplace(context, 2, o.width, o.fusion, o.dtype);
    fuse_inner.emplace(context, o.spacetime ? 3 : 2, o.width, o.fusion, o.dtype);
    const auto table = [&](std::optional<Embedding<B>>& to, std::int64_t rows) {
      if (rows > 0) to.emplace(context, rows, o.width, o.dtype);
    };
    table(text, o.texts), table(block, o.blocks), table(type, o.types);
    if (o.vector_width > 0) project.emplace(context, o.vector_width, o.width, false, o.dtype);
  }

  /// [T, D], in the order of the tokens. Throws DataError for a kind of token that the encoder has no table for.
  Tensor<B> operator()(const TokenTensors<B>& batch) const {
    const ModuleScope scope("encoder");
    std::vector<Tensor<B>> kinds;
    const auto add = [&](const Tensor<B>& ids, auto&& vectors) {
      if (ids.size(0) > 0) kinds.push_back(vectors());
    };
    add(batch.texts, [&] { return look_up(text, batch.texts, "texts"); });
    add(batch.when[0], [&] { return context_vectors(batch); });
    add(batch.blocks, [&] { return look_up(block, batch.blocks, "blocks"); });
    add(batch.inners, [&] { return inner_vectors(batch); });
    add(batch.types, [&] { return look_up(type, batch.types, "types"); });
    if (kinds.empty()) throw DataError("[encoder] a batch without tokens");
    return detail::drop(gather(concat(kinds, 0), batch.order), options_.dropout);
  }

  /// Vectors of places [V, vector_width], not trained; row 0 is of places without one. ShapeError for another width.
  void set_vectors(const Tensor<B>& vectors) {
    if (vectors.rank() != 2 || vectors.size(1) != options_.vector_width || options_.vector_width == 0)
      throw ShapeError("[encoder] the places' vectors must be [V, " + std::to_string(options_.vector_width) + "], are " + to_string(vectors.shape()));
    vectors_ = vectors.detach();
  }

  std::int64_t width() const { return options_.width; }
  const TokenEncoderOptions& options() const { return options_; }

  template <class V> void visit(V&& v) {
    v("text", text);
    v("time", time);
    v("geo", geo);
    v("u", u);
    v("fuse_u", fuse_u);
    v("block", block);
    v("inner", inner);
    v("category", category);
    v("fuse_inner", fuse_inner);
    v("project", project);
    v("type", type);
  }

  std::optional<Embedding<B>> text, block, type;
  Embedding<B> inner, category;
  std::optional<TimeEmbedding<B>> time;
  std::optional<GeoEmbedding<B>> geo;  ///< of users and of places
  std::optional<Parameter<B>> u;       ///< [D] what stands for u without time and position
  std::optional<Fusion<B>> fuse_u, fuse_inner;
  std::optional<Linear<B>> project;    ///< [D, vector_width]

 private:
  static void check(const TokenEncoderOptions& o) {
    if (o.width <= 0 || o.width % 12 != 0)
      throw ConfigError("model.width must be a positive multiple of 12 (4 time and 12 geo parts), is " + std::to_string(o.width));
  }

  static Tensor<B> look_up(const std::optional<Embedding<B>>& table, const Tensor<B>& ids, const char* what) {
    if (!table) throw DataError(std::string("[encoder] the batch has ") + what + ", the encoder has no table of them");
    return (*table)(ids);
  }

  Tensor<B> context_vectors(const TokenTensors<B>& batch) const {
    if (u) return expand(unsqueeze((*u)(), 0), {batch.when[0].size(0), options_.width});
    const Tensor<B> when = (*time)(batch.when);
    return fuse_u ? (*fuse_u)({when, (*geo)(batch.user_where)}) : when;
  }

  Tensor<B> inner_vectors(const TokenTensors<B>& batch) const {
    std::vector<Tensor<B>> parts{inner(batch.inners), category(batch.categories)};
    if (geo) parts.push_back((*geo)(batch.place_where));
    const Tensor<B> own = (*fuse_inner)(parts);
    if (!project) return own;
    if (!vectors_.defined()) throw ConfigError("[encoder] the places' vectors were never set");
    return own + (*project)(gather(vectors_, batch.vectors));
  }

  TokenEncoderOptions options_;
  Tensor<B> vectors_;
};

}  // namespace chronotope
