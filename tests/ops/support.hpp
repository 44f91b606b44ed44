#pragma once
// What the tests of operations share: inputs drawn from a fixed seed, comparison with doubles, the gradient check.

#include <doctest/doctest.h>

#include <functional>

#ifdef CHRONOTOPE_CHECKED_ON_CUDA
#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#else
#include "chronotope/backend/eigen_backend.hpp"
#endif
#include "chronotope/ops/ops.hpp"
#include "chronotope/testing/gradient_check.hpp"

namespace chronotope::test {

#ifdef CHRONOTOPE_CHECKED_ON_CUDA
using Reference = any_backend;  // over cuda: gradient checks, by tests/cuda and tests/cuda_on_host
inline Reference::stream reference_stream() { return any_stream<cuda_backend>(); }
inline constexpr int elements_checked(int) { return 1; }  // of each parameter of a model: emulated threads take their time
#else
using Reference = eigen_backend;
inline Reference::stream reference_stream() { return {}; }
inline constexpr int elements_checked(int wanted) { return wanted; }
#endif
using T = Tensor<Reference>;
using Inputs = std::vector<T>;

inline Context<Reference>& context() {
  static Context<Reference> made(reference_stream());
  return made;
}

/// n numbers in [low, high), always the same for one seed.
inline std::vector<double> draw(std::int64_t n, std::uint64_t seed, double low = -1, double high = 1) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i)
    values.push_back(low + (high - low) * philox_uniform(seed, 77, static_cast<std::uint64_t>(i)));
  return values;
}

inline T random(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) {
  return T::from_host(context(), draw(shape.elements(), seed, low, high), shape);
}

/// Like random(), but no element lies within 0.2 of 0: for functions with a kink there.
inline T away_from_zero(const Shape& shape, std::uint64_t seed) {
  std::vector<double> values = draw(shape.elements(), seed);
  for (double& x : values) x += x < 0 ? -0.2 : 0.2;
  return T::from_host(context(), values, shape);
}

inline T of(const std::vector<double>& values, const Shape& shape) { return T::from_host(context(), values, shape); }
inline T of(const std::vector<double>& values) { return of(values, {static_cast<std::int64_t>(values.size())}); }
inline T ids(const std::vector<std::int32_t>& values) {
  return T::from_host(context(), values, {static_cast<std::int64_t>(values.size())});
}

/// Values and shape; `tolerance` is relative to 1 + the larger value.
inline void check_values(const T& actual, const std::vector<double>& expected, const Shape& shape, double tolerance = 1e-13) {
  CHECK(to_string(actual.shape()) == to_string(shape));
  const std::vector<double> values = actual.to_host<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    if (values[i] == expected[i]) continue;  // infinities too, which Approx does not know
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(tolerance));
  }
}

inline void check_gradients(const char* name, const Inputs& inputs, const std::function<T(const Inputs&)>& f,
                            const testing::GradientCheckOptions& options = {}) {
  const testing::GradientReport report = testing::check_gradients(context(), inputs, f, options);
  INFO(name);
  INFO(report.text());
  CHECK(report.passed());
}

/// The text of the error that f throws, which must be an E.
template <class E, class F> std::string error_text(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type of error: ") + error.what();
  }
  return "no error";
}

}  // namespace chronotope::test
