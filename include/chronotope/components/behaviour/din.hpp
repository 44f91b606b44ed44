#pragma once
// Deep Interest Network (Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018).

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

struct DinOptions {
  std::int64_t hidden = 64;  ///< of the activation unit
};

/// The sum of the keys k_j, each weighted by an activation unit a(q, k_j) (eq. 3), without a softmax: the size of the sum
/// says how strong the interest is. a: one hidden layer over [q, k, q - k, q * k].
/// Departs from the paper: q is a linear layer of the whole request (there: the candidate's embedding); ReLU instead of
/// Dice; one hidden layer; no mini-batch aware regularisation.
template <Backend B> class Din {
 public:
  using backend = B;

  Din(Context<B>& context, const ClickWidths& widths, const DinOptions& o = {}, DType dtype = DType::f32)
      : query(context, widths.request(), widths.key, true, dtype, detail::fan_in(widths.request())),
        hidden(context, 4 * widths.key, o.hidden, true, dtype, std::sqrt(2.0) * detail::fan_in(4 * widths.key)),
        score(context, o.hidden, 1, true, dtype, detail::fan_in(o.hidden)), widths_(widths) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("din");
    const Tensor<B> keys = kept_keys(x, widths_), q = query(x.request.whole());
    const Tensor<B> a = squeeze(score(relu(first_layer(q, keys))), 2);  // [B, k]
    const Tensor<B> weights = where(x.valid, a, scalar_like(a, 0));
    return squeeze(matmul(unsqueeze(weights, 1), keys), 1);
  }

  template <class V> void visit(V&& v) { v("query", query), v("hidden", hidden), v("score", score); }

  Linear<B> query;          ///< [d_k, request]
  Linear<B> hidden, score;  ///< [hidden, 4 d_k], its columns those of q, k, q - k, q * k; [1, hidden]

 private:
  /// The hidden layer taken apart: what depends on q alone is computed once a sample, and no [B, k, 4 d_k] is made.
  Tensor<B> first_layer(const Tensor<B>& q, const Tensor<B>& keys) const {
    const auto part = [&](std::int64_t i) { return slice(hidden.weight(), 1, i * widths_.key, (i + 1) * widths_.key); };
    const Tensor<B> of_query = linear(q, part(0) + part(2)) + (*hidden.bias)();
    const Tensor<B> of_keys = linear(keys, part(1) - part(2)) + linear(keys * unsqueeze(q, 1), part(3));
    return of_keys + unsqueeze(of_query, 1);
  }

  ClickWidths widths_;
};

}  // namespace chronotope
