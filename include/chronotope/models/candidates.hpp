#pragma once
// What a model of actions says of given candidates.

#include "chronotope/components/alignment_losses.hpp"
#include "chronotope/components/concepts.hpp"

namespace chronotope {

/// x [N, E] scaled to length 1.
template <Backend B> Tensor<B> normalized(const Tensor<B>& x) {
  constexpr double least = 1e-12;  // keeps the gradient of a zero vector finite
  return x / sqrt(sum(x * x, 1, true) + least);
}

/// log P(block) + log P(inner | block) of C candidates in a batch that asks for each one's block, where places have two tokens,
/// and for each one's place in it: [C].
template <class Model, Backend B = typename Model::backend>
Tensor<B> candidate_log_probabilities(const Model& model, const TokenTensors<B>& batch) {
  const Tensor<B> nll = model.nll(batch);
  const std::int64_t blocks = batch.block_asks.size(0), inners = batch.inner_asks.size(0);
  if (blocks == 0) return neg(nll);
  if (blocks != inners) throw DataError("[candidates] " + std::to_string(blocks) + " blocks and " + std::to_string(inners) + " places are asked for");
  return neg(slice(nll, 0, 0, blocks) + slice(nll, 0, blocks, blocks + inners));
}

/// Cosines of users [R, E] and their candidates' places [C, E], both of length 1; user_of [C] i32 says whose each is -> [C].
template <Backend B> Tensor<B> candidate_similarities(const Tensor<B>& users, const Tensor<B>& places, const Tensor<B>& user_of) {
  return sum(gather(users, user_of) * places, 1);
}

}  // namespace chronotope
