// Norms and softmax against double loops.

#include <limits>

#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> s{{0, 5},   {1, 1},     {1, 24},   {3, 7},    {5, 24},
                                    {17, 33}, {130, 129}, {64, 768}, {300, 100}};
  return s;
}

/// Row sums of f(element number), one for each row.
template <class F> std::vector<Reference> row_sums(const Shape& shape, F&& f) {
  std::vector<Reference> sums(static_cast<std::size_t>(shape[0]));
  for (std::int64_t i = 0; i < shape.elements(); ++i) sums[i / shape[1]].add(f(i));
  return sums;
}

template <class F> std::vector<Reference> column_sums(const Shape& shape, F&& f) {
  std::vector<Reference> sums(static_cast<std::size_t>(shape[1]));
  for (std::int64_t i = 0; i < shape.elements(); ++i) sums[i % shape[1]].add(f(i));
  return sums;
}

double squared(double x) { return x * x; }

/// A random [R, D] whose rows are further apart than D.
Block strided_rows(const Shape& shape) {
  Block block(DType::f32, shape, {shape[0], shape[1] + 5});
  randomise(block);
  return block;
}

}  // namespace

TEST_CASE("rms_norm") {
  constexpr double eps = 1e-5;
  for (const Shape& shape : shapes()) {
    const std::int64_t D = shape[1];
    const Block x = strided_rows(shape), dy = strided_rows(shape), w = random_block({D});
    const Block y(DType::f32, shape), inv(DType::f32, {shape[0]}), dx(DType::f32, shape), dw(DType::f32, {D});
    with_threads({&y, &inv, &dx, &dw}, [&](Fast::stream& s) {
      REQUIRE(Fast::try_rms_norm(s, y, inv, x, w, eps));
      REQUIRE(Fast::try_rms_norm_backward(s, dx, dw, dy, x, w, inv));
    });
    const auto squares = row_sums(shape, [&](std::int64_t i) { return squared(get(x, i)); });
    const auto scale = [&](std::int64_t r) { return 1 / std::sqrt(squares[r].value / static_cast<double>(D) + eps); };
    check_all("y", y, [&](std::int64_t i) { return Reference{get(x, i) * scale(i / D) * get(w, i % D)}; });
    check_all("inv", inv, [&](std::int64_t r) { return Reference{scale(r)}; });
    const auto dots = row_sums(shape, [&](std::int64_t i) { return get(dy, i) * get(w, i % D) * get(x, i); });
    check_all("dx", dx, [&](std::int64_t i) {
      const Reference& dot = dots[i / D];
      const double k = scale(i / D), pull = k * k * k * get(x, i) / static_cast<double>(D),
                   own = k * get(dy, i) * get(w, i % D);
      return Reference{own - pull * dot.value, own * own + pull * pull * (dot.square + dot.value * dot.value)};
    });
    const auto sums = column_sums(shape, [&](std::int64_t i) { return get(dy, i) * get(x, i) * scale(i / D); });
    check_all("dw", dw, [&](std::int64_t d) { return sums[d]; });
  }
}

TEST_CASE("layer_norm") {
  constexpr double eps = 1e-5;
  for (const Shape& shape : shapes()) {
    const std::int64_t D = shape[1];
    const Block x = strided_rows(shape), dy = strided_rows(shape), w = random_block({D}), b = random_block({D});
    const Block y(DType::f32, shape), mean(DType::f32, {shape[0]}), inv(DType::f32, {shape[0]});
    const Block dx(DType::f32, shape), dw(DType::f32, {D}), db(DType::f32, {D});
    with_threads({&y, &mean, &inv, &dx, &dw, &db}, [&](Fast::stream& s) {
      REQUIRE(Fast::try_layer_norm(s, y, mean, inv, x, w, b, eps));
      REQUIRE(Fast::try_layer_norm_backward(s, dx, dw, db, dy, x, w, mean, inv));
    });
    if (D == 1) continue;  // x - mean is nothing but rounding
    const auto rows = row_sums(shape, [&](std::int64_t i) { return get(x, i); });
    const auto centre = [&](std::int64_t r) { return rows[r].value / static_cast<double>(D); };
    const auto squares = row_sums(shape, [&](std::int64_t i) { return squared(get(x, i) - centre(i / D)); });
    const auto scale = [&](std::int64_t r) { return 1 / std::sqrt(squares[r].value / static_cast<double>(D) + eps); };
    const auto normal = [&](std::int64_t i) { return (get(x, i) - centre(i / D)) * scale(i / D); };
    // x - mean cancels: to the tolerance both are terms, and those of the mean.
    const auto with_terms = [&](double factor, std::int64_t i) {
      const double k = factor * scale(i / D);
      return Reference{factor * normal(i), squared(k) * (squared(get(x, i)) + squared(centre(i / D)) +
                                                         rows[i / D].square / squared(static_cast<double>(D)))};
    };
    check_all("y", y, [&](std::int64_t i) {
      Reference r = with_terms(get(w, i % D), i);
      r.add(get(b, i % D));
      return r;
    });
    const auto grads = row_sums(shape, [&](std::int64_t i) { return get(dy, i) * get(w, i % D); });
    const auto dots = row_sums(shape, [&](std::int64_t i) { return with_terms(get(dy, i) * get(w, i % D), i); });
    check_all("dx", dx, [&](std::int64_t i) {
      const Reference &g = grads[i / D], &gn = dots[i / D];
      const double k = scale(i / D), own = k * get(dy, i) * get(w, i % D), n = normal(i),
                   over = k / static_cast<double>(D);
      const double pull = with_terms(1, i).square * squared(gn.value) + n * n * (gn.square + squared(gn.value));
      return Reference{own - over * (g.value + n * gn.value),
                       own * own + over * over * (g.square + squared(g.value) + pull)};
    });
    const auto w_sums = column_sums(shape, [&](std::int64_t i) { return with_terms(get(dy, i), i); });
    const auto b_sums = column_sums(shape, [&](std::int64_t i) { return get(dy, i); });
    check_all("dw", dw, [&](std::int64_t d) { return w_sums[d]; });
    check_all("db", db, [&](std::int64_t d) { return b_sums[d]; });
  }
}

TEST_CASE("weight gradients over many rows stay exact") {
  // All terms of one sign: a running sum in float would be wrong by hundreds of roundoffs.
  const std::int64_t R = 60000, D = 3;
  const Block x = random_block({R, D}, 1, 2), dy = random_block({R, D}, 1, 2), w = random_block({D});
  const Block y(DType::f32, {R, D}), mean(DType::f32, {R}), inv(DType::f32, {R}), dw(DType::f32, {D}),
      db(DType::f32, {D});
  Fast::stream s(2);
  const Block b = random_block({D});
  REQUIRE(Fast::try_layer_norm(s, y, mean, inv, x, w, b, 1e-5));
  REQUIRE(Fast::try_layer_norm_backward(s, y, dw, db, dy, x, w, mean, inv));
  check_all("db", db, [&](std::int64_t d) {
    Reference sum;
    for (std::int64_t r = 0; r < R; ++r) sum.add(get(dy, r * D + d));
    return Reference{sum.value};
  });
}

TEST_CASE("softmax") {
  for (const Shape& shape : shapes()) {
    const std::int64_t D = shape[1];
    Block x = strided_rows(shape);
    randomise(x, -30, 30);
    const Block dy = strided_rows(shape), y(DType::f32, shape), dx(DType::f32, shape);
    with_threads({&y, &dx}, [&](Fast::stream& s) {
      REQUIRE(Fast::try_softmax(s, y, x));
      REQUIRE(Fast::try_softmax_backward(s, dx, dy, y));
    });
    std::vector<double> most(static_cast<std::size_t>(shape[0]), -1e300);
    for (std::int64_t i = 0; i < shape.elements(); ++i) most[i / D] = std::max(most[i / D], get(x, i));
    const auto power = [&](std::int64_t i) { return std::exp(get(x, i) - most[i / D]); };
    const auto totals = row_sums(shape, power);
    check_all("y", y, [&](std::int64_t i) {
      // The rounding of x - max grows with the exponent.
      const double p = power(i) / totals[i / D].value;
      return Reference{p, 16 * p * p};
    });
    const auto dots = row_sums(shape, [&](std::int64_t i) { return get(dy, i) * get(y, i); });
    check_all("dx", dx, [&](std::int64_t i) {
      const Reference& dot = dots[i / D];
      const double p = get(y, i), own = p * get(dy, i);
      return Reference{own - p * dot.value, own * own + p * p * (dot.square + dot.value * dot.value)};
    });
  }
}

TEST_CASE("softmax of infinities and NaN") {
  const Block x(DType::f32, {4, 40}), y(DType::f32, {4, 40});
  const double infinity = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < 160; ++i) set(x, i, i < 40 ? -infinity : 0.5);
  set(x, 41, -infinity);
  set(x, 81, infinity);
  set(x, 121, std::nan(""));
  Fast::stream s(1);
  REQUIRE(Fast::try_softmax(s, y, x));
  CHECK(std::isnan(get(y, 0)));
  CHECK(get(y, 41) == 0);
  CHECK(get(y, 42) == doctest::Approx(1.0 / 39));
  CHECK(std::isnan(get(y, 81)));
  CHECK(std::isnan(get(y, 120)));
  CHECK(std::isnan(get(y, 159)));
}

TEST_CASE("hooks decline what they do not cover and write nothing") {
  Fast::stream s(2);
  const Block x(DType::f64, {4, 8}), y(DType::f64, {4, 8}), f = random_block({4, 8}), out(DType::f32, {4, 8});
  const Block w = random_block({8}), inv(DType::f32, {4});
  CHECK_FALSE(Fast::try_softmax(s, y, x));
  CHECK_FALSE(Fast::try_softmax(s, permuted(out, {1, 0}), permuted(f, {1, 0})));
  CHECK_FALSE(Fast::try_rms_norm(s, out, inv, permuted(random_block({8, 4}), {1, 0}), w, 1e-5));
  CHECK_FALSE(Fast::try_rms_norm(s, out, inv, f, repeated(random_block({1}), 0, 8), 1e-5));
  const auto untouched = [](const Block& b) { return b.bytes() == Block(b.view().dtype, b.view().shape).bytes(); };
  CHECK(untouched(out));
  CHECK(untouched(inv));
  CHECK(untouched(y));
}
