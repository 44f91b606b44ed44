#pragma once
// Building blocks of networks. Each is fused where the backend has the hook, composed of primitives elsewhere; both give
// the same values within rounding. All differentiable.

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// x [..., D] scaled to unit root mean square, times weight [D] (Zhang & Sennrich 2019).
template <Backend B> Tensor<B> rms_norm(const Tensor<B>& x, const Tensor<B>& weight, double eps = 1e-5);
/// x [..., D] shifted to mean 0, scaled to variance 1, times weight [D] plus bias [D] (Ba, Kiros & Hinton 2016).
template <Backend B> Tensor<B> layer_norm(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& bias, double eps = 1e-5);
/// Softmax over the last axis. -inf entries get 0; a row of nothing but -inf is NaN.
template <Backend B> Tensor<B> softmax(const Tensor<B>& x);

/// Tables for rope(): cos and sin of position * theta^(-2i/D), each [positions, width / 2].
template <Backend B> struct RopeTables {
  Tensor<B> cos, sin;
  /// `width` is the head width, even.
  RopeTables(Context<B>& context, std::int64_t positions, std::int64_t width, double theta = 10000, DType dtype = DType::f32);
};
/// Rotary position embedding (Su et al. 2021) of x [T, H, D] at position [T] i32; element i pairs with i + D/2.
template <Backend B> Tensor<B> rope(const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables);
/// The same in the memory of x, where the backend can: x and all that shares it must not be read afterwards, by no backward pass either.
template <Backend B> Tensor<B> rope_in_place(const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables);

/// silu(gate) * up of gate_up [..., 2F], gate first -> [..., F] (Shazeer 2020).
template <Backend B> Tensor<B> swiglu(const Tensor<B>& gate_up);

/// Zeroes elements with probability p and scales the rest by 1 / (1 - p). Draws from the random state of x's context and
/// advances it by one. p = 0 returns x. ConfigError unless 0 <= p < 1.
template <Backend B> Tensor<B> dropout(const Tensor<B>& x, double p);

}  // namespace chronotope
