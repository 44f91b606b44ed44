#pragma once
// Long-term Interest Clock (Zhu et al., "Long-Term Interest Clock: Fine-Grained Time Perception in Streaming Recommendation
// System", WWW Companion 2025).

#include "chronotope/components/behaviour/target_attention.hpp"
#include "chronotope/ops/index.hpp"

namespace chronotope {

struct LongInterestClockOptions {
  std::int64_t heads = 4;    ///< must divide d_k
  std::int64_t hidden = 16;  ///< of s
};

/// Target attention whose scores have a learned function of the clock's gap added: (W_b k_j) . (W_q q) / sqrt(d) + s(gap_j),
/// gap_j being the distance of the behaviour's hour and the request's round the clock, s a two-layer network
/// (section "Clock-ESU").
/// Departs from the paper: gaps are whole hours (there: seconds); s has one output a head; the request stands for the
/// candidate; the search for behaviours (there: with the same score, "Clock-GSU") is the one all models here share.
template <Backend B> class LongInterestClock {
 public:
  using backend = B;

  LongInterestClock(Context<B>& context, const ClickWidths& widths, const LongInterestClockOptions& o = {}, DType dtype = DType::f32)
      : attention(context, widths.request(), widths.key, o.heads, dtype),
        gap(context, 1, o.hidden, true, dtype, std::sqrt(2.0)), score(context, o.hidden, o.heads, false, dtype, detail::fan_in(o.hidden)), widths_(widths) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("long_interest_clock");
    const Tensor<B> keys = kept_keys(x, widths_);
    const auto gaps = detail::of_kept<std::int32_t>(
        x.host, [&](std::size_t sample, std::size_t at) { return detail::clock_distance(x.host.hour[sample], x.host.behaviour_hour[at]); });
    const Tensor<B> bias = gather(of_gaps(keys), detail::upload(keys, gaps, x.valid.shape()));  // [B, k, H]
    return attention(x.request.whole(), keys, x.valid, transpose(bias, 1, 2));
  }

  template <class V> void visit(V&& v) { attention.visit(v), v("gap", gap), v("score", score); }

  TargetAttention<B> attention;
  Linear<B> gap, score;  ///< s: [hidden, 1] of the gap in units of 12 hours, [H, hidden] without a bias (it would cancel)

 private:
  /// s of the 13 gaps there can be, [13, H].
  Tensor<B> of_gaps(const Tensor<B>& like) const {
    std::vector<double> gaps(13);
    for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = static_cast<double>(i) / 12;
    return score(gap.rectified(detail::upload(like, gaps, {13, 1})));
  }

  ClickWidths widths_;
};

}  // namespace chronotope
