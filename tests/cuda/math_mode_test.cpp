// Products of f32 in tf32 and bf16: how far they may be off, that they are in the mode at all, and the rounding to bf16 to the bit.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include <bit>
#include <cmath>

#include "cuda/arrays.hpp"
#include "fused/math_modes.hpp"

using namespace chronotope;
using namespace chronotope::test;
using Stream = cuda_backend::stream;

namespace {

/// The nearer of the two neighbours in bf16; of two as near, the even one.
float nearest_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const float below = std::bit_cast<float>(bits & 0xFFFF0000u), above = std::bit_cast<float>((bits & 0xFFFF0000u) + 0x10000u);
  if (below == x || !std::isfinite(x)) return x;
  const double down = std::abs(double{x} - double{below}), up = std::abs((std::isinf(above) ? std::copysign(0x1p128, x) : double{above}) - double{x});
  return down < up || (down == up && (bits >> 16) % 2 == 0) ? below : above;
}

std::vector<float> some(std::int64_t n, std::uint64_t seed) {
  const auto drawn = draw(n, seed, -2, 2);
  return {drawn.begin(), drawn.end()};
}

std::vector<float> unit_matrix(std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i) values[static_cast<std::size_t>(i * (n + 1))] = 1;
  return values;
}

/// What a product with 1 makes of a row of numbers.
std::vector<float> times_one(MathMode math, const std::vector<float>& values) {
  Stream s(0, math);
  const auto n = static_cast<std::int64_t>(values.size());
  const Array<float> x(s, {n, 1}, values), one(s, {1, 1}, {1}), y(s, {n, 1});
  cuda_backend::matmul(s, y.view(), x.view(), one.view(), 0);
  return y.fetch();
}

/// Compares both with the composition in f64: what is inside the mode's tolerance, and far outside IEEE's.
struct CheckMode {
  const Mode& mode;
  double largest = 0;
  template <class R> void operator()(const FusedCase& use, const R& run) {
    INFO(use.operation, " of ", use.what, " in ", std::string(mode.name));
    const Outcome reference = run.template run<Reference>(DType::f64), exact = run.template run<cuda_backend>(DType::f32);
    const InMode scope(mode.math);
    const Outcome rounded = run.template run<cuda_backend>(DType::f32);
    const double share = worst_share(mode, rounded, reference, use.terms), plain = worst_share(mode, exact, reference, use.terms);
    CHECK(share <= 1);
    CHECK(share > 30 * plain);  // else the mode would not be on
    CHECK(run.template run<cuda_backend>(DType::f32).tensors == rounded.tensors);
    largest = std::max(largest, share);
  }
};

}  // namespace

TEST_CASE("products in tf32 and in bf16 are off by what rounding their operands explains, and not by less") {
  for (const Mode& mode : math_modes) {
    CheckMode errors{mode};
    product_cases(errors);
    MESSAGE(std::string(mode.name) << ": the largest share of the tolerance was " << errors.largest);
  }
}

TEST_CASE("an interest unit follows the math mode") {
  for (const Mode& mode : math_modes)
    hmin_case(
        [&](const FusedCase& use, const auto& run) {
          const auto forward = [&](const Outcome& all) { return Outcome{{all.tensors[0]}}; };  // gradients go through a ReLU
          const Outcome reference = forward(run.template run<Reference>(DType::f64)), exact = forward(run.template run<cuda_backend>(DType::f32));
          const InMode scope(mode.math);
          const Outcome rounded = forward(run.template run<cuda_backend>(DType::f32));
          CHECK(worst_share(mode, rounded, reference, use.terms) <= 1);
          CHECK(worst_share(mode, rounded, reference, use.terms) > 30 * worst_share(mode, exact, reference, use.terms));
        },
        HminSize{9, 5, 3, 20, 64, 2, 32, 64});
}

TEST_CASE("f64 is never touched by a math mode") {
  product_cases([](const FusedCase& use, const auto& run) {
    INFO(use.operation, " of ", use.what);
    const Outcome plain = run.template run<cuda_backend>(DType::f64);
    for (const Mode& mode : math_modes) {
      const InMode scope(mode.math);
      CHECK(run.template run<cuda_backend>(DType::f64).tensors == plain.tensors);
    }
  });
}

TEST_CASE("a stream is in IEEE arithmetic until it is told otherwise") {
  const float third = 1 / 3.0f;
  Stream s;
  CHECK(s.math() == MathMode::ieee);
  s.set_math(MathMode::bf16);
  CHECK(s.math() == MathMode::bf16);
  const Array<float> x(s, {1, 1}, {third}), one(s, {1, 1}, {1}), y(s, {1, 1});
  const auto product = [&] {
    cuda_backend::matmul(s, y.view(), x.view(), one.view(), 0);
    return y.fetch()[0];
  };
  CHECK(product() == nearest_bf16(third));
  s.set_math(MathMode::ieee);
  CHECK(product() == third);
}

TEST_CASE("bf16 operands are rounded to nearest even") {
  std::vector<float> values{0.0f, -0.0f, 1, -1, 0x1p-133f, 0x1p-134f, 0x1.8p-134f, 0x1p-149f, 3.4e38f, 0x1.FEp127f, INFINITY, -INFINITY};
  for (const std::uint32_t low : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu})  // around the middle between neighbours, even and odd
    for (const std::uint32_t high : {0x3F80u, 0x3F81u, 0xBFFFu, 0x0080u, 0x7F7Eu}) values.push_back(std::bit_cast<float>(high << 16 | low));
  const auto got = times_one(MathMode::bf16, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(values[i]);
    CHECK(got[i] == nearest_bf16(values[i]));
  }
  for (const std::uint32_t bits : {0x7F800001u, 0xFFFFFFFFu, 0x7FC00000u, 0xFF80FFFFu})  // whatever stands in the half that goes
    CHECK(std::isnan(times_one(MathMode::bf16, {std::bit_cast<float>(bits)})[0]));
}

TEST_CASE("bf16 operands of any layout are the numbers that they were, rounded") {
  Stream s(0, MathMode::bf16);
  for (const std::int64_t columns : {1, 7, 8, 9, 16, 33})
    for (const std::int64_t gap : {0, 3, 4}) {  // rows that begin anywhere, and at multiples of 16 bytes
      const std::int64_t rows = 5, batch = 2, apart = columns + gap;
      CAPTURE(columns);
      CAPTURE(gap);
      const auto values = some(batch * rows * apart, 1);
      const Array<float> x(s, {batch, rows, apart}, values), unit(s, {columns, columns}, unit_matrix(columns)), y(s, {batch, rows, columns});
      View from = x.view(), one = unit.view();
      from.shape[2] = columns;
      one.shape = Shape{batch, columns, columns};
      one.strides = {0, columns, 1};  // broadcast along the batch
      const auto check = [&](const View& left, const View& out, bool is_turned) {
        cuda_backend::matmul(s, out, is_turned ? one : left, is_turned ? left : one, 0);
        const auto got = y.fetch();
        for (std::int64_t i = 0; i < batch * rows * columns; ++i)
          CHECK(got[static_cast<std::size_t>(i)] == nearest_bf16(values[static_cast<std::size_t>(i / columns * apart + i % columns)]));
      };
      check(from, y.view(), false);
      View turned = from, out = y.view();
      for (View* v : {&turned, &out}) std::swap(v->shape[1], v->shape[2]), std::swap(v->strides[1], v->strides[2]);
      check(turned, out, true);  // columns are dense, of operand and result
    }
}

TEST_CASE("bf16 takes an operand that has neither dense rows nor dense columns, and adds to what is there") {
  Stream s(0, MathMode::bf16);
  const auto values = some(6 * 40, 2);
  const Array<float> x(s, {6, 40}, values), unit(s, {20, 20}, unit_matrix(20)), y(s, {6, 20}, std::vector<float>(120, 0.5f));
  View every_other = x.view();
  every_other.shape[1] = 20, every_other.strides[1] = 2;
  cuda_backend::matmul(s, y.view(), every_other, unit.view(), 2);
  const auto got = y.fetch();
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == nearest_bf16(values[i / 20 * 40 + i % 20 * 2]) + 1);
}

#endif
