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
/// one attention for all views; no further evolution of the spectra over time. The transform is a product with two fixed
/// matrices, O(k^2) an element, which for k around 50 costs less than its data movement.
template <Backend B> class Fim {
 public:
  using backend = B;

  /// Throws ConfigError for a negative number of materials or no kept behaviour.
  Fim(Context<B>& context, const ClickWidths& widths, const FimOptions& o = {}, DType dtype = DType::f32)
      : attention(context, widths.request(), widths.key, o.heads, dtype),
        real(normal_parameter(context, filter_shape(widths, o), initial_deviation, dtype)),
        imaginary(normal_parameter(context, filter_shape(widths, o), initial_deviation, dtype)), widths_(widths), views_(o.materials + 1) {
    make_transforms(real.value());
  }

  std::int64_t width() const { return views_ * widths_.key; }

  /// [B, (M + 1) d_k]; zeros for a view with no behaviour. The number of kept behaviours must be the constructor's: filters
  /// belong to frequencies. Throws ShapeError otherwise, or when the batch has fewer materials.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("fim");
    const Tensor<B> keys = detail::kept_keys(x, widths_), there = views_of(x);                                    // u8 [B, V, 1, k]
    const Tensor<B> series = where(there, unsqueeze(transpose(keys, 1, 2), 1), scalar_like(keys, 0));              // [B, V, d_k, k]
    const Tensor<B> seen = transpose(series + filtered(series), 2, 3);                                             // [B, V, k, d_k]
    const Tensor<B> queries = unsqueeze(attention.weights.queries(x.request.whole()), 1);                          // [B, 1, H, d_k]
    return reshape(attention.values(matmul(attention.weights(queries, seen, there), seen)), {keys.size(0), width()});
  }

  template <class V> void visit(V&& v) { attention.visit(v), v("real", real), v("imaginary", imaginary); }

  TargetAttention<B> attention;
  Parameter<B> real, imaginary;  ///< [M + 1, d_k, k / 2 + 1] of W

 private:
  static Shape filter_shape(const ClickWidths& widths, const FimOptions& o) {
    if (o.materials < 0 || widths.kept < 1) throw ConfigError("a frequency filter needs at least one kept behaviour and no negative number of materials");
    return {o.materials + 1, widths.key, widths.kept / 2 + 1};
  }

  /// The discrete Fourier transform of real series of length k, [2 F, k] (real parts, then imaginary ones, of frequencies 0
  /// to k / 2), and its inverse [k, 2 F].
  void make_transforms(const Tensor<B>& like) {
    const std::int64_t k = widths_.kept, f = k / 2 + 1;
    std::vector<double> there(static_cast<std::size_t>(2 * f * k)), back(there.size());
    for (std::int64_t i = 0; i < f; ++i)
      for (std::int64_t j = 0; j < k; ++j) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(i * j % k) / static_cast<double>(k);
        const double twice = (i == 0 || 2 * i == k ? 1.0 : 2.0) / static_cast<double>(k);  // frequency k - i is the conjugate of i
        there[static_cast<std::size_t>(i * k + j)] = std::cos(angle), there[static_cast<std::size_t>((f + i) * k + j)] = -std::sin(angle);
        back[static_cast<std::size_t>(j * 2 * f + i)] = twice * std::cos(angle), back[static_cast<std::size_t>(j * 2 * f + f + i)] = -twice * std::sin(angle);
      }
    forward_ = detail::upload(like, there, {2 * f, k}), inverse_ = detail::upload(like, back, {k, 2 * f});
  }

  /// series [B, V, d_k, k] -> F^-1(W F(series)) of the same shape.
  Tensor<B> filtered(const Tensor<B>& series) const {
    const Tensor<B> spectrum = linear(series, forward_), w = real(), v = imaginary();
    const std::int64_t f = w.size(2);
    const Tensor<B> re = slice(spectrum, 3, 0, f), im = slice(spectrum, 3, f, 2 * f);
    return linear(concat(std::vector<Tensor<B>>{re * w - im * v, re * v + im * w}, 3), inverse_);
  }

  /// Which behaviours each view sees, [B, V, 1, k].
  Tensor<B> views_of(const ClickInputs<B>& x) const {
    const ClickBatch& host = x.host;
    if (host.kept != widths_.kept || host.materials + 1 < views_)
      throw ShapeError("[fim] " + std::to_string(host.kept) + " behaviours with flags of " + std::to_string(host.materials) +
                       " materials, made for " + std::to_string(widths_.kept) + " and at least " + std::to_string(views_ - 1));
    const auto k = static_cast<std::size_t>(host.kept), views = static_cast<std::size_t>(views_), materials = static_cast<std::size_t>(host.materials);
    std::vector<std::uint8_t> there(host.valid.size() * views);
    for (std::size_t at = 0; at < host.valid.size(); ++at)
      for (std::size_t v = 0; v < views; ++v)
        there[(at / k * views + v) * k + at % k] = host.valid[at] && (v == 0 || host.review[(at / k * materials + v - 1) * k + at % k]);
    return detail::upload(x.keys, there, {host.samples, views_, 1, host.kept});
  }

  ClickWidths widths_;
  std::int64_t views_;
  Tensor<B> forward_, inverse_;
};

}  // namespace chronotope
