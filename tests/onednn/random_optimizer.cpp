// Uniform numbers and dropout (the bits of core/philox.hpp), sums of squares, AdamW.

#include "chronotope/core/philox.hpp"
#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

float drawn(std::uint64_t seed, std::uint64_t counter, std::int64_t i) {
  return philox_uniform(seed, counter, static_cast<std::uint64_t>(i));
}

constexpr AdamStep step{.lr = 3e-4,
                        .beta1 = 0.9,
                        .beta2 = 0.99,
                        .eps = 1e-8,
                        .weight_decay = 0.05,
                        .correction1 = 0.19,
                        .correction2 = 0.0199,
                        .grad_scale = 0.7};

struct Adam {
  double p, m, v;
  Reference parameter;
  Adam(double p0, double m0, double v0, double g) {
    const double grad = step.grad_scale * g;
    m = step.beta1 * m0 + (1 - step.beta1) * grad;
    v = step.beta2 * v0 + (1 - step.beta2) * grad * grad;
    parameter.add(p0);
    parameter.add(-step.lr * step.weight_decay * p0);
    parameter.add(-step.lr * (m / step.correction1) / (std::sqrt(v / step.correction2) + step.eps));
    p = parameter.value;
  }
};

}  // namespace

TEST_CASE("uniform numbers are the bits of philox") {
  for (const std::int64_t n : {0, 1, 3, 4, 63, 64, 65, 1000, 50001}) {
    const Block out(DType::f32, {n});
    const std::uint64_t key = 0x123456789abcdefULL * static_cast<std::uint64_t>(n + 1), counter = ~key;
    with_threads({&out}, [&](Fast::stream& s) { Fast::uniform(s, out, key, counter); });
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < n; ++i) wrong += out.view().as<float>()[i] != drawn(key, counter, i);
    CHECK(wrong == 0);
  }
}

TEST_CASE("uniform numbers in strided views and doubles") {
  const Block out(DType::f32, {30, 40}), wide(DType::f64, {100});
  const View turned = permuted(out, {1, 0});
  Fast::stream s(2);
  Fast::uniform(s, turned, 1, 2);
  Fast::uniform(s, wide, 1, 2);
  for (std::int64_t i = 0; i < 100; ++i) {
    CHECK(get(turned, i) == static_cast<double>(drawn(1, 2, i)));
    CHECK(get(wide, i) == static_cast<double>(drawn(1, 2, i)));
  }
}

TEST_CASE("dropout keeps what philox says") {
  for (const double p : {0.0, 0.1, 0.5, 0.999999}) {
    for (const std::int64_t n : {0, 1, 5, 64, 1000, 40000}) {
      const Block x = random_block({n}), y(DType::f32, {n});
      with_threads({&y}, [&](Fast::stream& s) { REQUIRE(Fast::try_dropout(s, y, x, p, 7, 9)); });
      check_all("y", y, [&](std::int64_t i) {
        return Reference{static_cast<double>(drawn(7, 9, i)) >= p ? get(x, i) / (1 - p) : 0};
      });
    }
  }
}

TEST_CASE("dropout at probabilities that are drawn numbers themselves") {
  // >= at the very value: element i must be kept.
  const std::int64_t n = 64;
  const Block x = random_block({n}, 1, 2), y(DType::f32, {n});
  Fast::stream s(1);
  for (std::int64_t i = 0; i < n; ++i) {
    REQUIRE(Fast::try_dropout(s, y, x, static_cast<double>(drawn(3, 4, i)), 3, 4));
    CHECK(get(y, i) != 0);
    REQUIRE(Fast::try_dropout(s, y, x, std::nextafter(static_cast<double>(drawn(3, 4, i)), 2), 3, 4));
    CHECK(get(y, i) == 0);
  }
}

TEST_CASE("sum_squares does not depend on threads") {
  for (const std::int64_t n : {0, 1, 17, 4097, 200000}) {
    const Block x = random_block({n}, 1, 3), out(DType::f32, {});
    double one_thread = 0;
    for (const int threads : thread_counts()) {
      Fast::stream s(threads);
      REQUIRE(Fast::try_sum_squares(s, out, x));
      if (threads == 1) one_thread = get(out, 0);
      CHECK(get(out, 0) == one_thread);
    }
    check_all("sum", out, [&](std::int64_t) {
      Reference sum;
      for (std::int64_t i = 0; i < n; ++i) sum.add(get(x, i) * get(x, i));
      return Reference{sum.value};
    });
  }
}

TEST_CASE("adamw") {
  for (const std::int64_t n : {0, 1, 15, 1000, 50000}) {
    for (const int threads : thread_counts()) {
      const Block p0 = random_block({n}), m0 = random_block({n}), v0 = random_block({n}, 0, 2), g = random_block({n});
      const Block p(DType::f32, {n}), m(DType::f32, {n}), v(DType::f32, {n});
      Fast::stream s(threads);
      Fast::copy(s, p, p0);
      Fast::copy(s, m, m0);
      Fast::copy(s, v, v0);
      REQUIRE(Fast::try_adamw(s, p, m, v, g, step));
      const auto want = [&](std::int64_t i) { return Adam(get(p0, i), get(m0, i), get(v0, i), get(g, i)); };
      check_all("p", p, [&](std::int64_t i) { return want(i).parameter; });
      check_all("m", m, [&](std::int64_t i) {
        return Reference{want(i).m, std::pow(get(m0, i), 2) + std::pow(get(g, i), 2)};
      });
      check_all("v", v, [&](std::int64_t i) { return Reference{want(i).v}; });
      CHECK(p.guards_intact());
    }
  }
}

TEST_CASE("adamw_rows touches its rows alone") {
  const std::int64_t N = 60, D = 19;
  const Block p0 = random_block({N, D}), m0 = random_block({N, D}), v0 = random_block({N, D}, 0, 2);
  for (const std::int64_t U : {0, 1, 20}) {
    const Block g = random_block({U, D}), ids(DType::i32, {U});
    for (std::int64_t i = 0; i < U; ++i) set(ids, i, static_cast<double>((7 * i + 3) % N));
    const Block p(DType::f32, {N, D}), m(DType::f32, {N, D}), v(DType::f32, {N, D});
    Fast::stream s(2);
    Fast::copy(s, p, p0);
    Fast::copy(s, m, m0);
    Fast::copy(s, v, v0);
    REQUIRE(Fast::try_adamw_rows(s, p, m, v, ids, g, step));
    check_all("p", p, [&](std::int64_t i) {
      for (std::int64_t u = 0; u < U; ++u) {
        if (get(ids, u) == static_cast<double>(i / D)) {
          return Adam(get(p0, i), get(m0, i), get(v0, i), get(g, u * D + i % D)).parameter;
        }
      }
      return Reference{get(p0, i)};
    });
    if (U == 0) continue;
    set(ids, 0, static_cast<double>(N));
    CHECK_FALSE(Fast::try_adamw_rows(s, p, m, v, ids, g, step));
  }
}
