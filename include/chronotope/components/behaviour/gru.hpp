#pragma once
// A gated recurrent unit over behaviours in time order.

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/nn/layers.hpp"

namespace chronotope {

/// Gated recurrent unit (Cho et al. 2014), in DIEN's writing (eq. 2 to 5):
///   u = sigmoid(W_u x + U_u h + b_u), r = sigmoid(W_r x + U_r h + b_r), c = tanh(W_c x + r * U_c h + b_c), h' = h + s u (c - h)
/// with a share s of each update that comes from outside: 0 skips the step.
template <Backend B> class Gru {
 public:
  using backend = B;
  Gru(Context<B>& context, std::int64_t in, std::int64_t width, DType dtype)
      : gates(context, in, 2 * width, true, dtype, detail::fan_in(in)), candidate(context, in, width, true, dtype, detail::fan_in(in)),
        from_state(context, width, 3 * width, false, dtype, detail::fan_in(width)), width_(width) {}

  /// x [k, B, in], share [k, B, 1] -> the state after each step, k of [B, width]. The inputs' part is one product for all
  /// steps; then k small steps follow, O(k B width^2).
  std::vector<Tensor<B>> operator()(const Tensor<B>& x, const Tensor<B>& share) const {
    const Tensor<B> of_gates = gates(x), of_candidate = candidate(x);
    std::vector<Tensor<B>> states;
    Tensor<B> h = full<B>(x.state(), {x.size(1), width_}, 0, x.dtype());
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      const Tensor<B> before = from_state(h);
      const Tensor<B> g = sigmoid(select(of_gates, 0, t) + slice(before, 1, 0, 2 * width_));
      const Tensor<B> c = tanh(select(of_candidate, 0, t) + slice(g, 1, width_, 2 * width_) * slice(before, 1, 2 * width_, 3 * width_));
      h = h + slice(g, 1, 0, width_) * select(share, 0, t) * (c - h);
      states.push_back(h);
    }
    return states;
  }

  template <class V> void visit(V&& v) { v("gates", gates), v("candidate", candidate), v("from_state", from_state); }

  Linear<B> gates;       ///< [2 width, in]: W_u, then W_r
  Linear<B> candidate;   ///< [width, in]: W_c
  Linear<B> from_state;  ///< [3 width, width]: U_u, U_r, U_c

 private:
  std::int64_t width_;
};

}  // namespace chronotope
