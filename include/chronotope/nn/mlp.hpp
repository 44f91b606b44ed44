#pragma once
// A feed-forward network ("DNN" in the click prediction papers).

#include <cmath>

#include "chronotope/nn/layers.hpp"

namespace chronotope {

/// Widths for an Mlp: input, hidden layers, output.
inline std::vector<std::int64_t> layer_widths(std::int64_t in, const std::vector<std::int64_t>& hidden, std::int64_t out) {
  std::vector<std::int64_t> widths{in};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(out);
  return widths;
}

/// Linear layers with biases, ReLU between them and nothing after the last. Weights are drawn with deviation sqrt(2 / in)
/// before a ReLU (He et al. 2015) and 1 / sqrt(in) in the last layer: networks this narrow need signals that keep their size.
template <Backend B> class Mlp {
 public:
  using backend = B;

  /// `widths` from input to output, at least two. Throws ConfigError otherwise.
  Mlp(Context<B>& context, const std::vector<std::int64_t>& widths, DType dtype = DType::f32) {
    if (widths.size() < 2) throw ConfigError("a feed-forward network needs an input and an output width");
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const double gain = i + 2 < widths.size() ? 2 : 1;
      layers.emplace_back(context, widths[i], widths[i + 1], true, dtype, std::sqrt(gain / static_cast<double>(widths[i])));
    }
  }

  /// x [..., in] -> [..., out]
  Tensor<B> operator()(const Tensor<B>& x) const {
    Tensor<B> y = x;
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) y = layers[i].rectified(y);
    return layers.back()(y);
  }

  template <class V> void visit(V&& v) {
    for (std::size_t i = 0; i < layers.size(); ++i) v(std::to_string(i), layers[i]);
  }

  std::vector<Linear<B>> layers;
};

}  // namespace chronotope
