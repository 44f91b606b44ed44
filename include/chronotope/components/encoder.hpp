#pragma once
// Spatiotemporal encoding (Spacetime-GR, 3.2.1): E(u) = Emb_t(t), E(inner) = w3 Emb_p(p) + w4 Emb_c(c) + w5 Emb_g(g).

#include "chronotope/components/concepts.hpp"
#include "chronotope/nn/drop.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

struct EncoderOptions {
  std::int64_t width = 768;      ///< D; a multiple of 12 (four time parts, twelve geo parts)
  std::int64_t places = 1;       ///< rows of the place table, the unknown place 0 included
  std::int64_t categories = 1;   ///< rows of the category table, the unknown category 0 included
  std::int64_t geo_rows = 2048;  ///< rows of each of the twelve hashed geo tables
  double dropout = 0;            ///< on both token vectors
  DType dtype = DType::f32;
};

/// Month, day, weekday and hour embeddings side by side, a quarter of the width each.
template <Backend B> class TimeEmbedding {
 public:
  using backend = B;
  TimeEmbedding(Context<B>& context, const EncoderOptions& o)
      : month(context, 12, o.width / 4, o.dtype), day(context, 31, o.width / 4, o.dtype),
        weekday(context, 7, o.width / 4, o.dtype), hour(context, 24, o.width / 4, o.dtype) {}

  /// Ids [A] of each feature -> [A, D]
  Tensor<B> operator()(const std::array<Tensor<B>, time_features>& when) const {
    return gather_concat(std::vector<Tensor<B>>{month.weight(), day.weight(), weekday.weight(), hour.weight()},
                         std::vector<Tensor<B>>(when.begin(), when.end()));
  }

  template <class V> void visit(V&& v) {
    v("month", month);
    v("day", day);
    v("weekday", weekday);
    v("hour", hour);
  }

  Embedding<B> month, day, weekday, hour;
};

/// Twelve hashed geohash prefixes side by side, a twelfth of the width each.
template <Backend B> class GeoEmbedding {
 public:
  using backend = B;
  GeoEmbedding(Context<B>& context, const EncoderOptions& o) {
    const auto levels = static_cast<std::int64_t>(geo_parts);
    for (std::int64_t i = 0; i < levels; ++i) level.emplace_back(context, o.geo_rows, o.width / levels, o.dtype);
  }

  /// Rows [A] of each table -> [A, D]
  Tensor<B> operator()(const std::array<Tensor<B>, geo_parts>& where) const {
    std::vector<Tensor<B>> tables;
    for (const Embedding<B>& table : level) tables.push_back(table.weight());
    return gather_concat(tables, std::vector<Tensor<B>>(where.begin(), where.end()));
  }

  template <class V> void visit(V&& v) { v("level", level); }

  std::vector<Embedding<B>> level;
};

/// The encoder of public check-ins: no user position, no action type, one token a place. The fusion weights are a softmax
/// over learned scalars times their number, so that equal weights leave each part at its own scale.
template <Backend B> class CheckinEncoder {
 public:
  using backend = B;

  /// Throws ConfigError when the width is not a positive multiple of 12.
  CheckinEncoder(Context<B>& context, const EncoderOptions& o)
      : time((check(o), context), o), geo(context, o), place_table(context, o.places, o.width, o.dtype),
        category(context, o.categories, o.width, o.dtype), fusion(constant_parameter(context, {3}, 0, o.dtype)), options_(o) {}

  Tensor<B> context(const ActionTensors<B>& batch) const {
    const ModuleScope scope("encoder.context");
    return drop(time(batch.when));
  }

  Tensor<B> place(const ActionTensors<B>& batch) const {
    const ModuleScope scope("encoder.place");
    const Tensor<B> w = softmax(fusion()) * 3.0;
    return drop(select(w, 0, 0) * place_table(batch.place) + select(w, 0, 1) * category(batch.category) + select(w, 0, 2) * geo(batch.where));
  }

  std::int64_t width() const { return options_.width; }

  template <class V> void visit(V&& v) {
    v("time", time);
    v("geo", geo);
    v("place", place_table);
    v("category", category);
    v("fusion", fusion);
  }

  TimeEmbedding<B> time;
  GeoEmbedding<B> geo;
  Embedding<B> place_table, category;
  Parameter<B> fusion;  ///< [3]: place, category, position

 private:
  static void check(const EncoderOptions& o) {
    if (o.width <= 0 || o.width % 12 != 0)
      throw ConfigError("model.width must be a positive multiple of 12 (4 time and 12 geo parts), is " + std::to_string(o.width));
  }
  /// Dropout is a training matter: where nothing is recorded nothing is dropped.
  Tensor<B> drop(const Tensor<B>& x) const { return detail::drop(x, options_.dropout); }

  EncoderOptions options_;
};

}  // namespace chronotope
