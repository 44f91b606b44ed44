#pragma once
// Search-based Interest Model, exact search unit (Pi et al., "Search-based User Interest Modeling with Lifelong Sequential
// Behavior Data for Click-Through Rate Prediction", CIKM 2020).

#include "chronotope/components/behaviour/target_attention.hpp"
#include "chronotope/ops/index.hpp"

namespace chronotope {

struct SimOptions {
  std::int64_t heads = 4;  ///< of width d_k / H, rounded down
  std::int64_t age = 16;   ///< width of an age's embedding
};

/// Every behaviour is its key and an embedding of its age, z_j = [k_j, t_j]; each of H heads attends over them with the
/// request and pools the z_j themselves (section "Exact Search Unit"), heads one after another.
/// Departs from the paper: the request stands for the candidate; scores are divided by sqrt(head width); the general
/// search unit, which is trained there, is the search that all models here share; no second, short sequence.
template <Backend B> class Sim {
 public:
  using backend = B;
  static constexpr std::int32_t age_buckets = 16;

  Sim(Context<B>& context, const ClickWidths& widths, const SimOptions& o = {}, DType dtype = DType::f32)
      : ages(context, age_buckets, o.age, dtype),
        weights(context, widths.request(), widths.key + o.age, o.heads, widths.key / std::max<std::int64_t>(o.heads, 1), dtype),
        widths_(widths), pooled_(widths.key + o.age) {}

  std::int64_t width() const { return weights.heads() * pooled_; }

  /// Which embedding an age in days has: 0 below an hour, then one more with each doubling (1 to 3 hours, 3 to 7, …), the
  /// last from 3.7 years on.
  static std::int32_t age_bucket(double days) {
    const double hours = std::max(days, 0.0) * 24;
    return static_cast<std::int32_t>(std::min(std::floor(std::log2(hours + 1)), age_buckets - 1.0));
  }

  /// [B, H (d_k + age)]; zeros without behaviours.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("sim");
    const auto buckets = detail::of_kept<std::int32_t>(x.host, [&](std::size_t, std::size_t at) { return age_bucket(x.host.age[at]); });
    const Tensor<B> age = ages(detail::upload(x.keys, buckets, x.valid.shape()));  // [B, k, age]
    const Tensor<B> z = concat(std::vector<Tensor<B>>{kept_keys(x, widths_), age}, 2);
    const Tensor<B> w = weights(weights.queries(x.request.whole()), z, unsqueeze(x.valid, 1));
    return reshape(matmul(w, z), {z.size(0), width()});
  }

  template <class V> void visit(V&& v) { v("ages", ages), weights.visit(v); }

  Embedding<B> ages;  ///< [age_buckets, age]
  TargetWeights<B> weights;

 private:
  ClickWidths widths_;
  std::int64_t pooled_;
};

}  // namespace chronotope
