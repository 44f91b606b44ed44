#pragma once
// Layers: parameters and the operation that uses them.

#include "chronotope/nn/init.hpp"
#include "chronotope/nn/module.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"

namespace chronotope {

/// Standard deviation of initial weights, as in GPT-2 and Llama.
inline constexpr double initial_deviation = 0.02;

/// x [..., in] -> [..., out]: x W^T (+ bias).
template <Backend B> class Linear {
 public:
  using backend = B;
  Linear(Context<B>& context, std::int64_t in, std::int64_t out, bool bias = false, DType dtype = DType::f32,
         double deviation = initial_deviation)
      : weight(normal_parameter(context, {out, in}, deviation, dtype)) {
    if (bias) this->bias = constant_parameter(context, {out}, 0, dtype);
  }

  Tensor<B> operator()(const Tensor<B>& x) const { return bias ? linear(x, weight(), (*bias)()) : linear(x, weight()); }
  /// max(x W^T + bias, 0); needs the bias.
  Tensor<B> rectified(const Tensor<B>& x) const { return linear(x, weight(), bias.value()(), true); }

  template <class V> void visit(V&& v) {
    v("weight", weight);
    v("bias", bias);
  }

  Parameter<B> weight;               ///< [out, in]
  std::optional<Parameter<B>> bias;  ///< [out]
};

/// A table of vectors; gradients stay sparse.
template <Backend B> class Embedding {
 public:
  using backend = B;
  Embedding(Context<B>& context, std::int64_t rows, std::int64_t width, DType dtype = DType::f32, double deviation = initial_deviation)
      : weight(normal_parameter(context, {rows, width}, deviation, dtype)) {}

  /// ids [...] i32 -> [..., width]
  Tensor<B> operator()(const Tensor<B>& ids) const { return gather(weight(), ids); }

  template <class V> void visit(V&& v) { v("weight", weight); }

  Parameter<B> weight;  ///< [rows, width]
};

template <Backend B> class RmsNorm {
 public:
  using backend = B;
  RmsNorm(Context<B>& context, std::int64_t width, DType dtype = DType::f32) : weight(constant_parameter(context, {width}, 1, dtype)) {}
  Tensor<B> operator()(const Tensor<B>& x) const { return rms_norm(x, weight()); }
  template <class V> void visit(V&& v) { v("weight", weight); }

  Parameter<B> weight;  ///< [width]
};

template <Backend B> class LayerNorm {
 public:
  using backend = B;
  LayerNorm(Context<B>& context, std::int64_t width, DType dtype = DType::f32)
      : weight(constant_parameter(context, {width}, 1, dtype)), bias(constant_parameter(context, {width}, 0, dtype)) {}
  Tensor<B> operator()(const Tensor<B>& x) const { return layer_norm(x, weight(), bias()); }
  template <class V> void visit(V&& v) {
    v("weight", weight);
    v("bias", bias);
  }

  Parameter<B> weight, bias;  ///< [width]
};

}  // namespace chronotope
