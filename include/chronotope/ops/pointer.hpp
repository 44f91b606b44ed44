#pragma once
// What attention over the past adds for how both sides relate (docs/design.md, the history pointer; ours). Differentiable in content and tables.

#include <vector>

#include "chronotope/backend/fused.hpp"
#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// One relation of askers and keys: in which bin each pair is, and what a bin is worth to each head.
template <Backend B> struct Relation {
  Tensor<B> table;  ///< [bins, K]
  Tensor<B> bins;   ///< [S, M, N] i32
};

/// content [S, K, M, N] -> scale content[s, k, m, n] + bias_scale sum_t table_t[bins_t[s, m, n], k], for S sequences, K heads, M askers and N keys.
/// The bits of a score depend on its content and bins alone. Gradients of tables are dense, whether or not they are parameters: every bin takes part
/// in a step. Throws DTypeError, ShapeError, as gather() for a bin outside its table. O(S K M N tables).
template <Backend B>
Tensor<B> pointer_scores(const Tensor<B>& content, const std::vector<Relation<B>>& relations, double scale, double bias_scale);

}  // namespace chronotope
