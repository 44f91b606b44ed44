// Long graphs and the memory they hold.

#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using P = Parameter<Reference>;
constexpr int long_chain = 100000;  // enough to overflow an 8 MiB stack by recursion

/// x multiplied by 1 (or, with `captured`, by a tensor that is part of the graph itself) many times.
T chain(const T& x, bool captured) {
  const T one = of({1});
  T y = x;
  for (int i = 0; i < long_chain; ++i) y = captured ? maximum(y * one, y) : y * one;
  return y;
}

}  // namespace

TEST_CASE("a chain of 100,000 nodes goes backward without recursion") {
  const P x(of({2}));
  const T y = chain(x(), false);
  backward(y);
  check_values(x.gradient().dense, {1}, {1});
}

TEST_CASE("a chain of 100,000 nodes is destroyed without recursion when there was no backward") {
  const P x(of({2}));
  { const T y = chain(x(), false); }
  { const T y = chain(x(), true); }
  CHECK(x().node().use_count() == 2);  // the parameter's and this temporary's: the graph is gone
}

TEST_CASE("a chain whose operations capture their inputs goes backward") {
  const P x(of({2}));
  const T y = chain(x(), true);
  backward(y);
  check_values(x.gradient().dense, {1}, {1});
}

TEST_CASE("what the forward kept is freed while the pass goes") {
  Context<Reference> c;
  constexpr std::int64_t n = 1 << 16, bytes = n * 8;
  constexpr int layers = 20;
  P x(full<Reference>(c, {n}, 1.0, DType::f64));
  {
    T y = x();
    for (int i = 0; i < layers; ++i) y = tanh(y);
    const std::size_t kept = c.memory().in_use;
    CHECK(kept >= layers * bytes);
    const T loss = sum(y);
    y = T();
    backward(loss);
    CHECK(c.memory().peak < kept + 6 * bytes);  // gradients replace what they have passed
    CHECK(c.memory().in_use < 4 * bytes);       // value, gradient, loss
  }
  x.zero_grad();
  CHECK(c.memory().in_use == bytes);
}

TEST_CASE("a graph that is dropped gives its memory back") {
  Context<Reference> c;
  const P x(full<Reference>(c, {1000}, 1.0, DType::f64));
  const std::size_t before = c.memory().in_use;
  { const T y = exp(sum(x() * x())); }
  CHECK(c.memory().in_use == before);
}

TEST_CASE("without recording intermediate values are not kept") {
  Context<Reference> c;
  const P x(full<Reference>(c, {1000}, 1.0, DType::f64));
  const std::size_t before = c.memory().in_use;
  const NoGrad no_grad;
  T y = x();
  for (int i = 0; i < 10; ++i) y = tanh(y);
  CHECK(c.memory().in_use <= before + 2 * 8192);
}
