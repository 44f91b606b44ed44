// What holds for every behaviour module.

#include "behaviour/fixture.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

const testing::GradientCheckOptions few{.step = 1e-5, .tolerance = 1e-6, .elements = 8, .seed = 3};

template <class M> T run(const M& module, const World& w) { return module(w.inputs()); }

std::vector<double> numbers(const T& x) { return x.to_host<double>(); }
std::vector<double> row(const T& x, std::int64_t i) { return numbers(slice(x, 0, i, i + 1)); }

}  // namespace

TEST_CASE_TEMPLATE("a behaviour module gives its width, and zeros to a sample without behaviours", M, CHRONOTOPE_MODULES) {
  static_assert(BehaviourModule<M>);
  CAPTURE(Make<M>::text);
  const M module = made<M>();
  const T out = run(module, world());
  CHECK(out.shape() == Shape{5, module.width()});
  for (double v : numbers(out)) CHECK(std::isfinite(v));
  CHECK(row(out, 3) == std::vector<double>(static_cast<std::size_t>(module.width()), 0.0));
  CHECK(numbers(run(module, world({0, 0}))) == std::vector<double>(static_cast<std::size_t>(2 * module.width()), 0.0));
}

TEST_CASE_TEMPLATE("gradients of a behaviour module's parameters", M, CHRONOTOPE_MODULES) {
  M module = made<M>();
  if (parameter_count(module) == 0) return;
  const World w = world();
  const auto report = testing::check_module_gradients(context(), module, [&](const M& m) { return run(m, w); }, few);
  INFO(Make<M>::text, ": ", report.text());
  CHECK(report.passed());
}

TEST_CASE_TEMPLATE("gradients of a behaviour module's inputs, none in padding", M, CHRONOTOPE_MODULES) {
  if (std::is_same_v<M, NoBehaviours<Reference>>) return;
  const M module = made<M>();
  const World w = world();
  Inputs all = w.parts;
  all.push_back(w.keys);
  check_gradients(Make<M>::text, all, [&](const Inputs& x) { return module(w.with(x, x[4])); }, few);
  const Parameter<Reference> keys(w.keys);
  backward(module(w.with(w.parts, keys())));
  const std::vector<double> gradient = numbers(keys.gradient().dense);
  double inside = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (w.host.valid[i / static_cast<std::size_t>(key_width)]) inside += std::abs(gradient[i]);
    else CHECK(gradient[i] == 0);
  }
  CHECK(inside > 0);
}

TEST_CASE_TEMPLATE("what stands in padding changes nothing", M, CHRONOTOPE_MODULES) {
  CAPTURE(Make<M>::text);
  const M module = made<M>();
  const World w = world();
  World other = w;
  fill(other.host, 99, true);
  const T nan = full<Reference>(context(), {}, std::nan(""), DType::f64);
  other.keys = where(unsqueeze(w.valid(), 2), w.keys, nan);
  CHECK(numbers(run(module, other)) == numbers(run(module, w)));
}

TEST_CASE_TEMPLATE("the other samples of a batch change nothing", M, CHRONOTOPE_MODULES) {
  CAPTURE(Make<M>::text);
  const M module = made<M>();
  const World w = world();
  const T out = run(module, w);
  // Products of other sizes may add in another order, so equal but for rounding.
  for (std::size_t i = 0; i < 5; ++i)
    check_values(run(module, part(w, i, i + 1)), row(out, static_cast<std::int64_t>(i)), {1, module.width()}, 1e-12);
}

TEST_CASE_TEMPLATE("more room than behaviours changes nothing", M, CHRONOTOPE_MODULES) {
  if (std::is_same_v<M, Fim<Reference>>) return;  // its frequencies are those of k places
  CAPTURE(Make<M>::text);
  const M module = made<M>();
  const World w = world();
  const T out = run(module, w);
  check_values(run(module, part(w, 1, 2, 2)), row(out, 1), {1, module.width()}, 1e-12);
  check_values(run(module, part(w, 2, 3, 5)), row(out, 2), {1, module.width()}, 1e-12);
  CHECK(numbers(run(module, part(w, 3, 4, 6))) == row(out, 3));
}

TEST_CASE_TEMPLATE("the keys of other samples are refused", M, CHRONOTOPE_MODULES) {
  if (std::is_same_v<M, NoBehaviours<Reference>>) return;
  const M module = made<M>();
  const World w = world();
  CHECK_THROWS_AS(module(w.with(w.parts, random({4, kept, key_width}, 1))), ShapeError);
  CHECK_THROWS_AS(module(w.with(w.parts, random({5, kept, key_width + 1}, 1))), ShapeError);
}
