// Rope and SwiGLU against double loops.

#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// The q, k or v part of a packed [T, 3, H, D].
View packed_part(const Block& qkv, int part) {
  View v = qkv;
  const std::int64_t T = v.shape[0], H = v.shape[2], D = v.shape[3];
  View out{v.as<float>() + part * v.strides[1], DType::f32, {T, H, D}, {}};
  out.strides = {v.strides[0], v.strides[2], v.strides[3]};
  return out;
}

}  // namespace

TEST_CASE("rope on slices of a packed qkv") {
  for (const Shape& shape : {Shape{0, 2, 24}, Shape{1, 1, 2}, Shape{5, 32, 24}, Shape{70, 3, 66}, Shape{40, 32, 24}}) {
    const std::int64_t T = shape[0], H = shape[1], D = shape[2], L = 50;
    const Block qkv = random_block({T, 3, H, D}), cos = random_block({L, D / 2}), sin = random_block({L, D / 2});
    const Block position = random_ids(DType::i32, T, L), y(DType::f32, shape);
    for (const bool inverse : {false, true}) {
      for (const int part : {0, 1}) {
        const View x = packed_part(qkv, part);
        with_threads({&y}, [&](Fast::stream& s) { REQUIRE(Fast::try_rope(s, y, x, position, cos, sin, inverse)); });
        check_all("y", y, [&](std::int64_t i) {
          const std::int64_t t = i / (H * D), d = i % D, half = D / 2;
          const std::int64_t angle = static_cast<std::int64_t>(get(position, t)) * half + d % half;
          const double other = get(x, d < half ? i + half : i - half), s = get(sin, angle) * (inverse ? -1 : 1);
          Reference r;
          r.add(get(x, i) * get(cos, angle));
          r.add(d < half ? -other * s : other * s);
          return r;
        });
      }
    }
  }
}

TEST_CASE("rope in the memory of what it turns gives the same bits, and leaves the rest alone") {
  const std::int64_t T = 40, H = 3, L = 50;
  for (const std::int64_t D : {2, 24, 66}) {
    const Block qkv = random_block({T, 3, H, D}), cos = random_block({L, D / 2}), sin = random_block({L, D / 2});
    const Block position = random_ids(DType::i32, T, L), y(DType::f32, {T, H, D}), value(DType::f32, {T, H, D});
    const View k = packed_part(qkv, 1), v = packed_part(qkv, 2);
    for (std::int64_t i = 0; i < T * H * D; ++i) set(value, i, get(v, i));
    Fast::stream s(2);
    REQUIRE(Fast::try_rope(s, y, k, position, cos, sin, false));
    REQUIRE(Fast::try_rope(s, k, k, position, cos, sin, false));
    for (std::int64_t i = 0; i < T * H * D; ++i) {
      CHECK(get(k, i) == get(y, i));
      CHECK(get(v, i) == get(value, i));
    }
  }
}

TEST_CASE("rope declines positions outside the tables") {
  Fast::stream s(1);
  const Block x = random_block({2, 1, 4}), y(DType::f32, {2, 1, 4}), table = random_block({3, 2}),
              position(DType::i32, {2});
  for (const double bad : {-1.0, 3.0}) {
    set(position, 0, 0);
    set(position, 1, bad);
    CHECK_FALSE(Fast::try_rope(s, y, x, position, table, table, false));
  }
}

TEST_CASE("swiglu") {
  for (const Shape& shape : {Shape{0, 4}, Shape{1, 1}, Shape{3, 24}, Shape{7, 37}, Shape{100, 200}}) {
    const std::int64_t R = shape[0], F = shape[1];
    const Block in = random_block({R, 2 * F}, -12, 12), dy = random_block(shape), y(DType::f32, shape);
    const Block grad(DType::f32, {R, 2 * F});
    with_threads({&y, &grad}, [&](Fast::stream& s) {
      REQUIRE(Fast::try_swiglu(s, y, in));
      REQUIRE(Fast::try_swiglu_backward(s, grad, dy, in));
    });
    const auto gate = [&](std::int64_t i) { return get(in, i / F * 2 * F + i % F); };
    const auto up = [&](std::int64_t i) { return get(in, i / F * 2 * F + F + i % F); };
    const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
    check_all("y", y, [&](std::int64_t i) { return Reference{gate(i) * sigmoid(gate(i)) * up(i)}; });
    check_all("gradient", grad, [&](std::int64_t j) {
      const std::int64_t i = j / (2 * F) * F + j % F;
      const double g = gate(i), s = sigmoid(g);
      if (j % (2 * F) >= F) return Reference{get(dy, i) * g * s};
      Reference r;
      r.add(get(dy, i) * up(i) * s);
      r.add(get(dy, i) * up(i) * s * g * (1 - s));
      return r;
    });
  }
}

TEST_CASE("swiglu of huge gates is finite") {
  const Block in(DType::f32, {1, 4}), y(DType::f32, {1, 2}), dy(DType::f32, {1, 2}), grad(DType::f32, {1, 4});
  const double values[] = {-1e4, 1e4, 3, 3};
  for (int i = 0; i < 4; ++i) set(in, i, values[i]);
  set(dy, 0, 1);
  set(dy, 1, 1);
  Fast::stream s(1);
  REQUIRE(Fast::try_swiglu(s, y, in));
  REQUIRE(Fast::try_swiglu_backward(s, grad, dy, in));
  CHECK(get(y, 0) == 0);
  CHECK(get(y, 1) == 3e4);
  CHECK(get(grad, 0) == 0);
  CHECK(get(grad, 1) == 3);
  CHECK(get(grad, 3) == 1e4);
}
