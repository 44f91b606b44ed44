#pragma once
// Interests of behaviours under queries and masks (STIM, "Hierarchical Multi-Interest Network Unit", eq. 14 to 17).

#include "chronotope/nn/mlp.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

struct HminOptions {
  std::int64_t query_width = 16;  ///< d_q
  std::int64_t key_width = 32;    ///< d_k
  std::int64_t heads = 2;         ///< H
  std::int64_t hidden = 32;       ///< of DNN_Q and of each DNN_h
  double temperature = 1;         ///< factor on the masked cosines before the softmax
  bool learned_temperature = false;
  DType dtype = DType::f32;
};

/// Shallow: cosines of DNN_Q(query) and keys, times the mask. Deep: one softmax for each query and mask over the
/// behaviours there are pools DNN_h(keys) for every head h.
template <Backend B> class HminUnit {
 public:
  using backend = B;

  HminUnit(Context<B>& context, const HminOptions& o)
      : query(context, {o.query_width, o.hidden, o.key_width}, o.dtype),
        temperature(constant_parameter(context, {1}, std::log(checked(o).temperature), o.dtype)), options_(o) {
    if (!o.learned_temperature) temperature.freeze();
    for (std::int64_t h = 0; h < o.heads; ++h) head.emplace_back(context, std::vector<std::int64_t>{o.key_width, o.hidden, o.key_width}, o.dtype);
  }

  /// Width of the output for that many queries and masks.
  std::int64_t width(std::int64_t queries, std::int64_t masks) const { return queries * masks * options_.heads * options_.key_width; }

  /// queries [B, Q, d_q], keys [B, k, d_k], mask [B, M, k], valid [B, k] u8 (0 in padding) -> [B, Q M H d_k], query
  /// slowest, then mask, head, key element. Padding takes no part; a sample with no behaviour gets zeros.
  Tensor<B> operator()(const Tensor<B>& queries, const Tensor<B>& keys, const Tensor<B>& mask, const Tensor<B>& valid) const {
    const ModuleScope scope("hmin");
    const std::int64_t samples = keys.size(0), k = keys.size(1), rows = queries.size(1) * mask.size(1);
    const Tensor<B> cosine = matmul(unit(query(queries)), transpose(unit(keys), 1, 2));                    // [B, Q, k]
    const Tensor<B> masked = reshape(unsqueeze(cosine, 2) * unsqueeze(mask, 1), {samples, rows, k});       // [B, Q M, k]
    const Tensor<B> there = unsqueeze(valid, 1);
    const Tensor<B> weights = softmax(where(there, masked * exp(temperature()), scalar_like(keys, hidden_score))) * cast(there, keys.dtype());
    std::vector<Tensor<B>> values;
    for (const Mlp<B>& deep : head) values.push_back(deep(keys));
    return reshape(matmul(weights, concat(values, 2)), {samples, -1});
  }

  template <class V> void visit(V&& v) {
    v("query", query);
    v("head", head);
    v("temperature", temperature);
  }

  Mlp<B> query;               ///< DNN_Q
  std::vector<Mlp<B>> head;   ///< DNN_h
  Parameter<B> temperature;   ///< [1] its logarithm

 private:
  static constexpr double hidden_score = -1e30;  ///< finite, so that a sample without behaviours stays finite too
  static constexpr double least = 1e-20;         ///< keeps the length of a zero vector above 0

  static const HminOptions& checked(const HminOptions& o) {
    if (o.heads < 1 || o.key_width < 1 || o.hidden < 1) throw ConfigError("an interest unit needs at least one head, key element and hidden element");
    if (!(o.temperature > 0)) throw ConfigError("the temperature of an interest unit must be above 0");
    return o;
  }
  static Tensor<B> unit(const Tensor<B>& x) { return x / sqrt(sum(x * x, -1, true) + least); }

  HminOptions options_;
};

}  // namespace chronotope
