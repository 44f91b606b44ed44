#pragma once
// Losses, one value a row: reduce with mean() or weights of your own. Differentiable.

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// -log softmax(logits)[target] of logits [Q, P] at target [Q] i32 -> [Q].
template <Backend B> Tensor<B> cross_entropy(const Tensor<B>& logits, const Tensor<B>& target);

/// cross_entropy(linear(h, weight), target) for h [Q, D], weight [P, D] -> [Q]. Fused backends never hold all logits.
template <Backend B> Tensor<B> linear_cross_entropy(const Tensor<B>& h, const Tensor<B>& weight, const Tensor<B>& target);

}  // namespace chronotope
