#pragma once
// What STIM adds: forgetting masks and interest units.

#include "fused/comparison.hpp"

namespace chronotope::test {

/// Behaviours that are there: all, none, a tail, and one with gaps, in turn.
inline std::vector<std::uint8_t> some_valid(std::int64_t samples, std::int64_t kept) {
  std::vector<std::uint8_t> valid;
  for (std::int64_t b = 0; b < samples; ++b)
    for (std::int64_t j = 0; j < kept; ++j) valid.push_back(b % 4 == 0 || (b % 4 == 2 && j >= kept / 2) || (b % 4 == 3 && j % 3 != 1));
  return valid;
}

struct HminSize {
  std::int64_t samples, queries, masks, kept, width, heads, hidden, out;
};

template <class V> void hmin_case(V&& visit, const HminSize& n) {
  const auto unit = [n](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    const auto valid = Tensor<B>::from_host(c, some_valid(n.samples, n.kept), {n.samples, n.kept});
    return hmin<B>({x[0], x[1], x[2], valid, x[3], x[4], x[5], x[6], x[7]});
  };
  const std::vector<Shape> shapes{{n.samples, n.queries, n.width}, {n.samples, n.kept, n.width}, {n.samples, n.masks, n.kept}, {1},
                                  {n.heads * n.hidden, n.width}, {n.heads * n.hidden}, {n.heads, n.out, n.hidden}, {n.heads, n.out}};
  const auto terms = static_cast<double>(std::max({n.samples * n.kept, n.samples * n.queries * n.masks, n.width, n.heads * n.hidden}));
  visit(FusedCase{"hmin", to_string(shapes[1]), terms}, WithGradients{shapes, 1, unit});
}

// Widths from 2 on: a gradient through a unit vector of one element is pure cancellation.
template <class V> void hmin_cases(V&& visit) {
  for (const HminSize& n : {HminSize{5, 5, 3, 7, 8, 2, 5, 8}, HminSize{6, 2, 1, 50, 33, 1, 20, 70}, HminSize{9, 5, 3, 20, 64, 2, 32, 64}}) hmin_case(visit, n);
}

template <class V> void forgetting_case(V&& visit, std::int64_t kept, const CurveShape& curve, const char* what) {
  const std::int64_t samples = 9, materials = 3;
  const auto mask = [=](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    std::vector<std::uint8_t> review;
    std::vector<double> time;
    for (std::int64_t i = 0; i < samples * materials * kept; ++i) review.push_back(philox_uniform(3, 1, static_cast<std::uint64_t>(i)) < 0.3);
    for (std::int64_t i = 0; i < samples * kept; ++i) time.push_back(static_cast<double>(kept - i % kept) * 1.25 - 1);
    const ReviewTensors<B> at{Tensor<B>::from_host(c, some_valid(samples, kept), {samples, kept}),
                              Tensor<B>::from_host(c, review, {samples, materials, kept}), upload(c, time, {samples, kept}, x[0].dtype())};
    // Constants near the paper's, whatever was drawn for them.
    return forgetting_mask<B>(at, {x[0] * 0.1 + 0.4, x[1] * 0.1 + 0.9, x[2] * 3.0 + 20.0, x[3] * 0.5 + 2.0}, curve);
  };
  // What the least and the largest get cancels most of the rest: the terms are larger than the sums by this much.
  const double cancelled = 64;
  visit(FusedCase{"forgetting_mask", what + (" of " + std::to_string(kept)), static_cast<double>(samples * kept) * cancelled, Taken::either, false},
        WithGradients{std::vector<Shape>(4, Shape{materials}), 1, mask});
}

template <class V> void forgetting_cases(V&& visit) {
  for (const std::int64_t kept : {1, 4, 50})
    for (const bool logistic : {false, true}) {
      forgetting_case(visit, kept, {.form = CurveForm::exponential, .logistic = logistic}, "exponential");
      forgetting_case(visit, kept, {.form = CurveForm::power, .logistic = logistic}, "power");
      forgetting_case(visit, kept, {.form = CurveForm::logarithm, .logistic = logistic}, "logarithm");
    }
}

}  // namespace chronotope::test
