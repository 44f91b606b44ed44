#pragma once
// Weighted sums of embeddings (Spacetime-GR, 3.2.1: "normalised dynamic weights").

#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

enum class FusionWeights : std::uint8_t {
  fixed,  ///< softmax over learned scalars
  gated   ///< softmax over a linear layer of the parts themselves: the weights of one token are not those of another
};

/// sum_i w_i x_i over n parts, the w_i above 0 and adding up to n, so that equal weights leave each part at its own scale.
template <Backend B> class Fusion {
 public:
  using backend = B;
  Fusion(Context<B>& context, std::int64_t parts, std::int64_t width, FusionWeights weights, DType dtype = DType::f32)
      : parts_(parts) {
    if (weights == FusionWeights::fixed) scalars = constant_parameter(context, {parts}, 0, dtype);
    else gate.emplace(context, parts * width, parts, true, dtype);
  }

  /// parts [N, D] each -> [N, D]
  Tensor<B> operator()(const std::vector<Tensor<B>>& parts) const {
    const auto n = static_cast<double>(parts_);
    Tensor<B> w = gate ? softmax((*gate)(concat(parts, 1))) * n : softmax((*scalars)()) * n;
    Tensor<B> total;
    for (std::int64_t i = 0; i < parts_; ++i) {
      const Tensor<B> share = (gate ? slice(w, 1, i, i + 1) : select(w, 0, i)) * parts[static_cast<std::size_t>(i)];
      total = total.defined() ? total + share : share;
    }
    return total;
  }

  template <class V> void visit(V&& v) {
    v("scalars", scalars);
    v("gate", gate);
  }

  std::optional<Parameter<B>> scalars;  ///< [n]
  std::optional<Linear<B>> gate;        ///< [n, n D]

 private:
  std::int64_t parts_;
};

}  // namespace chronotope
