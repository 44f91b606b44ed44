// Linear layers on a device: fused equals composed, strides, packs that do not fit, groups that are not there, what is declined.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include <cmath>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/core/error.hpp"
#include "cuda/arrays.hpp"
#include "fused/comparison.hpp"

using namespace chronotope;
using namespace chronotope::test;
using Stream = cuda_backend::stream;

namespace {

std::vector<float> whole(std::int64_t n, std::int64_t step) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(static_cast<float>(i * step % 7 - 3));
  return values;
}

/// The first `columns` columns of a matrix.
View left_part(View v, std::int64_t columns) {
  v.shape[1] = columns;
  return v;
}

struct Sizes {
  std::int64_t R, K, N;
};

/// A layer and its gradients in whole numbers, so that no order of additions shows, and that bf16 has; rows are `gap` longer than they are wide.
void check_whole_numbers(const Sizes& n, std::int64_t gap, bool relu, MathMode math) {
  const auto [R, K, N] = n;
  CAPTURE(to_string(Shape{R, K, N, gap}));
  Stream s(0, math);
  const auto xs = whole(R * (K + gap), 3), ws = whole(N * (K + gap), 5), bs = whole(N, 2), gs = whole(R * (N + gap), 4);
  const Array<float> x(s, {R, K + gap}, xs), w(s, {N, K + gap}, ws), b(s, {N}, bs), dy(s, {R, N + gap}, gs), db(s, {N});
  const Array<float> y(s, {R, N + gap}, std::vector<float>(gs.size(), 99)), dx(s, {R, K + gap}, std::vector<float>(xs.size(), 99)),
      dw(s, {N, K + gap}, std::vector<float>(ws.size(), 99));
  const View in = left_part(x.view(), K), weight = left_part(w.view(), K), out = left_part(y.view(), N), grad = left_part(dy.view(), N);
  REQUIRE(cuda_backend::try_linear(s, out, in, weight, b.view(), relu));
  REQUIRE(cuda_backend::try_linear_backward(s, left_part(dx.view(), K), left_part(dw.view(), K), db.view(), grad, in, weight, out, relu));
  std::vector<float> want_y(gs.size(), 99), want_dx(xs.size(), 99), want_dw(ws.size(), 99), want_db(bs.size());
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  for (std::int64_t r = 0; r < R; ++r) std::fill_n(want_dx.begin() + r * (K + gap), K, 0.f);
  for (std::int64_t o = 0; o < N; ++o) std::fill_n(want_dw.begin() + o * (K + gap), K, 0.f);
  for (std::int64_t r = 0; r < R; ++r)
    for (std::int64_t o = 0; o < N; ++o) {
      float sum = bs[at(o)];
      for (std::int64_t k = 0; k < K; ++k) sum += xs[at(r * (K + gap) + k)] * ws[at(o * (K + gap) + k)];
      want_y[at(r * (N + gap) + o)] = relu ? std::max(sum, 0.f) : sum;
      const float g = relu && sum <= 0 ? 0 : gs[at(r * (N + gap) + o)];
      want_db[at(o)] += g;
      for (std::int64_t k = 0; k < K; ++k) {
        want_dx[at(r * (K + gap) + k)] += g * ws[at(o * (K + gap) + k)];
        want_dw[at(o * (K + gap) + k)] += g * xs[at(r * (K + gap) + k)];
      }
    }
  CHECK(y.fetch() == want_y);
  CHECK(dx.fetch() == want_dx);
  CHECK(dw.fetch() == want_dw);
  CHECK(db.fetch() == want_db);
}

}  // namespace

TEST_CASE("fused linear layers on a device equal their compositions") {
  for (const auto& [R, K, N] : {Sizes{1, 1, 1}, {5, 7, 3}, {13, 80, 64}, {200, 64, 33}, {97, 130, 66}, {300, 5, 4}})
    for (const bool relu : {false, true}) {
      INFO("rows, in, out: ", to_string(Shape{R, K, N}));
      compare_fused<cuda_backend>({{R, K}, {N, K}, {N}}, static_cast<double>(std::max({R, K, N})),
                                  [relu](auto&, const auto& x) { return linear(x[0], x[1], x[2], relu); });
    }
  compare_fused<cuda_backend>({{4, 3, 10}, {6, 10}, {6}}, 12, [](auto&, const auto& x) { return linear(x[0], x[1], x[2], true); });
  compare_fused<cuda_backend>({{10, 7}, {6, 10}, {6}}, 10, [](auto&, const auto& x) { return linear(transpose(x[0], 0, 1), x[1], x[2]); },
                              Taken::either);
}

TEST_CASE("fused linear layers with a bias for each group on a device equal their composition") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t> sizes[] =
      {{1, 1, 1, 1}, {13, 7, 3, 5}, {205, 48, 64, 168}, {97, 30, 66, 9}};
  for (const auto& [rows, in, out, groups] : sizes) {
    std::vector<std::int32_t> group;
    for (std::int64_t r = 0; r < rows; ++r) group.push_back(static_cast<std::int32_t>(r * 7 % groups));
    compare_fused<cuda_backend>({{rows, in}, {out, in}, {groups, out}}, static_cast<double>(std::max({rows, in, out})),
                                [&, n = rows](auto& c, const auto& x) {
                                  using B = typename std::decay_t<decltype(x[0])>::backend;
                                  return linear_grouped(x[0], x[1], x[2] * 1.0, Tensor<B>::from_host(c, group, {n}));
                                }, Taken::either);  // the factor is a node of its own: the gradient of a leaf would stay rows
  }
}

TEST_CASE("linear layers on a device are exact in whole numbers, whatever lies between rows") {
  for (const Sizes& n : {Sizes{3, 4, 8}, {70, 9, 12}, {5, 3, 7}, {1, 16, 4}})
    for (const std::int64_t gap : {0, 3, 4})
      for (const bool relu : {false, true})
        for (const MathMode math : {MathMode::ieee, MathMode::tf32, MathMode::bf16}) check_whole_numbers(n, gap, relu, math);
}

TEST_CASE("a linear layer on a device whose input nobody differentiates, and one that sees NaN") {
  Stream s;
  const Array<float> x(s, {2, 4}, {1, 1, 1, 1, std::nanf(""), 1, 1, 1}), w(s, {3, 4}, whole(12, 2)), b(s, {3}), y(s, {2, 3}),
      dw(s, {3, 4}), db(s, {3});
  REQUIRE(cuda_backend::try_linear(s, y.view(), x.view(), w.view(), b.view(), true));
  const auto got = y.fetch();
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::isnan(got[i]) == (i >= 3));
  const Array<float> ones(s, {2, 3}, std::vector<float>(6, 1)), clean(s, {2, 4}, whole(8, 1));
  REQUIRE(cuda_backend::try_linear_backward(s, View{}, dw.view(), db.view(), ones.view(), clean.view(), w.view(), View{}, false));
  CHECK(db.fetch() == std::vector<float>(3, 2));
  CHECK(dw.fetch() == std::vector<float>{-2, 0, 2, -3, -2, 0, 2, -3, -2, 0, 2, -3});
}

TEST_CASE("a linear layer on a device tells a group that is not there and adds nothing to its row") {
  Stream s;
  for (const std::int64_t N : {3, 4}) {
    const auto n = static_cast<std::size_t>(N);
    const Array<float> x(s, {3, 2}, std::vector<float>(6, 1)), w(s, {N, 2}, std::vector<float>(2 * n, 1)),
        bias(s, {2, N}, std::vector<float>(2 * n, 5)), y(s, {3, N});
    for (const std::int32_t bad : {-1, 2, std::numeric_limits<std::int32_t>::min()}) {
      const Array<std::int32_t> group(s, {3}, {1, bad, 0});
      REQUIRE(cuda_backend::try_linear_grouped(s, y.view(), x.view(), w.view(), bias.view(), group.view()));
      CHECK_THROWS_WITH_AS(cuda_backend::synchronize(s), doctest::Contains("at position 1 is outside a table of 2 rows"), ShapeError);
      const auto got = y.fetch();
      for (std::size_t i = 0; i < 3 * n; ++i) CHECK(got[i] == (i / n == 1 ? 2 : 7));
    }
  }
}

TEST_CASE("linear layers on a device decline what they do not cover and write nothing") {
  Stream s;
  const std::vector<float> before(64, 7), row(8, 7);
  const Array<float> x(s, {8, 8}, before), w(s, {8, 8}, before), y(s, {8, 8}, before), b(s, {8}, row), narrow(s, {7});
  const Array<double> wide(s, {8, 8}), wide_b(s, {8});
  const Array<std::int32_t> group(s, {8});
  const Array<std::int64_t> wide_group(s, {8});
  View turned = x.view(), repeated = x.view(), empty = x.view(), once = b.view();
  std::swap(turned.strides[0], turned.strides[1]);
  repeated.strides[0] = 0;
  empty.shape[0] = 0;
  once.strides[0] = 0;
  const View in = x.view(), weight = w.view(), to = y.view();
  CHECK_FALSE(cuda_backend::try_linear(s, to, in, weight, View{}, false));  // cuBLAS does not promise a row its own bits
  CHECK_FALSE(cuda_backend::try_linear(s, to, turned, weight, b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, to, repeated, weight, b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, repeated, in, weight, b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, empty, empty, weight, b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, left_part(to, 7), in, weight, narrow.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, to, in, weight, once, false));
  CHECK_FALSE(cuda_backend::try_linear(s, to, in, wide.view(), b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear(s, to, in, weight, wide_b.view(), false));
  CHECK_FALSE(cuda_backend::try_linear_grouped(s, to, in, weight, to, wide_group.view()));
  CHECK_FALSE(cuda_backend::try_linear_grouped(s, to, in, weight, left_part(to, 7), group.view()));
  CHECK_FALSE(cuda_backend::try_linear_grouped(s, to, in, weight, turned, group.view()));
  CHECK_FALSE(cuda_backend::try_linear_grouped(s, to, in, weight, wide.view(), group.view()));
  CHECK_FALSE(cuda_backend::try_linear_backward(s, turned, to, b.view(), in, in, weight, in, true));
  CHECK_FALSE(cuda_backend::try_linear_backward(s, to, repeated, b.view(), in, in, weight, in, true));
  CHECK_FALSE(cuda_backend::try_linear_backward(s, to, to, once, in, in, weight, in, true));
  CHECK_FALSE(cuda_backend::try_linear_backward(s, to, to, b.view(), turned, in, weight, in, true));
  CHECK_FALSE(cuda_backend::try_linear_backward(s, to, to, b.view(), in, in, weight, wide.view(), true));
  CHECK(y.fetch() == before);
  CHECK(b.fetch() == row);
}

#endif
