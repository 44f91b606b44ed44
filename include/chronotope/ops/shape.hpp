#pragma once
// Movement: strides only, no work, except where a copy is named. Differentiable.

#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Other extents for the same elements in row-major order; copies when x is not row-major. One extent may be -1.
template <Backend B> Tensor<B> reshape(const Tensor<B>& x, std::initializer_list<std::int64_t> extents);
template <Backend B> Tensor<B> reshape(const Tensor<B>& x, const Shape& shape);
/// Axes in another order: result axis i is axis order[i] of x.
template <Backend B> Tensor<B> permute(const Tensor<B>& x, std::initializer_list<int> order);
template <Backend B> Tensor<B> transpose(const Tensor<B>& x, int a, int b);
/// Elements begin … end - 1 of one axis.
template <Backend B> Tensor<B> slice(const Tensor<B>& x, int axis, std::int64_t begin, std::int64_t end);
/// Element `index` of one axis; the axis goes.
template <Backend B> Tensor<B> select(const Tensor<B>& x, int axis, std::int64_t index);
/// Stretches axes of extent 1 (and new leading ones) to `shape`.
template <Backend B> Tensor<B> expand(const Tensor<B>& x, const Shape& shape);
/// Drops an axis of extent 1 / puts one in.
template <Backend B> Tensor<B> squeeze(const Tensor<B>& x, int axis);
template <Backend B> Tensor<B> unsqueeze(const Tensor<B>& x, int axis);
/// Joins tensors along an axis; copies. Other extents must agree.
template <Backend B> Tensor<B> concat(const std::vector<Tensor<B>>& parts, int axis);
/// Joins tensors of one shape along a new axis; copies.
template <Backend B> Tensor<B> stack(const std::vector<Tensor<B>>& parts, int axis);
/// Row-major memory; copies when needed.
template <Backend B> Tensor<B> contiguous(const Tensor<B>& x);

}  // namespace chronotope
