#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using P = Parameter<Reference>;

P parameter(const std::vector<double>& values) { return P(of(values)); }

}  // namespace

TEST_CASE("a shared subexpression is passed once, with all of its gradient") {
  const P x = parameter({2});
  int passes = 0;
  const T value = x();
  const T shared = record(value.detach() * value.detach(), {&value}, [&passes, value = value.detach()](const T& dy, GradientSink<Reference>& sink) {
    ++passes;
    sink.add(0, dy * value * 2.0);
  });
  T y = shared;
  for (int i = 0; i < 3; ++i) y = y + shared * y;  // diamonds on diamonds
  backward(y);
  CHECK(passes == 1);
  // y = s (1 + s)^3 at s = 4: dy/ds = (1 + s)^3 + 3 s (1 + s)^2 = 425, ds/dx = 4.
  check_values(x.gradient().dense, {1700}, {1});
}

TEST_CASE("diamonds of every kind agree with differences") {
  check_gradients("diamond", {random({2, 3}, 1)}, [](const Inputs& x) {
    const T a = exp(x[0]), b = a * x[0], c = slice(a, 1, 0, 2) + slice(b, 1, 1, 3);
    return matmul(c, transpose(c, 0, 1)) + sum(a) + gather(c, ids({1, 1})) * sum(b, 1, true);
  });
}

TEST_CASE("a graph is consumed by its backward pass") {
  const P x = parameter({1, 2});
  const T y = x() * x(), z = sum(y * 3.0);
  backward(z);
  check_values(x.gradient().dense, {6, 12}, {2});
  CHECK_THROWS_WITH_AS(backward(z), doctest::Contains("already consumed"), Error);
  CHECK_THROWS_AS(backward(sum(y)), Error);
  check_values(x.gradient().dense, {6, 12}, {2});
}

TEST_CASE("a pass that fails leaves no marks: the next one collects everything") {
  const P x = parameter({1, 2});
  const T y = x() * x();
  backward(y);
  x.zero_grad();
  CHECK_THROWS_AS(backward(y + x()), Error);  // x has been reached when the consumed y is found
  x.zero_grad();
  backward(x() * 5.0);
  check_values(x.gradient().dense, {5, 5}, {2});
}

TEST_CASE("gradients add up over passes until they are cleared") {
  const P x = parameter({1, 2}), table(random({3, 2}, 1));
  backward(x() * 2.0);
  const T first = x.gradient().dense;
  backward(x() * 3.0);
  check_values(x.gradient().dense, {5, 5}, {2});
  check_values(first, {2, 2}, {2});
  for (int i = 0; i < 2; ++i) backward(gather(table(), ids({2, 2})));
  CHECK(table.gradient().rows.size() == 2);
  backward(sum(table()));
  CHECK(testing::collected_gradient(table) == std::vector<double>{1, 1, 1, 1, 5, 5});
  x.zero_grad();
  CHECK(x.gradient().empty());
}

TEST_CASE("the seed weighs the outputs and must fit") {
  const P x = parameter({1, 2});
  backward(x() * x(), of({10, 1}));
  check_values(x.gradient().dense, {20, 4}, {2});
  CHECK_THROWS_WITH_AS(backward(x() * x(), of({1, 2, 3})), "[backward] seed [3] for a value of shape [2]", ShapeError);
  CHECK_THROWS_AS(backward(of({1})), Error);
}

TEST_CASE("a parameter itself can be the loss") {
  const P x = parameter({1, 2});
  backward(x(), of({3, 4}));
  check_values(x.gradient().dense, {3, 4}, {2});
}

TEST_CASE("nothing is recorded without parameters, under NoGrad, or past detach") {
  const P x = parameter({1, 2});
  CHECK((of({1}) + of({2})).node() == nullptr);
  CHECK((x() + of({1, 1})).node() != nullptr);
  CHECK((x().detach() * 2.0).node() == nullptr);
  {
    const NoGrad outer;
    { const NoGrad inner; }
    CHECK(exp(x()).node() == nullptr);
    const T recorded_before = x();
    CHECK(recorded_before.node() == nullptr);
  }
  CHECK(exp(x()).node() != nullptr);
  const T y = exp(x());
  const NoGrad off;
  CHECK((y * 2.0).node() == nullptr);
  CHECK(concat(Inputs{y, y}, 0).node() == nullptr);
  CHECK(gather_concat(Inputs{reshape(y, {2, 1})}, Inputs{ids({0})}).node() == nullptr);
}

TEST_CASE("comparisons, integers and constants take no part") {
  const P x = parameter({1, 2});
  CHECK(less(x(), of({2, 2})).node() == nullptr);
  CHECK(cast(x(), DType::i64).node() == nullptr);
  CHECK(sum_squares(x()).node() == nullptr);
  CHECK(topk(reshape(x(), {1, 2}), 1).first.node() == nullptr);
}

TEST_CASE("a frozen parameter takes part but gets no gradient, through every copy of the handle") {
  P x = parameter({1, 2}), y = parameter({3, 4});
  const P copy = x;
  x.freeze();
  CHECK(copy.frozen());
  backward(copy() * y());
  CHECK(x.gradient().empty());
  check_values(y.gradient().dense, {1, 2}, {2});
  CHECK_THROWS_AS(backward(sum(x())), Error);
}

TEST_CASE("a parameter owns its memory: nobody's tensor changes with it") {
  const T start = of({1, 2});
  P a(start), b(start);
  CHECK(a.value().view().data != start.view().data);
  CHECK(a.value().view().data != b.value().view().data);
  const P handle = a;
  const T before = a();
  const T next = of({5, 6});
  a.assign(next);
  CHECK(a.value().view().data != next.view().data);
  check_values(handle.value(), {5, 6}, {2});
  check_values(before, {1, 2}, {2});
  CHECK_THROWS_WITH_AS(a.assign(of({1, 2, 3})), "[assign] parameter [2] cannot take [3]", ShapeError);
  CHECK_THROWS_AS(a.assign(ids({1, 2})), DTypeError);
}

TEST_CASE("slices of one tensor collect into one gradient") {
  const P x(random({4, 3}, 2));
  const T y = x() * 1.0;
  backward(sum(slice(y, 0, 0, 2)) + sum(slice(y, 0, 1, 4)) * 10.0 + sum(select(y, 1, 2)) * 100.0);
  check_values(x.gradient().dense, {1, 1, 101, 11, 11, 111, 10, 10, 110, 10, 10, 110}, {4, 3});
}

TEST_CASE("a gradient handed on unchanged is not written into when another arrives") {
  const P x = parameter({1, 2}), y = parameter({3, 4});
  const T seed = of({1, 1});
  const T a = x() + y();       // both get the seed itself
  backward(a + a * 2.0 + x(), seed);
  check_values(seed, {1, 1}, {2});
  check_values(x.gradient().dense, {4, 4}, {2});
  check_values(y.gradient().dense, {3, 3}, {2});
}
