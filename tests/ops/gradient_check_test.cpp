// The checker itself: it must find wrong, missing and non-finite gradients.

#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// x^2 whose gradient is 2x times `factor`, except that of element `spared` which is right.
T square_with_gradient(const T& x, double factor, std::int64_t spared = -1) {
  std::vector<double> slope(static_cast<std::size_t>(x.elements()), 2 * factor);
  if (spared >= 0) slope[static_cast<std::size_t>(spared)] = 2;
  const T scale = of(slope, x.shape());
  const T value = x.detach();
  return record(value * value, {&x}, [value, scale](const T& dy, GradientSink<Reference>& sink) { sink.add(0, dy * value * scale); });
}

}  // namespace

TEST_CASE("the checker accepts a right gradient and says how much it looked at") {
  const auto report = testing::check_gradients(context(), Inputs{random({3, 4}, 1)}, [](const Inputs& x) { return square_with_gradient(x[0], 1); });
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.checked == 12);
}

TEST_CASE("the checker finds a gradient that is wrong by a hundred-thousandth") {
  const auto report = testing::check_gradients(context(), Inputs{random({3, 4}, 2)}, [](const Inputs& x) { return square_with_gradient(x[0], 1.00001); });
  CHECK_FALSE(report.passed());
  CHECK(report.error == doctest::Approx(1e-5).epsilon(0.1));
}

TEST_CASE("the checker names input and element of the worst error") {
  const T x = random({4}, 3);
  const auto report = testing::check_gradients(context(), Inputs{x, of({2, 3, 40, 5})}, [](const Inputs& in) {
    return in[0] * 3.0 + square_with_gradient(in[1], 0.5, 3);
  });
  CHECK_FALSE(report.passed());
  CHECK(report.input == "input 1");
  CHECK(report.element == 2);
  CHECK(report.autograd / report.difference == doctest::Approx(0.5));
  CHECK(report.text().find("input 1, element 2") == 0);
}

TEST_CASE("the checker finds missing and non-finite gradients") {
  CHECK_FALSE(testing::check_gradients(context(), Inputs{of({1, 2})}, [](const Inputs& x) { return x[0] * x[0].detach(); }).passed());
  const auto infinite = testing::check_gradients(context(), Inputs{of({1, 2})}, [](const Inputs& x) { return square_with_gradient(x[0], 1.0 / 0.0); });
  CHECK_FALSE(infinite.passed());
  CHECK(std::isinf(infinite.error));
  CHECK_THROWS_AS(testing::check_gradients(context(), Inputs{of({1, 2})}, [](const Inputs& x) { return x[0].detach(); }), Error);
}

TEST_CASE("the checker leaves values, gradients and random state as they should be") {
  const T x = of({1, 2});
  context().random() = {7, 5};
  const auto report = testing::check_gradients(context(), Inputs{x}, [](const Inputs& in) { return dropout(in[0], 0.5) + in[0]; });
  CHECK(report.passed());
  CHECK(context().random().counter == 5);
  check_values(x, {1, 2}, {2});
}

TEST_CASE("a gradient that came as rows is compared as a whole table") {
  const auto wrong = testing::check_gradients(context(), Inputs{random({3, 2}, 4)}, [](const Inputs& x) {
    const T rows = gather(x[0], ids({2, 0, 2}));
    return record(rows.detach(), {&x[0]}, [](const T& dy, GradientSink<Reference>& sink) { sink.add_rows(0, ids({2, 0, 1}), dy); });
  });
  CHECK_FALSE(wrong.passed());
}
