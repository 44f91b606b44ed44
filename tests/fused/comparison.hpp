#pragma once
// A fused operation, forward and backward, on a backend in f32 and f64, against the composition in f64.

#include <limits>

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

/// What outcome() computes on; tests of a backend's modes put another maker here.
template <Backend B> inline typename B::stream (*new_stream)() = [] { return typename B::stream(); };

template <Backend B, class F> Outcome outcome(const std::vector<Shape>& shapes, DType dtype, double range, F f) {
  Context<B> c(new_stream<B>(), 42);
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

/// The largest error of a tensor as a share of its tolerance: the formula of testing/tolerance.hpp with the root mean square
/// of all reference values for that of the terms of one sum, because sums of `terms` random terms are not smaller than those.
/// R is the type that was rounded to. NaN where there is one, or where the sizes differ.
template <class R> double worst_share(const std::vector<double>& a, const std::vector<double>& r, double terms) {
  if (a.size() != r.size()) return std::numeric_limits<double>::quiet_NaN();
  double squares = 0;
  for (double x : r) squares += x * x;
  const double rms = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(r.size(), 1)));
  double worst = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double share = a[i] == r[i] ? 0 : std::abs(a[i] - r[i]) / testing::tolerance<R>(terms, rms, r[i]);
    worst = share <= worst ? worst : share;  // NaN becomes the worst
  }
  return worst;
}

/// `most` is 2 where the reference is rounded like the result.
template <class R = float> void check_close(const Outcome& actual, const Outcome& expected, double terms, double most = 1) {
  REQUIRE(actual.tensors.size() == expected.tensors.size());
  for (std::size_t t = 0; t < expected.tensors.size(); ++t) {
    INFO("tensor ", t, " (0 is the result, the others gradients): error as a share of the tolerance");
    CHECK(worst_share<R>(actual.tensors[t], expected.tensors[t], terms) <= most);
  }
}

enum class Taken { yes, either };

/// What is compared: of the lists in this folder, which tests and the parity table go through.
struct FusedCase {
  std::string operation, what;  ///< "rms_norm", "[3, 5]"
  double terms;                 ///< of its largest sum
  Taken taken = Taken::yes;     ///< whether a backend that has the hook must take it
  bool alone = true;            ///< whether nothing else is recorded: one node then says that the hook took it
};

/// f of tensors of these shapes, drawn from ±range, and its gradients, on any backend.
template <class F> struct WithGradients {
  std::vector<Shape> shapes;
  double range;
  F f;
  template <Backend B> Outcome run(DType dtype) const { return outcome<B>(shapes, dtype, range, f); }
};
template <class F> WithGradients(std::vector<Shape>, double, F) -> WithGradients<F>;

/// A backend with hooks must come out as the composition in f64 does, in both dtypes, and the same from run to run.
template <Backend Fused> struct EqualsComposition {
  template <class R> Outcome operator()(const FusedCase& use, const R& run) const {
    INFO(use.operation, " of ", use.what);
    const Outcome reference = run.template run<Reference>(DType::f64), fused = run.template run<Fused>(DType::f32);
    if (use.taken == Taken::yes) CHECK(fused.one_node);
    {
      INFO("f32");
      check_close(fused, reference, use.terms);
    }
    CHECK(run.template run<Fused>(DType::f32).tensors == fused.tensors);
    INFO("f64");
    check_close<double>(run.template run<Fused>(DType::f64), reference, use.terms, 2);
    return reference;
  }
};

template <Backend Fused, class F>
Outcome compare_fused(const std::vector<Shape>& shapes, double terms, F f, Taken taken = Taken::yes, double range = 1.5) {
  return EqualsComposition<Fused>()({"an operation", to_string(shapes[0]), terms, taken}, WithGradients{shapes, range, f});
}

}  // namespace chronotope::test
