#pragma once
// Initial values. Drawn on the host from the context's counter-based stream, so they are equal on every backend.

#include <cmath>
#include <numbers>

#include "chronotope/autograd/parameter.hpp"
#include "chronotope/core/philox.hpp"

namespace chronotope {

namespace detail {
inline thread_local bool blank_parameters = false;
}

/// While it lives, normal_parameter of this thread gives zeros: for a model whose weights are loaded next. Drawing them is
/// most of the time that a served model takes to start.
class BlankParameters {
 public:
  BlankParameters() : before_(std::exchange(detail::blank_parameters, true)) {}
  ~BlankParameters() { detail::blank_parameters = before_; }
  BlankParameters(const BlankParameters&) = delete;
  BlankParameters& operator=(const BlankParameters&) = delete;

 private:
  bool before_;
};

namespace detail {

template <class Value> std::vector<Value> normal_values(RandomState at, std::int64_t n, double deviation) {
  std::vector<Value> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto word = philox(at.seed, at.counter, i);
    const double radius = std::sqrt(-2 * std::log((word[0] + 0.5) * 0x1p-32));
    values[i] = static_cast<Value>(deviation * radius * std::cos(2 * std::numbers::pi * word[1] * 0x1p-32));
  }
  return values;
}

}  // namespace detail

/// Normal values of the given standard deviation (Box & Muller 1958); advances the context's random state by one.
template <Backend B> Parameter<B> normal_parameter(Context<B>& context, const Shape& shape, double deviation, DType dtype = DType::f32) {
  if (detail::blank_parameters) return Parameter<B>(full<B>(context, shape, 0, dtype));
  const RandomState at = context.random();
  ++context.random().counter;
  if (dtype == DType::f64) return Parameter<B>(Tensor<B>::from_host(context, detail::normal_values<double>(at, shape.elements(), deviation), shape));
  return Parameter<B>(Tensor<B>::from_host(context, detail::normal_values<float>(at, shape.elements(), deviation), shape));
}

/// One value everywhere.
template <Backend B> Parameter<B> constant_parameter(Context<B>& context, const Shape& shape, double value, DType dtype = DType::f32) {
  return Parameter<B>(full<B>(context, shape, value, dtype));
}

}  // namespace chronotope
