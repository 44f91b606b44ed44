#pragma once
// Multi-head attention: what STIM's Table S5 puts in the place of its interest unit.

#include "chronotope/components/behaviour/target_attention.hpp"

namespace chronotope {

struct MultiHeadAttentionOptions {
  std::int64_t heads = 4;  ///< must divide d_k
};

/// Multi-head attention (Vaswani et al. 2017, 3.2.2) of the request over the kept behaviours and a last linear layer; the
/// query is made of the whole request. No forgetting mask takes part. No biases, so a sample without behaviours gets zeros.
template <Backend B> class MultiHeadAttention {
 public:
  using backend = B;

  MultiHeadAttention(Context<B>& context, const ClickWidths& widths, const MultiHeadAttentionOptions& o = {}, DType dtype = DType::f32)
      : attention(context, widths.request(), widths.key, o.heads, dtype),
        out(context, widths.key, widths.key, false, dtype, detail::fan_in(widths.key)), widths_(widths) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("multi_head_attention");
    return out(attention(x.request.whole(), kept_keys(x, widths_), x.valid));
  }

  template <class V> void visit(V&& v) { v("attention", attention), v("out", out); }

  TargetAttention<B> attention;
  Linear<B> out;  ///< [d_k, d_k]

 private:
  ClickWidths widths_;
};

}  // namespace chronotope
