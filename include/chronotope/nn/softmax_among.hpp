#pragma once
// Softmax with some entries left out.

#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/nn.hpp"

namespace chronotope {

/// Softmax over the last axis among what `there` (u8, broadcast) marks; 0 elsewhere, also where nothing is marked.
template <Backend B> Tensor<B> softmax_among(const Tensor<B>& there, const Tensor<B>& scores) {
  constexpr double hidden_score = -1e30;  // finite, so that a row with nothing marked stays finite too
  return where(there, softmax(where(there, scores, scalar_like(scores, hidden_score))), scalar_like(scores, 0));
}

}  // namespace chronotope
