// Linear layers, interest units and forgetting masks: every instruction set and number of threads gives what the others
// give, and what is not covered is declined. Values are compared with the compositions in tests/ops/fused_test.cpp.

#include <algorithm>

#include "agree.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// The arguments of an interest unit or their gradients, with random contents.
struct Unit {
  Block query, keys, mask, valid, temperature, weight1, bias1, weight2, bias2;

  Unit(std::int64_t B, std::int64_t Q, std::int64_t M, std::int64_t k, std::int64_t D, std::int64_t H, std::int64_t F, std::int64_t O)
      : query(random_block({B, Q, D})), keys(random_block({B, k, D})), mask(random_block({B, M, k})), valid(DType::u8, {B, k}),
        temperature(random_block({1})), weight1(random_block({H * F, D})), bias1(random_block({H * F})), weight2(random_block({H, O, F})),
        bias2(random_block({H, O})) {
    for (std::int64_t i = 0; i < B * k; ++i) set(valid, i, i / k != 1 && i % 5 != 2);
  }
  HminViews views() const { return {query, keys, mask, valid, temperature, weight1, bias1, weight2, bias2}; }
  std::vector<const Block*> floats() const { return {&query, &keys, &mask, &temperature, &weight1, &bias1, &weight2, &bias2}; }
};

}  // namespace

TEST_CASE("linear layers on every instruction set") {
  for (const auto& [R, K, N] : {std::array<std::int64_t, 3>{1, 1, 1}, {7, 5, 9}, {205, 80, 64}, {99, 17, 70}, {30, 700, 60}}) {
    const Block x = random_block({R, K}), w = random_block({N, K}), b = random_block({N}), dy = random_block({R, N});
    const Block y(DType::f32, {R, N}), dx(DType::f32, {R, K}), dw(DType::f32, {N, K}), db(DType::f32, {N});
    agree({&y, &dx, &dw, &db}, [&](Fast::stream& s) {
      REQUIRE(Fast::try_linear(s, y, x, w, b, true));
      REQUIRE(Fast::try_linear_backward(s, dx, dw, db, dy, x, w, y, true));
    });
    CHECK(std::ranges::all_of(values_of({&y}), [](double v) { return v >= 0; }));
  }
}

TEST_CASE("linear layers with a bias for each group on every instruction set") {
  for (const auto& [R, K, N, G] : {std::array<std::int64_t, 4>{1, 1, 1, 1}, {7, 5, 9, 3}, {205, 48, 64, 168}, {30, 700, 60, 7}}) {
    const Block x = random_block({R, K}), w = random_block({N, K}), bias = random_block({G, N}), y(DType::f32, {R, N}), group(DType::i32, {R});
    for (std::int64_t r = 0; r < R; ++r) set(group, r, static_cast<double>(r * 5 % G));
    agree({&y}, [&](Fast::stream& s) { REQUIRE(Fast::try_linear_grouped(s, y, x, w, bias, group)); });
  }
}

TEST_CASE("interest units on every instruction set") {
  for (const auto& [B, Q, M, k, D, H, F, O] : {std::array<std::int64_t, 8>{3, 2, 1, 4, 3, 1, 2, 3}, {6, 5, 3, 21, 40, 2, 9, 70}}) {
    const Unit in(B, Q, M, k, D, H, F, O), gradient(B, Q, M, k, D, H, F, O);
    const Block dout = random_block({B, Q * M, H * O}), out(DType::f32, {B, Q * M, H * O});
    std::vector<const Block*> outputs = gradient.floats();
    outputs.push_back(&out);
    agree(outputs, [&](Fast::stream& s) {
      REQUIRE(Fast::try_hmin(s, out, in.views()));
      REQUIRE(Fast::try_hmin_backward(s, gradient.views(), dout, in.views()));
    });
    // The second sample has no behaviour.
    for (std::int64_t i = 0; i < Q * M * H * O; ++i) CHECK(get(out, Q * M * H * O + i) == 0);
    for (std::int64_t i = 0; i < k * D; ++i) CHECK(get(gradient.keys, k * D + i) == 0);
  }
}

TEST_CASE("an interest unit reads nothing of padding") {
  const Unit in(4, 2, 2, 6, 5, 2, 3, 4), gradient(4, 2, 2, 6, 5, 2, 3, 4);
  const Block dout = random_block({4, 4, 8}), out(DType::f32, {4, 4, 8});
  for (std::int64_t i = 0; i < 4 * 6; ++i) {
    if (get(in.valid, i) != 0) continue;
    for (std::int64_t d = 0; d < 5; ++d) set(in.keys, i * 5 + d, std::nan(""));
  }
  Fast::stream s(2);
  REQUIRE(Fast::try_hmin(s, out, in.views()));
  REQUIRE(Fast::try_hmin_backward(s, gradient.views(), dout, in.views()));
  std::vector<const Block*> all = gradient.floats();
  all.push_back(&out);
  CHECK(std::ranges::none_of(values_of(all), [](double v) { return std::isnan(v); }));
}

TEST_CASE("forgetting masks on every instruction set") {
  for (const CurveForm form : {CurveForm::exponential, CurveForm::power, CurveForm::logarithm})
    for (const std::int64_t k : {1, 7, 50}) {
      const Shape shape{5, 2, k};
      const Block review(DType::u8, shape), valid(DType::u8, {5, k}), time(DType::f32, {5, k}), dmask = random_block(shape);
      for (std::int64_t i = 0; i < shape.elements(); ++i) set(review, i, i % 3 == 0);
      for (std::int64_t i = 0; i < 5 * k; ++i) set(time, i, 1.5 * static_cast<double>(k - i % k));
      for (std::int64_t i = 0; i < 5 * k; ++i) set(valid, i, i / k != 1 && i % 4 != 1);
      const Block r_init = random_block({2}, 0.3, 0.5), r_final = random_block({2}, 0.8, 1), rate = random_block({2}, 15, 25), growth = random_block({2}, 1, 3);
      const Block mask(DType::f32, shape), d_init(DType::f32, {2}), d_final(DType::f32, {2}), d_rate(DType::f32, {2}), d_growth(DType::f32, {2});
      const ReviewViews points{valid, review, time};
      const CurveConstants constants{r_init, r_final, rate, growth}, gradients{d_init, d_final, d_rate, d_growth};
      agree({&mask, &d_init, &d_final, &d_rate, &d_growth}, [&](Fast::stream& s) {
        REQUIRE(Fast::try_forgetting_mask(s, mask, points, constants, {.form = form}));
        REQUIRE(Fast::try_forgetting_mask_backward(s, gradients, dmask, points, constants, {.form = form}));
      });
      for (std::int64_t i = 0; i < 2 * k; ++i) CHECK(get(mask, 2 * k + i) == 0);  // the second sample is all padding
    }
}

TEST_CASE("network hooks decline what they do not cover and write nothing") {
  Fast::stream s(1);
  const Block x = random_block({4, 6}), w = random_block({3, 6}), b = random_block({3}), y(DType::f32, {4, 3}), wide(DType::f64, {4, 6});
  CHECK_FALSE(Fast::try_linear(s, y, wide, w, b, false));
  CHECK_FALSE(Fast::try_linear(s, y, x, random_block({3, 5}), b, false));
  CHECK_FALSE(Fast::try_linear(s, y, x, w, random_block({4}), false));
  CHECK_FALSE(Fast::try_linear(s, y, permuted(random_block({6, 4}), {1, 0}), w, b, false));
  CHECK(untouched(y));
  const Block bias = random_block({2, 3}), group(DType::i32, {4}), wide_group(DType::i64, {4}), short_group(DType::i32, {3}), beyond(DType::i32, {4});
  for (std::int64_t i = 0; i < 4; ++i) set(beyond, i, 2);
  for (const Block* g : {&group, &wide_group, &short_group})
    for (std::int64_t i = 0; i < g->view().elements(); ++i) set(*g, i, 1);
  CHECK_FALSE(Fast::try_linear_grouped(s, y, x, w, random_block({2, 4}), group));
  CHECK_FALSE(Fast::try_linear_grouped(s, y, x, w, bias, wide_group));
  CHECK_FALSE(Fast::try_linear_grouped(s, y, x, w, bias, short_group));
  CHECK_FALSE(Fast::try_linear_grouped(s, y, x, w, bias, beyond));
  CHECK(untouched(y));
  const Unit unit(2, 1, 1, 3, 4, 1, 2, 5), other(2, 1, 1, 4, 4, 1, 2, 5);
  const Block out(DType::f32, {2, 1, 5});
  HminViews views = unit.views();
  views.mask = other.mask;
  CHECK_FALSE(Fast::try_hmin(s, out, views));
  views = unit.views();
  views.keys = permuted(random_block({2, 4, 3}), {0, 2, 1});
  CHECK_FALSE(Fast::try_hmin(s, out, views));
  CHECK(untouched(out));
}
