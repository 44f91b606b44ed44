#pragma once
// Looking things up by number. Ids are i32 (or i64) tensors and get no gradient. Differentiable in the table.

#include <utility>
#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Rows of table [N, ...] at ids [...]: result ids.shape + [...]. The gradient stays sparse (ids and rows) when the table
/// is a parameter. ShapeError for an id outside [0, N) where the backend can see it.
template <Backend B> Tensor<B> gather(const Tensor<B>& table, const Tensor<B>& ids);

/// Rows of several tables side by side: tables[i] [N_i, D_i] at ids[i] [M] -> [M, sum of D_i], without copies in between.
template <Backend B> Tensor<B> gather_concat(const std::vector<Tensor<B>>& tables, const std::vector<Tensor<B>>& ids);

/// base with rows [M, ...] added at ids [M]; repeated ids add up. Differentiable in base and rows.
template <Backend B> Tensor<B> scatter_add(const Tensor<B>& base, const Tensor<B>& ids, const Tensor<B>& rows);

/// The k largest of each row of x [R, C]: values [R, k] falling and their columns [R, k] i32; equal values in column
/// order. Not differentiable. ShapeError when k is negative or larger than C.
template <Backend B> std::pair<Tensor<B>, Tensor<B>> topk(const Tensor<B>& x, std::int64_t k);

}  // namespace chronotope
