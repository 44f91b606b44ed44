#pragma once
// Autograd against central differences in f64, for any function of tensors and for whole modules. Needs no test
// framework:
//   const auto report = testing::check_gradients(context, {a, b}, [](const auto& x) { return matmul(x[0], x[1]); });
//   if (!report.passed()) std::cerr << report.text();
//
// A result of any shape is projected on one random direction, so that one backward pass and two forward passes an
// element cover all of it. The random state of the context is put back before every call: dropout draws the same mask
// each time.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "chronotope/autograd/parameter.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/nn/module.hpp"

namespace chronotope::testing {

struct GradientCheckOptions {
  double step = 1e-5;          ///< of the differences, times max(1, |x|)
  double tolerance = 1e-6;     ///< largest error that passes
  std::int64_t elements = 40;  ///< checked of each input; drawn at random where it has more
  std::uint64_t seed = 1;      ///< of the direction and of the elements drawn
};

/// The error of an element is |autograd - difference| / max(largest gradient of its input, 1e-4 sum |direction *
/// result|). The second term is as small as a gradient can be for differences to show it: rounding of the result hides
/// smaller ones.
struct GradientReport {
  double error = 0;                     ///< the worst; infinite when a gradient is not finite
  std::string input;                    ///< where: "input 0" or the path of a parameter
  std::int64_t element = -1;            ///< row-major
  double autograd = 0, difference = 0;  ///< there
  std::int64_t checked = 0;             ///< elements of all inputs together
  GradientCheckOptions options;

  bool passed() const { return error <= options.tolerance; }
  std::string text() const {
    return input + ", element " + std::to_string(element) + ": autograd " + number(autograd) + ", differences " +
           number(difference) + "; error " + number(error) + ", allowed " + number(options.tolerance) + " (" +
           std::to_string(checked) + " elements checked, seed " + std::to_string(options.seed) + ")";
  }

 private:
  static std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", x);
    return text;
  }
};

/// What a parameter has collected, dense and rows together, on the host; zeros where nothing came.
template <Backend B> std::vector<double> collected_gradient(const Parameter<B>& p) {
  const Gradient<B>& gradient = p.gradient();
  std::vector<double> sum(static_cast<std::size_t>(p.shape().elements()), 0.0);
  if (gradient.dense.defined()) sum = gradient.dense.template to_host<double>();
  const std::size_t width = p.shape().rank() && p.shape()[0] ? sum.size() / static_cast<std::size_t>(p.shape()[0]) : 0;
  for (const auto& part : gradient.rows) {
    const std::vector<double> rows = part.rows.template to_host<double>();
    dispatch(part.ids.dtype(), [&](auto zero) {
      std::size_t at = 0;
      for (auto id : part.ids.template to_host<decltype(zero)>())
        for (std::size_t i = 0; i < width; ++i) sum[static_cast<std::size_t>(id) * width + i] += rows[at++];
    });
  }
  return sum;
}

namespace detail {

/// One function of parameters, projected on a direction: a number and its gradients.
template <Backend B> class GradientChecker {
 public:
  using Named = std::vector<std::pair<std::string, Parameter<B>>>;

  GradientChecker(Context<B>& context, Named parameters, std::function<Tensor<B>()> f,
                  const GradientCheckOptions& options)
      : context_(context), parameters_(std::move(parameters)), f_(std::move(f)), random_(context.random()) {
    report_.options = options;
  }

  GradientReport run() {
    for (auto& [name, p] : parameters_) p.zero_grad();
    const Tensor<B> y = call();
    draw_direction(y);
    backward(y, Tensor<B>::from_host(context_, direction_, y.shape()));
    floor_ = 0;
    const std::vector<double> values = y.template to_host<double>();
    for (std::size_t i = 0; i < values.size(); ++i) floor_ += 1e-4 * std::abs(values[i] * direction_[i]);
    for (auto& [name, p] : parameters_) {
      const std::vector<double> autograd = collected_gradient(p);
      p.zero_grad();
      compare(name, p, autograd);
    }
    context_.random() = random_;
    return report_;
  }

 private:
  Tensor<B> call() const {
    context_.random() = random_;
    return f_();
  }

  /// Magnitudes in [0.5, 1.5) with random signs: no element is overlooked.
  void draw_direction(const Tensor<B>& y) {
    direction_.resize(static_cast<std::size_t>(y.elements()));
    for (std::size_t i = 0; i < direction_.size(); ++i) {
      const auto word = philox(report_.options.seed, 0, i);
      direction_[i] = (0.5 + philox_uniform(word[0])) * (word[1] & 1 ? 1 : -1);
    }
  }

  double projected() const {
    const std::vector<double> values = call().template to_host<double>();
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * direction_[i];
    return sum;
  }

  std::vector<std::size_t> drawn_elements(std::size_t n) const {
    const auto wanted = static_cast<std::size_t>(report_.options.elements);
    std::vector<std::size_t> drawn;
    if (n <= wanted) {
      for (std::size_t i = 0; i < n; ++i) drawn.push_back(i);
    } else {
      for (std::size_t i = 0; i < wanted; ++i) drawn.push_back(philox(report_.options.seed, 1, i)[0] % n);
    }
    return drawn;
  }

  void compare(const std::string& name, Parameter<B>& p, const std::vector<double>& autograd) {
    const Tensor<B> before = p.value();
    const std::vector<double> values = before.template to_host<double>();
    const auto at = [&](std::size_t i, double x) {
      std::vector<double> moved = values;
      moved[i] = x;
      p.assign(Tensor<B>::from_host(context_, moved, p.shape()));
      return projected();
    };
    double largest = floor_;
    for (double g : autograd) largest = std::max(largest, std::abs(g));
    const std::vector<std::size_t> elements = drawn_elements(values.size());
    std::vector<double> differences;
    try {
      for (std::size_t i : elements) {
        const double step = report_.options.step * std::max(1.0, std::abs(values[i]));
        const double high = values[i] + step, low = values[i] - step;
        differences.push_back((at(i, high) - at(i, low)) / (high - low));
        largest = std::max(largest, std::abs(differences.back()));
      }
    } catch (...) {
      p.assign(before);
      throw;
    }
    p.assign(before);
    for (std::size_t e = 0; e < elements.size(); ++e)
      judge(name, elements[e], autograd[elements[e]], differences[e], largest);
  }

  void judge(const std::string& name, std::size_t element, double autograd, double difference, double largest) {
    double error = autograd == difference ? 0 : std::abs(autograd - difference) / largest;
    if (!std::isfinite(autograd) || !std::isfinite(error)) error = std::numeric_limits<double>::infinity();
    ++report_.checked;
    if (error < report_.error || (error == report_.error && report_.element >= 0)) return;
    report_.error = error;
    report_.input = name;
    report_.element = static_cast<std::int64_t>(element);
    report_.autograd = autograd;
    report_.difference = difference;
  }

  Context<B>& context_;
  Named parameters_;
  std::function<Tensor<B>()> f_;
  RandomState random_;
  std::vector<double> direction_;
  double floor_ = 0;
  GradientReport report_;
};

}  // namespace detail

/// Checks f(inputs) -> tensor of any shape, where f takes a vector of tensors. f64 inputs are checked, those of other
/// types (ids, masks) are handed through. Throws Error when the result depends on none of them.
template <Backend B, class F> GradientReport check_gradients(Context<B>& context, std::vector<Tensor<B>> inputs, F f,
                                                             const GradientCheckOptions& options = {}) {
  typename detail::GradientChecker<B>::Named parameters;
  std::vector<int> place;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    place.push_back(static_cast<int>(parameters.size()));
    if (inputs[i].dtype() == DType::f64) parameters.emplace_back("input " + std::to_string(i), Parameter<B>(inputs[i]));
    else place.back() = -1;
  }
  const auto call = [&]() -> Tensor<B> {
    std::vector<Tensor<B>> now = inputs;
    for (std::size_t i = 0; i < now.size(); ++i)
      if (place[i] >= 0) now[i] = parameters[static_cast<std::size_t>(place[i])].second();
    return f(std::as_const(now));
  };
  return detail::GradientChecker<B>(context, parameters, call, options).run();
}

/// Checks f(module) -> tensor of any shape with respect to every parameter that is not frozen; all must be f64. Values
/// are as before afterwards, gradients are cleared.
template <Module M, class F> GradientReport check_module_gradients(Context<typename M::backend>& context, M& module,
                                                                   F f, const GradientCheckOptions& options = {}) {
  using B = typename M::backend;
  typename detail::GradientChecker<B>::Named parameters;
  for_each_parameter(module, [&](const std::string& path, Parameter<B>& p) {
    if (p.value().dtype() != DType::f64)
      throw DTypeError("[check_module_gradients] " + path + " is " + to_string(p.value().dtype()) + ", f64 is needed");
    if (!p.frozen()) parameters.emplace_back(path, p);
  });
  return detail::GradientChecker<B>(
             context, parameters, [&]() -> Tensor<B> { return f(module); }, options)
      .run();
}

}  // namespace chronotope::testing
