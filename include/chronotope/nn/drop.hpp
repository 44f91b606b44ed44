#pragma once
// Dropout as layers use it.

#include "chronotope/autograd/node.hpp"
#include "chronotope/ops/nn.hpp"

namespace chronotope::detail {

/// Dropout is a training matter: where nothing is recorded nothing is dropped.
template <Backend B> Tensor<B> drop(const Tensor<B>& x, double p) { return recording ? dropout(x, p) : x; }

}  // namespace chronotope::detail
