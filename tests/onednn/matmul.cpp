// Products of f32 in every layout that views can have, against double loops.

#include <omp.h>
#include <algorithm>

#include "chronotope/core/error.hpp"
#include "onednn/gemm.hpp"
#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// A product is summed in one register from first to last, and each partial sum is rounded: the error is at most u
/// times the sum of their magnitudes, which the common tolerance with its sqrt(K) does not cover (measured: one element
/// in some hundred thousand at K = 130, more with longer sums).
struct Product {
  Reference sum;
  double partial_sums = 0;
  void add(double term) {
    sum.add(term);
    partial_sums += std::abs(sum.value);
  }
  Reference reference() const { return {sum.value, std::max(sum.square, std::pow(partial_sums / 8, 2))}; }
};

/// out [..., M, N] against a [..., M, K] b [..., K, N] + beta before.
void check_product(const View& out, const View& a, const View& b, double beta, const std::vector<double>& before) {
  const std::int64_t M = out.shape[-2], N = out.shape[-1], K = a.shape[-1];
  check_all("product", out, [&](std::int64_t i) {
    const std::int64_t batch = i / (M * N), m = i / N % M, n = i % N;
    Product r;
    for (std::int64_t k = 0; k < K; ++k) r.add(get(a, (batch * M + m) * K + k) * get(b, (batch * K + k) * N + n));
    if (beta != 0) r.add(beta * before[i]);
    return r.reference();
  });
}

void run_and_check(const View& out, const View& a, const View& b) {
  for (const int threads : thread_counts()) {
    for (const double beta : {0.0, 1.0, -0.5}) {
      CAPTURE(threads);
      CAPTURE(beta);
      Fast::stream s(threads);
      std::vector<double> before;
      if (beta != 0) randomise(out);
      else
        for (std::int64_t i = 0; i < out.elements(); ++i) set(out, i, std::nan(""));
      for (std::int64_t i = 0; i < out.elements(); ++i) before.push_back(get(out, i));
      Fast::matmul(s, out, a, b, beta);
      check_product(out, a, b, beta, before);
    }
  }
}

View contiguous(const Block& block) { return block.view(); }

}  // namespace

TEST_CASE("matrices in all transpositions") {
  for (const auto& [M, N, K] : {std::array<std::int64_t, 3>{1, 1, 1},
                                {1, 40, 30},
                                {33, 1, 17},
                                {5, 7, 0},
                                {0, 3, 2},
                                {24, 24, 24},
                                {70, 45, 130},
                                {130, 200, 50}}) {
    const Block a = random_block({M, K}), at = random_block({K, M}), b = random_block({K, N}),
                bt = random_block({N, K});
    const Block out(DType::f32, {M, N}), out_t(DType::f32, {N, M});
    for (const View& left : {contiguous(a), permuted(at, {1, 0})}) {
      for (const View& right : {contiguous(b), permuted(bt, {1, 0})}) {
        for (const View& to : {contiguous(out), permuted(out_t, {1, 0})}) run_and_check(to, left, right);
      }
    }
    CHECK(out.guards_intact());
    CHECK(out_t.guards_intact());
  }
}

TEST_CASE("strided, broadcast and batched matrices") {
  Block a(DType::f32, {3, 2, 9, 11}, {3, 2, 10, 13}), out(DType::f32, {3, 2, 9, 5}, {4, 3, 9, 8});
  randomise(a);
  const Block b = random_block({3, 2, 11, 5}), shared = random_block({1, 1, 11, 5}), row = random_block({11, 1});
  run_and_check(out, a, b);
  run_and_check(out, a, repeated(repeated(shared, 0, 3), 1, 2));
  run_and_check(contiguous(Block(DType::f32, {3, 2, 9, 5})), a, repeated(repeated(shared, 0, 3), 1, 2));
  // Neither axis of the right side is dense, of the output neither.
  const Block spread = random_block({3, 2, 22, 10});
  View thin = spread;
  thin.shape = {3, 2, 11, 5};
  thin.strides = {440, 220, 20, 2};
  run_and_check(out, a, thin);
  const Block wide(DType::f32, {3, 2, 9, 15});
  View gaps = wide;
  gaps.shape = {3, 2, 9, 5};
  gaps.strides = {270, 135, 15, 3};
  run_and_check(gaps, a, b);
  View columns = row;  // one column repeated
  columns.shape = {11, 5};
  columns.strides = {1, 0};
  run_and_check(contiguous(Block(DType::f32, {9, 5})), random_block({9, 11}), columns);
}

TEST_CASE("a batch with one right side, and heads in the middle") {
  const Block x = random_block({6, 10, 16}), w = random_block({8, 16}), y(DType::f32, {6, 10, 8});
  View right = permuted(w, {1, 0});
  View batched{right.data, DType::f32, {6, 16, 8}, {0, right.strides[0], right.strides[1]}};
  run_and_check(y, x, batched);
  const Block qkv = random_block({2, 20, 3, 4, 24}), scores(DType::f32, {2, 4, 20, 20});
  const std::int64_t row = 3 * 4 * 24;
  const View q{qkv.view().data, DType::f32, {2, 4, 20, 24}, {20 * row, 24, row, 1}};
  const View k{qkv.view().as<float>() + 96, DType::f32, {2, 4, 24, 20}, {20 * row, 24, 1, row}};
  run_and_check(scores, q, k);
}

TEST_CASE("many small products are shared out and repeat to the bit") {
  const Block a = random_block({64, 40, 32}), b = random_block({64, 32, 40}), out(DType::f32, {64, 40, 40});
  with_threads({&out}, [&](Fast::stream& s) { Fast::matmul(s, out, a, b, 0); });
  check_product(out, a, b, 0, {});
  const Block large_a = random_block({300, 200}), large_b = random_block({200, 250}), large(DType::f32, {300, 250});
  with_threads({&large}, [&](Fast::stream& s) { Fast::matmul(s, large, large_a, large_b, 0); });
  check_product(large, large_a, large_b, 0, {});
}

TEST_CASE("products leave OpenMP as it was") {
  const int before = omp_get_max_threads();
  omp_set_num_threads(5);
  const Block a = random_block({300, 200}), b = random_block({200, 250}), out(DType::f32, {300, 250});
  Fast::stream s(2);
  Fast::matmul(s, out, a, b, 0);
  CHECK(omp_get_max_threads() == 5);
  omp_set_num_threads(before);
}

TEST_CASE("products inside somebody's parallel region give the same bits") {
  const Block a = random_block({300, 200}), b = random_block({200, 250}), outside(DType::f32, {300, 250}),
              inside(DType::f32, {300, 250});
  Fast::stream s(2);
  Fast::matmul(s, outside, a, b, 0);
#pragma omp parallel num_threads(2)
#pragma omp single
  Fast::matmul(s, inside, a, b, 0);
  CHECK(inside.bytes() == outside.bytes());
}

TEST_CASE("other dtypes take the portable loops") {
  const Block a(DType::f64, {4, 5}), b(DType::f64, {5, 3}), out(DType::f64, {4, 3});
  randomise(a);
  randomise(b);
  Fast::stream s(2);
  Fast::matmul(s, out, a, b, 0);
  for (std::int64_t i = 0; i < 12; ++i) {
    double want = 0;
    for (std::int64_t k = 0; k < 5; ++k) want += get(a, i / 3 * 5 + k) * get(b, k * 3 + i % 3);
    CHECK(get(out, i) == doctest::Approx(want).epsilon(1e-14));
  }
}

TEST_CASE("gemm with alpha, leading dimensions and K = 0") {
  Fast::stream s(2);
  const Block a = random_block({20, 35}), b = random_block({30, 40}), c = random_block({20, 50});
  std::vector<double> before;
  for (std::int64_t i = 0; i < c.view().elements(); ++i) before.push_back(get(c, i));
  chronotope::onednn::gemm(s.impl(), false, false, 20, 25, 30, 2.0f, a.view().as<float>(), 35, b.view().as<float>(), 40,
                           0.5f, c.view().as<float>(), 50);
  check_all("c", c, [&](std::int64_t i) {
    Reference r;
    if (i % 50 >= 25) return Reference{before[i]};
    r.add(0.5 * before[i]);
    for (std::int64_t k = 0; k < 30; ++k) r.add(2 * get(a, i / 50 * 35 + k) * get(b, k * 40 + i % 50));
    return r;
  });
  chronotope::onednn::gemm(s.impl(), false, false, 20, 50, 0, 1, nullptr, 1, nullptr, 50, 0, c.view().as<float>(), 50);
  CHECK(get(c, 7) == 0);
  CHECK_THROWS_AS(chronotope::onednn::gemm(s.impl(), false, false, 20, 25, 30, 1, a.view().as<float>(), 1,
                                           b.view().as<float>(), 40, 0, c.view().as<float>(), 50),
                  BackendError);
}
