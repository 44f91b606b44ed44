#pragma once
// A gated recurrent unit over behaviours in time order.

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/components/behaviour/gru_steps.hpp"
#include "chronotope/nn/layers.hpp"

namespace chronotope {

/// Gated recurrent unit (Cho et al. 2014), in DIEN's writing (eq. 2 to 5):
///   u = sigmoid(W_u x + U_u h + b_u), r = sigmoid(W_r x + U_r h + b_r), c = tanh(W_c x + r * U_c h + b_c), h' = h + s u (c - h)
/// with a share s of each update that comes from outside: 0 skips the step.
template <Backend B> class Gru {
 public:
  using backend = B;
  Gru(Context<B>& context, std::int64_t in, std::int64_t width, DType dtype)
      : update(context, in, width, true, dtype, detail::fan_in(in)), reset(context, in, width, true, dtype, detail::fan_in(in)),
        candidate(context, in, width, true, dtype, detail::fan_in(in)), from_state(context, width, 3 * width, false, dtype, detail::fan_in(width)) {}

  /// x [k, B, in], share [k, B, 1] -> the state after each step [k, B, width]. The inputs' part is done for all steps at
  /// once; then k small steps follow, O(k B width^2).
  Tensor<B> operator()(const Tensor<B>& x, const Tensor<B>& share) const {
    return detail::GruSteps<B>::run(update(x), reset(x), candidate(x), from_state.weight(), share);
  }

  template <class V> void visit(V&& v) { v("update", update), v("reset", reset), v("candidate", candidate), v("from_state", from_state); }

  Linear<B> update, reset, candidate;  ///< [width, in]: W_u, W_r, W_c
  Linear<B> from_state;                ///< [3 width, width]: U_u, U_r, U_c
};

}  // namespace chronotope
