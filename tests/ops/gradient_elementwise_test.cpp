#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

TEST_CASE("gradients of functions of one tensor") {
  struct Case {
    const char* name;
    T (*f)(const T&);
    double low, high;
  };
  const Case cases[] = {
      {"neg", neg<Reference>, -1, 1},         {"exp", exp<Reference>, -2, 2},
      {"log", log<Reference>, 0.2, 3},        {"sqrt", sqrt<Reference>, 0.2, 3},
      {"reciprocal", reciprocal<Reference>, 0.3, 2}, {"sin", sin<Reference>, -4, 4},
      {"cos", cos<Reference>, -4, 4},         {"tanh", tanh<Reference>, -2, 2},
      {"abs", abs<Reference>, 0.2, 2},        {"abs of negatives", abs<Reference>, -2, -0.2},
      {"sigmoid", sigmoid<Reference>, -5, 5}, {"silu", silu<Reference>, -5, 5},
      {"gelu", gelu<Reference>, -4, 4},       {"relu", relu<Reference>, 0.2, 2},
      {"relu of negatives", relu<Reference>, -2, -0.2},
  };
  for (const Case& c : cases) {
    const auto f = [&](const Inputs& x) { return c.f(x[0]); };
    check_gradients(c.name, {random({3, 4}, 1, c.low, c.high)}, f);
    check_gradients(c.name, {random({}, 2, c.low, c.high)}, f);
    check_gradients(c.name, {random({2, 0}, 3, c.low, c.high)}, f);
    check_gradients(c.name, {random({3, 2, 4}, 4, c.low, c.high)},
                    [&](const Inputs& x) { return c.f(slice(transpose(x[0], 0, 2), 0, 1, 3)); });
  }
}

TEST_CASE("gradients of functions of two tensors, broadcast both ways") {
  struct Case {
    const char* name;
    T (*f)(const T&, const T&);
  };
  const Case cases[] = {{"add", add<Reference>}, {"sub", sub<Reference>}, {"mul", mul<Reference>},
                        {"div", div<Reference>}, {"maximum", maximum<Reference>}};
  const std::pair<Shape, Shape> shapes[] = {
      {{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{3}, {2, 3}}, {{2, 1, 3}, {4, 1}}, {{}, {2, 2}}, {{2, 2}, {}}, {{1}, {1, 1}},
      {{0, 3}, {3}},    {{1, 3}, {0, 3}}, {{2, 1}, {1, 2}}};
  for (const Case& c : cases)
    for (const auto& [a, b] : shapes) {
      INFO(to_string(a), " with ", to_string(b));
      check_gradients(c.name, {random(a, 11), away_from_zero(b, 12)}, [&](const Inputs& x) { return c.f(x[0], x[1]); });
    }
  for (const Case& c : cases) {
    check_gradients(c.name, {random({4, 3}, 13), away_from_zero({2, 3, 4}, 14)},
                    [&](const Inputs& x) { return c.f(transpose(x[0], 0, 1), slice(x[1], 2, 0, 4)); });
    check_gradients(c.name, {away_from_zero({3, 2}, 15)},
                    [&](const Inputs& x) { return c.f(x[0] * 3.0, transpose(reshape(x[0], {2, 3}), 0, 1)); });
  }
}

TEST_CASE("gradients of operators with numbers") {
  check_gradients("operators", {away_from_zero({3}, 21), away_from_zero({3}, 22)}, [](const Inputs& x) {
    return -((x[0] + 2.0) * (x[1] - 0.5)) / x[1] + (x[0] * 3.0) / 4.0 - x[1];
  });
}

TEST_CASE("gradients of where, with every operand broadcast") {
  const T mask = T::from_host(context(), std::vector<std::uint8_t>{1, 0, 1, 0, 0, 1}, {2, 3});
  const auto f = [](const Inputs& x) { return where(x[2], x[0], x[1]); };
  check_gradients("where", {random({2, 3}, 31), random({2, 3}, 32), mask}, f);
  check_gradients("where", {random({3}, 33), random({2, 1}, 34), mask}, f);
  check_gradients("where", {random({}, 35), random({4, 1, 1}, 36), mask}, f);
  check_gradients("where", {random({4, 2, 3}, 37), random({}, 38), slice(mask, 0, 1, 2)}, f);
}

TEST_CASE("equal operands of maximum share the gradient, abs has none at 0") {
  const Parameter<Reference> a(of({1, 2, 3})), b(of({1, 3, 2})), c(of({-2, 0, 2}));
  backward(maximum(a(), b()));
  check_values(a.gradient().dense, {0.5, 0, 1}, {3});
  check_values(b.gradient().dense, {0.5, 1, 0}, {3});
  backward(abs(c()));
  check_values(c.gradient().dense, {-1, 0, 1}, {3});
}

TEST_CASE("cast carries the gradient back to the type it came from") {
  const Parameter<Reference> x(T::from_host(context(), std::vector<float>{1, 2}, {2}));
  backward(cast(x(), DType::f64) * cast(x(), DType::f64));
  CHECK(x.gradient().dense.to_host<float>() == std::vector<float>{2, 4});
  CHECK(cast(x(), DType::i32).node() == nullptr);
  CHECK(cast(x(), DType::f32).node() == x().node());
}
