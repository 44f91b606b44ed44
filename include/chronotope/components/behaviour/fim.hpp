#pragma once
// Frequency-aware multi-view interest modelling (Wang et al., "FIM: Frequency-Aware Multi-View Interest Modeling for
// Local-Life Service Recommendation", SIGIR 2025).

#include <numbers>

#include "chronotope/components/behaviour/target_attention.hpp"

namespace chronotope {

struct FimOptions {
  std::int64_t heads = 4;      ///< must divide d_k
  std::int64_t materials = 3;  ///< M of the batches; M + 1 views
};

/// Several views of the behaviours; each is filtered in the frequency domain along the order of the behaviours, x + F^-1(W
/// F(x)) with a learned complex W for every view, frequency and key element, and the request attends over it; the views'
/// results stand one after another.
/// Departs from the paper: the views are all kept behaviours and, for each material, those in the request's group (the
/// review flags; there: searches by different attributes of the item); what is not in a view is 0 in its sequence;
/// one attention for all views; no further evolution of the spectra over time.
/// F^-1 W F is a circular convolution, so a [k, k] matrix for each view and element: made of W by one fixed product, and
/// applied as a batched product. O(k) an element and behaviour; for k around 50 faster than going through the spectra.
template <Backend B> class Fim {
 public:
  using backend = B;

  /// Throws ConfigError for a negative number of materials or no kept behaviour.
  Fim(Context<B>& context, const ClickWidths& widths, const FimOptions& o = {}, DType dtype = DType::f32)
      : attention(context, widths.request(), widths.key, o.heads, dtype),
        real(normal_parameter(context, filter_shape(widths, o), initial_deviation, dtype)),
        imaginary(normal_parameter(context, filter_shape(widths, o), initial_deviation, dtype)), widths_(widths), views_(o.materials + 1) {
    make_transform(real.value());
  }

  std::int64_t width() const { return views_ * widths_.key; }

  /// [B, (M + 1) d_k]; zeros for a view with no behaviour. The number of kept behaviours must be the constructor's: filters
  /// belong to frequencies. Throws ShapeError otherwise, or when the batch has fewer materials.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("fim");
    const Tensor<B> keys = kept_keys(x, widths_), there = views_of(x);                                         // u8 [V, 1, B, k]
    const Tensor<B> series = where(there, unsqueeze(contiguous(permute(keys, {2, 0, 1})), 0), scalar_like(keys, 0));    // [V, d_k, B, k]
    const Tensor<B> seen = contiguous(permute(matmul(series, transpose(filters(), 2, 3)), {2, 0, 3, 1}));               // [B, V, k, d_k]
    const Tensor<B> queries = unsqueeze(attention.weights.queries(x.request.whole()), 1);                               // [B, 1, H, d_k]
    const Tensor<B> weights = attention.weights(queries, seen, permute(there, {2, 0, 1, 3}));
    return reshape(attention.values(matmul(weights, seen)), {keys.size(0), width()});
  }

  template <class V> void visit(V&& v) { attention.visit(v), v("real", real), v("imaginary", imaginary); }

  TargetAttention<B> attention;
  Parameter<B> real, imaginary;  ///< [M + 1, d_k, k / 2 + 1] of W

 private:
  static Shape filter_shape(const ClickWidths& widths, const FimOptions& o) {
    if (o.materials < 0 || widths.kept < 1) throw ConfigError("a frequency filter needs at least one kept behaviour and no negative number of materials");
    return {o.materials + 1, widths.key, widths.kept / 2 + 1};
  }

  /// What takes W (real parts, then imaginary ones, of frequencies 0 to k / 2) to the matrix of its convolution, [k k, 2 F]:
  /// row (j, i) is how the inverse transform of length k makes element j - i. `identity_` [k, k] is the x in x + ….
  void make_transform(const Tensor<B>& like) {
    const std::int64_t k = widths_.kept, f = k / 2 + 1;
    std::vector<double> rows, identity;
    for (std::int64_t j = 0; j < k; ++j)
      for (std::int64_t i = 0; i < k; ++i) {
        identity.push_back(i == j);
        for (const bool imaginary_part : {false, true})
          for (std::int64_t n = 0; n < f; ++n) {
            const double angle = 2 * std::numbers::pi * static_cast<double>(n * (j - i + k) % k) / static_cast<double>(k);
            const double twice = (n == 0 || 2 * n == k ? 1.0 : 2.0) / static_cast<double>(k);  // frequency k - n is the conjugate of n
            rows.push_back(twice * (imaginary_part ? -std::sin(angle) : std::cos(angle)));
          }
      }
    convolution_ = detail::upload(like, rows, {k * k, 2 * f}), identity_ = detail::upload(like, identity, {k, k});
  }

  /// x + F^-1 W F(x) as matrices, [V, d_k, k, k].
  Tensor<B> filters() const {
    const Tensor<B> w = concat(std::vector<Tensor<B>>{real(), imaginary()}, 2);
    return reshape(linear(w, convolution_), {views_, widths_.key, widths_.kept, widths_.kept}) + identity_;
  }

  /// Which behaviours each view sees, [V, 1, B, k].
  Tensor<B> views_of(const ClickInputs<B>& x) const {
    const ClickBatch& host = x.host;
    if (host.kept != widths_.kept || host.materials + 1 < views_)
      throw ShapeError("[fim] " + std::to_string(host.kept) + " behaviours with flags of " + std::to_string(host.materials) +
                       " materials, made for " + std::to_string(widths_.kept) + " and at least " + std::to_string(views_ - 1));
    const auto k = static_cast<std::size_t>(host.kept), materials = static_cast<std::size_t>(host.materials);
    std::vector<std::uint8_t> there;
    for (std::size_t v = 0; v < static_cast<std::size_t>(views_); ++v)
      for (std::size_t at = 0; at < host.valid.size(); ++at)
        there.push_back(host.valid[at] && (v == 0 || host.review[(at / k * materials + v - 1) * k + at % k]));
    return detail::upload(x.keys, there, {views_, 1, host.samples, host.kept});
  }

  ClickWidths widths_;
  std::int64_t views_;
  Tensor<B> convolution_, identity_;
};

}  // namespace chronotope
