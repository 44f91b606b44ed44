#pragma once
// A fused operation, forward and backward, on a backend in f32 and f64, against the composition in f64.

#include "chronotope/testing/tolerance.hpp"
#include "ops/support.hpp"

namespace chronotope::test {

/// The result and the gradients of all inputs, and whether one node stands for the whole operation.
struct Outcome {
  std::vector<std::vector<double>> tensors;
  bool one_node = true;
};

template <Backend B> std::vector<double> on_host(const Tensor<B>& x) {
  if (x.dtype() == DType::f64) return x.template to_host<double>();
  const auto values = x.template to_host<float>();
  return {values.begin(), values.end()};
}

template <Backend B> Tensor<B> upload(Context<B>& c, const std::vector<double>& values, const Shape& shape, DType dtype) {
  const std::vector<float> rounded(values.begin(), values.end());  // the same numbers in f32 and f64
  const Tensor<B> x = Tensor<B>::from_host(c, rounded, shape);
  return cast(x, dtype);
}

template <Backend B, class F> Outcome outcome(const std::vector<Shape>& shapes, DType dtype, double range, F f) {
  Context<B> c(typename B::stream(), 42);
  std::vector<Parameter<B>> parameters;
  std::vector<Tensor<B>> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    parameters.emplace_back(upload(c, draw(shapes[i].elements(), 100 + i, -range, range), shapes[i], dtype));
    inputs.push_back(parameters.back()());
  }
  const Tensor<B> y = f(c, inputs);
  Outcome result;
  for (const auto& input : y.node()->inputs) result.one_node = result.one_node && (!input || input->leaf);
  backward(y, upload(c, draw(y.elements(), 99), y.shape(), dtype));
  result.tensors.push_back(on_host(y));
  for (const Parameter<B>& p : parameters) result.tensors.push_back(on_host(p.gradient().dense));
  return result;
}

/// The formula of testing/tolerance.hpp with the root mean square of all reference values for that of the terms of one
/// sum: sums of `terms` random terms are not smaller than those. R is the type that was rounded to; `most` is 2 where the
/// reference is rounded like that as well.
template <class R = float> void check_close(const Outcome& actual, const Outcome& expected, double terms, double most = 1) {
  REQUIRE(actual.tensors.size() == expected.tensors.size());
  for (std::size_t t = 0; t < expected.tensors.size(); ++t) {
    const auto &a = actual.tensors[t], &r = expected.tensors[t];
    REQUIRE(a.size() == r.size());
    double squares = 0;
    for (double x : r) squares += x * x;
    const double rms = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(r.size(), 1)));
    double worst = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
      const double share = a[i] == r[i] ? 0 : std::abs(a[i] - r[i]) / testing::tolerance<R>(terms, rms, r[i]);
      worst = share <= worst ? worst : share;  // NaN becomes the worst
    }
    INFO("tensor ", t, " (0 is the result, the others gradients): error as a share of the tolerance");
    CHECK(worst <= most);
  }
}

enum class Taken { yes, either };

/// Checks the fused operation; the outcome of the composition.
template <Backend Fused, class F>
Outcome compare_fused(const std::vector<Shape>& shapes, double terms, F f, Taken taken = Taken::yes, double range = 1.5) {
  const Outcome reference = outcome<Reference>(shapes, DType::f64, range, f);
  const Outcome fused = outcome<Fused>(shapes, DType::f32, range, f);
  if (taken == Taken::yes) CHECK(fused.one_node);
  {
    INFO("fused");
    check_close(fused, reference, terms);
  }
  const Outcome again = outcome<Fused>(shapes, DType::f32, range, f);
  CHECK(again.tensors == fused.tensors);  // the same bits from run to run
  INFO("f64 on the fast backend");
  const Outcome wide = outcome<Fused>(shapes, DType::f64, range, f);
  check_close<double>(wide, reference, terms, 2);
  return reference;
}

}  // namespace chronotope::test
