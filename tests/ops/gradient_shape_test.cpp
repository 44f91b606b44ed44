#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

TEST_CASE("gradients of reductions") {
  const T x = random({2, 3, 4}, 41);
  for (int axis : {0, 1, 2, -1, -3})
    for (bool keep : {false, true}) {
      CAPTURE(axis);
      CAPTURE(keep);
      check_gradients("sum", {x}, [=](const Inputs& in) { return sum(in[0], axis, keep); });
      check_gradients("mean", {x}, [=](const Inputs& in) { return mean(in[0], axis, keep); });
      check_gradients("max", {x}, [=](const Inputs& in) { return max(in[0], axis, keep); });
      check_gradients("max strided", {x}, [=](const Inputs& in) { return max(permute(in[0], {2, 0, 1}), axis, keep); });
      check_gradients("logsumexp", {x}, [=](const Inputs& in) { return logsumexp(in[0], axis); });
      check_gradients("cumsum", {x}, [=](const Inputs& in) { return cumsum(in[0], axis); });
      check_gradients("cumsum strided", {x}, [=](const Inputs& in) { return cumsum(transpose(in[0], 0, 2), axis); });
    }
  check_gradients("sum", {x}, [](const Inputs& in) { return sum(in[0]); });
  check_gradients("mean", {x}, [](const Inputs& in) { return mean(transpose(in[0], 0, 1)); });
  check_gradients("sum of a scalar", {random({}, 42)}, [](const Inputs& in) { return sum(in[0]) * mean(in[0]); });
  check_gradients("sum of nothing", {random({0, 3}, 43)}, [](const Inputs& in) { return sum(in[0]); });
  check_gradients("sum over an empty axis", {random({0, 3}, 44)}, [](const Inputs& in) { return sum(in[0], 0); });
  check_gradients("logsumexp of large values", {random({2, 3}, 45, 700, 705)}, [](const Inputs& in) { return logsumexp(in[0], 1); });
}

TEST_CASE("equal maxima share the gradient") {
  const Parameter<Reference> x(of({1, 5, 5, 2, 7, 0}, {2, 3}));
  backward(max(x(), 1));
  check_values(x.gradient().dense, {0, 0.5, 0.5, 0, 1, 0}, {2, 3});
}

TEST_CASE("gradients of movement") {
  const T x = random({2, 3, 4}, 51);
  // Multiplying by fixed numbers makes every element's place count.
  const T weight = random({24}, 52);
  const auto movement = [&](const char* name, const std::function<T(const T&)>& move) {
    check_gradients(name, {x}, [&](const Inputs& in) {
      const T y = move(in[0]);
      const T scale = reshape(slice(concat(Inputs{weight, weight, weight, weight}, 0), 0, 0, y.elements()), y.shape());
      return y * y * scale;
    });
  };
  movement("reshape", [](const T& t) { return reshape(t, {4, -1}); });
  movement("reshape of a transpose", [](const T& t) { return reshape(transpose(t, 0, 2), {3, 8}); });
  movement("permute", [](const T& t) { return permute(t, {2, 0, 1}); });
  movement("permute back", [](const T& t) { return permute(permute(t, {1, 2, 0}), {-1, 0, 1}); });
  movement("transpose", [](const T& t) { return transpose(t, -1, 0); });
  movement("slice", [](const T& t) { return slice(t, 2, 1, 3); });
  movement("slice of nothing", [](const T& t) { return slice(t, 1, 2, 2); });
  movement("slice of a slice", [](const T& t) { return slice(slice(t, 2, 1, 4), 1, 1, 3); });
  movement("select", [](const T& t) { return select(t, 1, 2); });
  movement("expand", [](const T& t) { return expand(slice(t, 0, 1, 2), {3, 3, 4}); });
  movement("expand by a new axis", [](const T& t) { return expand(select(t, 1, 0), {2, 2, 4}); });
  movement("squeeze", [](const T& t) { return squeeze(slice(t, 1, 1, 2), 1); });
  movement("unsqueeze", [](const T& t) { return unsqueeze(unsqueeze(t, 0), -1); });
  movement("contiguous", [](const T& t) { return contiguous(transpose(t, 0, 1)); });
  movement("concat with itself", [](const T& t) { return concat(Inputs{t, slice(t, 1, 0, 1), t}, 1); });
  movement("stack", [](const T& t) { return stack(Inputs{t, t * 2.0}, -1); });
  movement("overlapping slices", [](const T& t) { return slice(t, 2, 0, 3) + slice(t, 2, 1, 4); });
  movement("a slice and the whole", [](const T& t) { return t * expand(slice(t, 0, 0, 1), t.shape()); });
}

TEST_CASE("gradients of joining several tensors, empty ones among them") {
  const auto f = [](const Inputs& x) { return concat(x, 0) * concat(x, 0); };
  check_gradients("concat", {random({2, 3}, 61), random({0, 3}, 62), random({1, 3}, 63)}, f);
  check_gradients("stack", {random({2, 3}, 64), random({2, 3}, 65)}, [](const Inputs& x) { return exp(stack(x, 1)); });
  const Parameter<Reference> a(random({2}, 66));
  const T fixed = random({2}, 67);
  backward(concat(Inputs{fixed, a()}, 0), of({1, 2, 3, 4}));
  check_values(a.gradient().dense, {3, 4}, {2});
}
