#pragma once
// Matrix products. O(batch M N K).

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// a [..., M, K] times b [..., K, N] -> [..., M, N]; leading axes broadcast. Throws ShapeError when inner extents differ.
template <Backend B> Tensor<B> matmul(const Tensor<B>& a, const Tensor<B>& b);

/// x [..., in] through weight [out, in] -> [..., out]: x W^T, no bias.
template <Backend B> Tensor<B> linear(const Tensor<B>& x, const Tensor<B>& weight);

/// The same plus bias [out], and ReLU of that when asked for. On oneDNN a fused layer gives every row the same bits whatever rows
/// are beside it; on CUDA, where cuBLAS chooses how to multiply by the number of rows, it need not.
template <Backend B> Tensor<B> linear(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& bias, bool relu = false);

/// x [R, in] through weight [out, in], each row plus the bias of its group: x W^T + biases[group], biases [G, out], group [R]
/// i32. A feature with few values costs nothing this way: what a layer makes
/// of each of them is computed once. Throws ShapeError, DTypeError. Fused in the forward pass.
template <Backend B>
Tensor<B> linear_grouped(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& biases, const Tensor<B>& group);

}  // namespace chronotope
