#pragma once
// Forgetting curves as masks over behaviours (STIM, "Spatiotemporal Dynamic Masking with Forgetting Curve", eq. 2, 4, 5, 6).

#include "chronotope/components/review_points.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/forgetting.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// What follows the curve, one layer a material.
enum class MaskLayer : std::uint8_t {
  none,
  dense,     ///< [k] -> [k]; begins as the identity
  pointwise  ///< one factor and one summand for all positions
};

struct ForgettingOptions {
  std::int64_t kept = 50;                                        ///< k
  std::vector<std::string> materials{"hour", "week", "geohash"}; ///< M names
  CurveForm form = CurveForm::exponential;
  double r_init = 0.4, r_final = 0.9, s = 20, i = 2;  ///< the paper's Rinit, Rfinal, S, I
  double power_c = 1, power_m = -0.5;
  double log_a = 1, log_b = 0.2, log_c = 1;
  bool trained = false;   ///< whether Rinit, Rfinal, S and I are learned, one of each a material
  bool logistic = false;  ///< a logistic function after the scaling (the other reading of eq. 6)
  MaskLayer layer = MaskLayer::dense;
  DType dtype = DType::f32;
};

/// R(t) before the first review, R_n of what is forgotten since the n-th afterwards; scaled to 0 .. 1 over the behaviours
/// there are, 0 in padding, 1 where all are alike; then the material's layer.
template <Backend B> class ForgettingMask {
 public:
  using backend = B;

  /// Throws ConfigError for kept < 1, no material, S <= 0, a power m >= 0, c <= 0.
  ForgettingMask(Context<B>& context, const ForgettingOptions& o)
      : r_init(constant(context, o, o.r_init)), r_final(constant(context, o, o.r_final)), s(constant(context, o, o.s)),
        i(constant(context, o, o.i)), options_(o) {
    check(o);
    if (!o.trained)
      for (Parameter<B>* p : {&r_init, &r_final, &s, &i}) p->freeze();
    for (std::size_t m = 0; m < o.materials.size(); ++m) {
      if (o.layer == MaskLayer::dense) dense.push_back(identity(context));
      if (o.layer == MaskLayer::pointwise) pointwise.emplace_back(constant_parameter(context, {2}, 0, o.dtype));
    }
  }

  std::int64_t materials() const { return static_cast<std::int64_t>(options_.materials.size()); }

  /// The masks M' [B, M, k] of STIM.
  Tensor<B> operator()(const ReviewPoints& points) const {
    const ModuleScope scope("forgetting_mask");
    const Tensor<B> m = forgetting_mask(on_device(points), constants(), shape());
    if (options_.layer == MaskLayer::none) return m;
    std::vector<Tensor<B>> rows;
    for (std::int64_t j = 0; j < materials(); ++j) rows.push_back(layered(select(m, 1, j), static_cast<std::size_t>(j)));
    return stack(rows, 1);
  }

  /// R(t) [B, M, k] before the scaling; what stands in padding means nothing.
  Tensor<B> curve(const ReviewPoints& points) const { return retention(on_device(points), constants(), shape()); }

  template <class V> void visit(V&& v) {
    v("r_init", r_init), v("r_final", r_final), v("s", s), v("i", i);
    for (std::size_t m = 0; m < dense.size(); ++m) v("layer." + options_.materials[m], dense[m]);
    for (std::size_t m = 0; m < pointwise.size(); ++m) v("layer." + options_.materials[m], pointwise[m]);
  }

  Parameter<B> r_init, r_final, s, i;     ///< [M]
  std::vector<Linear<B>> dense;           ///< [M] of k -> k
  std::vector<Parameter<B>> pointwise;    ///< [M] of {factor - 1, summand}

 private:
  static void check(const ForgettingOptions& o) {
    if (o.kept < 1 || o.materials.empty()) throw ConfigError("a forgetting mask needs at least one behaviour and one material");
    if (!(o.s > 0)) throw ConfigError("the forgetting constant S must be above 0");
    if (!(o.power_c > 0) || !(o.power_m < 0) || !(o.log_c > 0))
      throw ConfigError("a power curve needs c > 0 and m < 0, a logarithmic one c > 0");
  }
  static Parameter<B> constant(Context<B>& context, const ForgettingOptions& o, double value) {
    return constant_parameter(context, {static_cast<std::int64_t>(o.materials.size())}, value, o.dtype);
  }
  Linear<B> identity(Context<B>& context) const {
    const std::int64_t k = options_.kept;
    Linear<B> layer(context, k, k, true, options_.dtype);
    std::vector<float> eye(static_cast<std::size_t>(k * k));
    for (std::int64_t j = 0; j < k; ++j) eye[static_cast<std::size_t>(j * (k + 1))] = 1;
    layer.weight.assign(cast(Tensor<B>::from_host(context, eye, {k, k}), options_.dtype));
    return layer;
  }

  CurveShape shape() const {
    const ForgettingOptions& o = options_;
    return {o.form, o.power_c, o.power_m, o.log_a, o.log_b, o.log_c, o.logistic};
  }
  ForgettingConstants<B> constants() const { return {r_init(), r_final(), s(), i()}; }

  ReviewTensors<B> on_device(const ReviewPoints& points) const {
    if (points.kept != options_.kept || points.materials != materials())
      throw ShapeError("[forgetting mask] " + std::to_string(points.materials) + " materials of " + std::to_string(points.kept) +
                       " behaviours, made for " + std::to_string(materials()) + " of " + std::to_string(options_.kept));
    const auto upload = [&](const auto& values, const Shape& shape) { return Tensor<B>::from_host(s.value().state(), std::span(values), shape); };
    const Shape rows{points.samples, points.kept}, all{points.samples, points.materials, points.kept};
    return {upload(points.valid, rows), upload(points.review, all), cast(upload(points.time, rows), options_.dtype)};
  }

  Tensor<B> layered(const Tensor<B>& m, std::size_t material) const {
    if (options_.layer == MaskLayer::dense) return dense[material](m);
    const Tensor<B> p = pointwise[material]();
    return m * (slice(p, 0, 0, 1) + 1.0) + slice(p, 0, 1, 2);
  }

  ForgettingOptions options_;
};

}  // namespace chronotope
