#pragma once
// Prediction heads of click models: features to one logit a task.

#include "chronotope/nn/drop.hpp"
#include "chronotope/nn/mlp.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

struct DnnHeadOptions {
  std::int64_t features = 1;                   ///< F
  std::int64_t tasks = 1;
  std::vector<std::int64_t> hidden{128, 64};
  double dropout = 0;                          ///< after every hidden layer
  DType dtype = DType::f32;
};

namespace detail {

/// An Mlp with dropout after each hidden layer.
template <Backend B> Tensor<B> with_dropout(const Mlp<B>& network, const Tensor<B>& x, double p) {
  Tensor<B> y = x;
  for (std::size_t i = 0; i + 1 < network.layers.size(); ++i) y = drop(network.layers[i].rectified(y), p);
  return network.layers.back()(y);
}

inline void check_head(std::int64_t features, std::int64_t tasks) {
  if (features < 1 || tasks < 1) throw ConfigError("a prediction head needs at least one feature and one task");
}

}  // namespace detail

/// A feed-forward network shared by all tasks up to its last layer.
template <Backend B> class DnnHead {
 public:
  using backend = B;

  /// Throws ConfigError without features or tasks.
  DnnHead(Context<B>& context, const DnnHeadOptions& o)
      : network((detail::check_head(o.features, o.tasks), context), layer_widths(o.features, o.hidden, o.tasks), o.dtype), options_(o) {}

  std::int64_t tasks() const { return options_.tasks; }

  /// features [B, F] -> [B, tasks]
  Tensor<B> operator()(const Tensor<B>& features) const {
    const ModuleScope scope("head");
    return detail::with_dropout(network, features, options_.dropout);
  }

  template <class V> void visit(V&& v) { v("network", network); }

  Mlp<B> network;

 private:
  DnnHeadOptions options_;
};

struct MmoeHeadOptions {
  std::int64_t features = 1;  ///< F
  std::int64_t tasks = 2;
  std::int64_t experts = 4;                    ///< E
  std::vector<std::int64_t> expert_hidden{64};
  std::int64_t expert_width = 32;
  std::vector<std::int64_t> tower_hidden{32};
  double dropout = 0;                          ///< after every hidden layer of experts and towers
  DType dtype = DType::f32;
};

/// Multi-gate mixture of experts (Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate
/// Mixture-of-Experts", KDD 2018): every task has its own softmax gate over shared experts, and its own tower:
/// y_t = tower_t(sum_e softmax(W_t x)_e expert_e(x)).
template <Backend B> class MmoeHead {
 public:
  using backend = B;

  /// Throws ConfigError without features, tasks or experts.
  MmoeHead(Context<B>& context, const MmoeHeadOptions& o)
      : gate((check(o), context), o.features, o.tasks * o.experts, false, o.dtype, 1 / std::sqrt(static_cast<double>(o.features))), options_(o) {
    for (std::int64_t e = 0; e < o.experts; ++e) expert.emplace_back(context, layer_widths(o.features, o.expert_hidden, o.expert_width), o.dtype);
    for (std::int64_t t = 0; t < o.tasks; ++t) tower.emplace_back(context, layer_widths(o.expert_width, o.tower_hidden, 1), o.dtype);
  }

  std::int64_t tasks() const { return options_.tasks; }

  /// features [B, F] -> [B, tasks]
  Tensor<B> operator()(const Tensor<B>& features) const {
    const ModuleScope scope("head");
    std::vector<Tensor<B>> known, logits;
    for (const Mlp<B>& e : expert) known.push_back(detail::with_dropout(e, features, options_.dropout));
    const Tensor<B> gates = softmax(reshape(gate(features), {features.size(0), options_.tasks, options_.experts}));
    const Tensor<B> mixed = matmul(gates, stack(known, 1));  // [B, tasks, expert width]
    for (std::int64_t t = 0; t < options_.tasks; ++t)
      logits.push_back(detail::with_dropout(tower[static_cast<std::size_t>(t)], select(mixed, 1, t), options_.dropout));
    return concat(logits, 1);
  }

  template <class V> void visit(V&& v) { v("gate", gate), v("expert", expert), v("tower", tower); }

  Linear<B> gate;              ///< [tasks E, F]: the gates of the first task, then of the second
  std::vector<Mlp<B>> expert;  ///< [E]
  std::vector<Mlp<B>> tower;   ///< [tasks]

 private:
  static void check(const MmoeHeadOptions& o) {
    detail::check_head(o.features, o.tasks);
    if (o.experts < 1 || o.expert_width < 1) throw ConfigError("a mixture of experts needs at least one expert of one element");
  }

  MmoeHeadOptions options_;
};

}  // namespace chronotope
