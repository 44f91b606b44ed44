#pragma once
// Losses, one value a row: reduce with mean() or weights of your own. Differentiable.

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// -log softmax(logits)[target] of logits [Q, P] at target [Q] i32 -> [Q].
template <Backend B> Tensor<B> cross_entropy(const Tensor<B>& logits, const Tensor<B>& target);

/// cross_entropy(linear(h, weight), target) for h [Q, D], weight [P, D] -> [Q]. Fused backends never hold all logits.
template <Backend B> Tensor<B> linear_cross_entropy(const Tensor<B>& h, const Tensor<B>& weight, const Tensor<B>& target);

/// -y log sigmoid(x) - (1 - y) log(1 - sigmoid(x)) of logits x and labels y, equal shapes -> the same shape. Finite for
/// every finite logit: max(x, 0) - x y + log(1 + exp(-|x|)).
template <Backend B> Tensor<B> binary_cross_entropy(const Tensor<B>& logits, const Tensor<B>& labels);

}  // namespace chronotope
