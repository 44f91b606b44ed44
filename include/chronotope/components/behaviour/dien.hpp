#pragma once
// Deep Interest Evolution Network (Zhou et al., "Deep Interest Evolution Network for Click-Through Rate Prediction", AAAI 2019).

#include "chronotope/components/behaviour/gru.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

/// A GRU turns the keys into interests h_t (eq. 2 to 5), the request attends over them, a_t = softmax_t(h_t W q) (eq. 8),
/// and a second GRU whose update gate is scaled by a_t (AUGRU, eq. 11 and 12) lets them evolve; its last state is the result.
/// Departs from the paper: no auxiliary loss (eq. 6), since it needs behaviours that did not happen, which are not among
/// the inputs; the request stands for the candidate.
template <Backend B> class Dien {
 public:
  using backend = B;
  Dien(Context<B>& context, const ClickWidths& widths, DType dtype = DType::f32)
      : extractor(context, widths.key, widths.key, dtype), evolution(context, widths.key, widths.key, dtype),
        query(context, widths.request(), widths.key, true, dtype, detail::fan_in(widths.request())), widths_(widths) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("dien");
    if (x.host.kept == 0) return full<B>(x.keys.state(), {x.keys.size(0), widths_.key}, 0, x.keys.dtype());
    const Tensor<B> keys = permute(kept_keys(x, widths_), {1, 0, 2});  // [k, B, d_k]: a step's rows lie together
    const Tensor<B> there = unsqueeze(transpose(x.valid, 0, 1), 2);            // [k, B, 1]
    const Tensor<B> h = extractor(keys, cast(there, keys.dtype()));
    const Tensor<B> scores = sum(h * query(x.request.whole()), 2);              // [k, B]
    const Tensor<B> a = softmax_among(x.valid, transpose(scores, 0, 1));
    return select(evolution(h, unsqueeze(transpose(a, 0, 1), 2)), 0, x.host.kept - 1);
  }

  template <class V> void visit(V&& v) { v("extractor", extractor), v("evolution", evolution), v("query", query); }

  Gru<B> extractor, evolution;
  Linear<B> query;  ///< [d_k, request]: W q of eq. 8 in one

 private:
  ClickWidths widths_;
};

}  // namespace chronotope
