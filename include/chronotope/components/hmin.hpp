#pragma once
// Interests of behaviours under queries and masks (STIM, "Hierarchical Multi-Interest Network Unit", eq. 14 to 17).

#include "chronotope/nn/mlp.hpp"
#include "chronotope/nn/softmax_among.hpp"
#include "chronotope/ops/hmin.hpp"
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
  bool score_networks = false;    ///< a network on the scores for each head, and a softmax of its own
  std::int64_t kept = 50;         ///< k; looked at with score_networks only
};

/// Shallow: cosines of DNN_Q(query) and keys, times the mask. Deep: one softmax for each query and mask over the
/// behaviours there are pools DNN_h(keys) for every head h. With score_networks head h pools with a softmax of its own, of a
/// feed-forward network [k -> hidden -> k] over the scores of all behaviours (0 in padding).
template <Backend B> class HminUnit {
 public:
  using backend = B;

  HminUnit(Context<B>& context, const HminOptions& o)
      : query(context, {o.query_width, o.hidden, o.key_width}, o.dtype),
        temperature(constant_parameter(context, {1}, std::log(checked(o).temperature), o.dtype)), options_(o) {
    if (!o.learned_temperature) temperature.freeze();
    for (std::int64_t h = 0; h < o.heads; ++h) {
      head.emplace_back(context, std::vector<std::int64_t>{o.key_width, o.hidden, o.key_width}, o.dtype);
      if (o.score_networks) score.emplace_back(context, std::vector<std::int64_t>{o.kept, o.hidden, o.kept}, o.dtype);
    }
  }

  /// Width of the output for that many queries and masks.
  std::int64_t width(std::int64_t queries, std::int64_t masks) const { return queries * masks * options_.heads * options_.key_width; }

  /// queries [B, Q, d_q], keys [B, k, d_k], mask [B, M, k], valid [B, k] u8 (0 in padding) -> [B, Q M H d_k], query
  /// slowest, then mask, head, key element. Padding takes no part; a sample with no behaviour gets zeros.
  Tensor<B> operator()(const Tensor<B>& queries, const Tensor<B>& keys, const Tensor<B>& mask, const Tensor<B>& valid) const {
    const ModuleScope scope("hmin");
    if (options_.score_networks) return by_score_networks(queries, keys, mask, valid);
    std::vector<Tensor<B>> weight1, bias1, weight2, bias2;
    for (const Mlp<B>& deep : head) {
      weight1.push_back(deep.layers[0].weight()), bias1.push_back((*deep.layers[0].bias)());
      weight2.push_back(deep.layers[1].weight()), bias2.push_back((*deep.layers[1].bias)());
    }
    const HminInputs<B> inputs{query(queries), keys, mask, valid, exp(temperature()), concat(weight1, 0), concat(bias1, 0), stack(weight2, 0), stack(bias2, 0)};
    return reshape(hmin(inputs), {keys.size(0), -1});
  }

  template <class V> void visit(V&& v) {
    v("query", query);
    v("head", head);
    v("score", score);
    v("temperature", temperature);
  }

  Mlp<B> query;               ///< DNN_Q
  std::vector<Mlp<B>> head;   ///< DNN_h
  std::vector<Mlp<B>> score;  ///< networks on the scores, one a head; none without score_networks
  Parameter<B> temperature;   ///< [1] its logarithm

 private:
  Tensor<B> by_score_networks(const Tensor<B>& queries, const Tensor<B>& keys, const Tensor<B>& mask, const Tensor<B>& valid) const {
    const Tensor<B> there = unsqueeze(valid, 1), scores = hmin_scores(query(queries), keys, mask, exp(temperature()));
    const Tensor<B> known = where(there, scores, scalar_like(scores, 0));
    std::vector<Tensor<B>> pooled;
    for (std::size_t h = 0; h < head.size(); ++h) pooled.push_back(matmul(softmax_among(there, score[h](known)), head[h](keys)));
    return reshape(concat(pooled, 2), {keys.size(0), -1});
  }

  static const HminOptions& checked(const HminOptions& o) {
    if (o.heads < 1 || o.key_width < 1 || o.hidden < 1) throw ConfigError("an interest unit needs at least one head, key element and hidden element");
    if (o.score_networks && o.kept < 1) throw ConfigError("score networks of an interest unit need at least one kept behaviour");
    if (!(o.temperature > 0)) throw ConfigError("the temperature of an interest unit must be above 0");
    return o;
  }

  HminOptions options_;
};

}  // namespace chronotope
