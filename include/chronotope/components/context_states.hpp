#pragma once
// Hidden states of contexts with what was done in them: what a head that points into histories looks at.

#include "chronotope/components/token_trail.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Grows and shrinks with the tokens; empty for heads that do not want it. 4 x D bytes a context in f32.
template <Backend B> class ContextStates {
 public:
  const TokenTrail& trail() const { return trail_; }
  /// [C, D], one a step of the trail; undefined without any.
  const Tensor<B>& states() const { return states_; }
  std::int64_t bytes() const { return states_.defined() ? states_.elements() * static_cast<std::int64_t>(size_of(states_.dtype())) : 0; }

  /// Adds the tokens of a batch, as TokenTrail::add, and the states [c, D] of its contexts.
  void add(const TokenBatch& batch, bool goes_on, const Tensor<B>& states) {
    trail_.add(batch, goes_on);
    if (states.size(0) > 0) states_ = states_.defined() ? concat(std::vector<Tensor<B>>{states_, states}, 0) : states;
  }

  using Mark = TokenTrail::Mark;
  Mark mark() const { return trail_.mark(); }
  /// Forgets what was added since.
  void keep(const Mark& mark) {
    trail_.keep(mark);
    const auto left = static_cast<std::int64_t>(trail_.steps().size());
    if (left == 0) states_ = {};
    else if (left < states_.size(0)) states_ = slice(states_, 0, 0, left);
  }

 private:
  TokenTrail trail_;
  Tensor<B> states_;
};

}  // namespace chronotope
