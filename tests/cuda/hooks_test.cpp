// The fused hooks as they are called: strides, corners, what they decline, ids outside tables.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "cuda/arrays.hpp"

using namespace chronotope;
using Stream = cuda_backend::stream;

namespace {

constexpr AdamStep adam_step{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0,
                             .correction1 = 0.1, .correction2 = 0.01, .grad_scale = 1};

std::vector<float> counted(std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) * 0.05f - 2.5f;
  return values;
}

/// The first `columns` columns of a matrix.
View left_part(View v, std::int64_t columns) {
  v.shape[1] = columns;
  return v;
}

View transposed(View v) {
  std::swap(v.shape[0], v.shape[1]);
  std::swap(v.strides[0], v.strides[1]);
  return v;
}

/// The dense rows [R, columns] that left_part() shows.
std::vector<float> left_part(const std::vector<float>& all, std::int64_t width, std::int64_t columns) {
  std::vector<float> part;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (static_cast<std::int64_t>(i) % width < columns) part.push_back(all[i]);
  return part;
}

}  // namespace

TEST_CASE("hooks read rows that are further apart than they are long, to the same bits") {
  Stream s;
  const std::int64_t rows = 70;
  for (const std::int64_t width : {33, 600}) {
    const std::int64_t apart = width + 5;
    const std::vector<float> values = counted(rows * apart), weights = counted(width);
    const Array<float> wide(s, {rows, apart}, values), dense(s, {rows, width}, left_part(values, apart, width)), w(s, {width}, weights);
    const Array<float> y(s, {rows, width}), other(s, {rows, width}), mean(s, {rows}), inv(s, {rows}), dw(s, {width}), db(s, {width});
    const View x = left_part(wide.view(), width);
    const auto same = [&](const char* name, auto&& hook) {
      INFO(std::string(name));
      REQUIRE(hook(y.view(), x));
      const auto first = dw.fetch();
      REQUIRE(hook(other.view(), dense.view()));
      CHECK(y.fetch() == other.fetch());
      CHECK(dw.fetch() == first);
    };
    same("softmax", [&](const View& to, const View& from) { return cuda_backend::try_softmax(s, to, from); });
    same("softmax_backward", [&](const View& to, const View& from) { return cuda_backend::try_softmax_backward(s, to, from, from); });
    same("rms_norm", [&](const View& to, const View& from) { return cuda_backend::try_rms_norm(s, to, inv.view(), from, w.view(), 1e-5); });
    same("rms_norm_backward", [&](const View& to, const View& from) {
      return cuda_backend::try_rms_norm_backward(s, to, dw.view(), from, from, w.view(), inv.view());
    });
    same("layer_norm", [&](const View& to, const View& from) {
      return cuda_backend::try_layer_norm(s, to, mean.view(), inv.view(), from, w.view(), w.view(), 1e-5);
    });
    same("layer_norm_backward", [&](const View& to, const View& from) {
      return cuda_backend::try_layer_norm_backward(s, to, dw.view(), db.view(), from, from, w.view(), mean.view(), inv.view());
    });
  }
}

TEST_CASE("hooks read rows that begin between multiples of 16 bytes") {
  Stream s;
  const std::int64_t rows = 9;
  for (const auto& [width, apart, first] : {std::tuple<std::int64_t, std::int64_t, std::int64_t>{64, 68, 1}, {64, 65, 0}, {600, 604, 3}}) {
    const std::vector<float> values = counted(rows * apart);
    const Array<float> wide(s, {rows, apart}, values), y(s, {rows, width}), half(s, {rows, width / 2});
    View x = left_part(wide.view(), width);
    x.data = x.as<float>() + first;
    REQUIRE(cuda_backend::try_softmax(s, y.view(), x));
    REQUIRE(cuda_backend::try_swiglu(s, half.view(), x));
    const std::vector<float> got = y.fetch(), product = half.fetch();
    double worst = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto at = [&](std::int64_t i) { return static_cast<double>(values[static_cast<std::size_t>(r * apart + first + i)]); };
      double total = 0;
      for (std::int64_t i = 0; i < width; ++i) total += std::exp(at(i));
      for (std::int64_t i = 0; i < width; ++i)
        worst = std::max(worst, std::abs(static_cast<double>(got[static_cast<std::size_t>(r * width + i)]) - std::exp(at(i)) / total));
      for (std::int64_t i = 0; i < width / 2; ++i)
        worst = std::max(worst, std::abs(static_cast<double>(product[static_cast<std::size_t>(r * (width / 2) + i)]) -
                                         at(i) / (1 + std::exp(-at(i))) * at(width / 2 + i)));
    }
    CHECK(worst < 4e-6);  // numbers up to 6.25: eight roundoffs
  }
}

TEST_CASE("softmax of infinities and NaN on a device") {
  Stream s;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::int64_t width : {40, 600}) {
    const auto n = static_cast<std::size_t>(width);
    std::vector<float> values(4 * n, 0.5f);
    std::fill_n(values.begin(), n, -infinity);
    values[n + 1] = -infinity;
    values[2 * n + 1] = infinity;
    values[3 * n + 1] = std::nanf("");
    const Array<float> x(s, {4, width}, values), y(s, {4, width});
    REQUIRE(cuda_backend::try_softmax(s, y.view(), x.view()));
    const auto got = y.fetch();
    CHECK(std::isnan(got[0]));
    CHECK(got[n + 1] == 0);
    CHECK(got[n + 2] == doctest::Approx(1.0 / static_cast<double>(width - 1)));
    CHECK(std::isnan(got[2 * n + 1]));
    CHECK(std::isnan(got[3 * n]));
    CHECK(std::isnan(got[4 * n - 1]));
  }
}

TEST_CASE("swiglu of huge gates is finite on a device") {
  Stream s;
  const Array<float> in(s, {1, 4}, {-1e4f, 1e4f, 3, 3}), dy(s, {1, 2}, {1, 1}), y(s, {1, 2}), grad(s, {1, 4});
  REQUIRE(cuda_backend::try_swiglu(s, y.view(), in.view()));
  REQUIRE(cuda_backend::try_swiglu_backward(s, grad.view(), dy.view(), in.view()));
  CHECK(y.fetch() == std::vector<float>{0, 3e4f});
  CHECK(grad.fetch() == std::vector<float>{0, 3, 0, 1e4f});
}

TEST_CASE("rope in the memory of what it turns gives the same bits, and leaves the rest alone, on a device") {
  Stream s;
  const std::int64_t T = 9, H = 3, D = 6, L = 10;
  std::vector<std::int32_t> at(static_cast<std::size_t>(T));
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<std::int32_t>(i * 7 % 10);
  const auto values = counted(T * 2 * H * D);
  const Array<float> qk(s, {T, 2, H, D}, values), cos(s, {L, D / 2}, counted(L * D / 2)), sin(s, {L, D / 2}, counted(L * D / 2)), y(s, {T, H, D});
  const Array<std::int32_t> position(s, {T}, at);
  View k = y.view();
  k.data = qk.view().as<float>() + H * D;
  k.strides[0] = 2 * H * D;
  REQUIRE(cuda_backend::try_rope(s, y.view(), k, position.view(), cos.view(), sin.view(), false));
  const Array<float> apart(s, {T, H, D + 2}, std::vector<float>(static_cast<std::size_t>(T * H * (D + 2)), 7));
  View padded = apart.view();  // heads farther apart than those of x
  padded.shape = Shape{T, H, D};
  REQUIRE(cuda_backend::try_rope(s, padded, k, position.view(), cos.view(), sin.view(), false));
  REQUIRE(cuda_backend::try_rope(s, k, k, position.view(), cos.view(), sin.view(), false));
  auto expected = values;
  const auto turned = y.fetch();
  for (std::size_t i = 0; i < turned.size(); ++i) {
    const auto token = i / static_cast<std::size_t>(H * D);
    expected[i + (token + 1) * static_cast<std::size_t>(H * D)] = turned[i];
  }
  CHECK(qk.fetch() == expected);
  std::vector<float> rows;
  for (std::size_t i = 0; i < turned.size(); ++i) {
    rows.push_back(turned[i]);
    if (i % static_cast<std::size_t>(D) + 1 == static_cast<std::size_t>(D)) rows.insert(rows.end(), 2, 7.f);
  }
  CHECK(apart.fetch() == rows);
  CHECK(turned[0] != values[static_cast<std::size_t>(H * D)]);
}

TEST_CASE("dropout on a device keeps what philox says, aligned or not") {
  Stream s;
  const std::int64_t n = 1003;
  const Array<float> x(s, {n}, std::vector<float>(static_cast<std::size_t>(n), 1)), y(s, {n});
  for (const std::int64_t skipped : {0, 1})
    for (const double p : {0.0, 0.3, static_cast<double>(philox_uniform(7, 9, std::uint64_t{5})), 0.999999}) {
      const View from = contiguous_view(x.view().as<float>() + skipped, DType::f32, {n - skipped});
      const View to = contiguous_view(y.view().as<float>() + skipped, DType::f32, {n - skipped});
      REQUIRE(cuda_backend::try_dropout(s, to, from, p, 7, 9));
      const auto got = y.fetch();
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < n - skipped; ++i) {
        const bool kept = static_cast<double>(philox_uniform(7, 9, static_cast<std::uint64_t>(i))) >= p;
        wrong += got[static_cast<std::size_t>(i + skipped)] != (kept ? static_cast<float>(1 / (1 - p)) : 0);
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("sums of squares and weight gradients in many parts are exact where rounding cannot hide") {
  Stream s;
  const std::int64_t n = 60000;
  std::vector<float> values(static_cast<std::size_t>(n));
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 7);
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  const Array<float> x(s, {n}, values), out(s, {});
  REQUIRE(cuda_backend::try_sum_squares(s, out.view(), x.view()));
  CHECK(static_cast<double>(out.fetch()[0]) == squares);

  const std::int64_t rows = 9000, width = 2;  // more rows than 128 parts of 64
  const Array<float> dy(s, {rows, width}, std::vector<float>(static_cast<std::size_t>(rows * width), 1)), dx(s, {rows, width}),
      w(s, {width}), dw(s, {width}), db(s, {width}), mean(s, {rows}), inv(s, {rows}, std::vector<float>(static_cast<std::size_t>(rows), 2));
  REQUIRE(cuda_backend::try_layer_norm_backward(s, dx.view(), dw.view(), db.view(), dy.view(), dy.view(), w.view(), mean.view(), inv.view()));
  CHECK(db.fetch() == std::vector<float>(2, static_cast<float>(rows)));
  CHECK(dw.fetch() == std::vector<float>(2, static_cast<float>(2 * rows)));
}

TEST_CASE("a position or an id outside its table is told at the next wait, and its row is left alone") {
  Stream s;
  const Array<float> x(s, {2, 1, 4}, std::vector<float>(8, 1)), y(s, {2, 1, 4}), table(s, {3, 2}, std::vector<float>(6, 2));
  for (const std::int32_t bad : {-1, 3}) {
    const Array<std::int32_t> position(s, {2}, {0, bad});
    REQUIRE(cuda_backend::try_rope(s, y.view(), x.view(), position.view(), table.view(), table.view(), false));
    CHECK_THROWS_AS(cuda_backend::synchronize(s), ShapeError);
    CHECK(y.fetch() == std::vector<float>{0, 0, 4, 4, 0, 0, 0, 0});
  }
  const Array<float> p(s, {2, 2}, {1, 1, 1, 1}), m(s, {2, 2}), v(s, {2, 2}), g(s, {2, 2}, {5, 5, 5, 5});
  const Array<std::int32_t> ids(s, {2}, {2, 1});
  REQUIRE(cuda_backend::try_adamw_rows(s, p.view(), m.view(), v.view(), ids.view(), g.view(), adam_step));
  CHECK_THROWS_WITH_AS(cuda_backend::synchronize(s), doctest::Contains("id 2 at position 0 is outside a table of 2 rows"), ShapeError);
  const auto got = p.fetch();
  CHECK(got[0] == 1);
  CHECK(got[3] == doctest::Approx(0.99));
}

TEST_CASE("hooks on a device decline what they do not cover and write nothing") {
  Stream s;
  const std::vector<float> before(32, 7);
  const Array<float> square(s, {4, 8}, before), out(s, {4, 8}, before), w(s, {8}, std::vector<float>(8, 7)), inv(s, {4}, std::vector<float>(4, 7));
  const Array<std::int32_t> whole(s, {4, 8}), position(s, {4});
  const Array<std::int64_t> wide_ids(s, {4});
  const Array<double> wide(s, {4, 8});
  const View in = square.view(), to = out.view(), turned = transposed(in);
  View once = w.view();  // a weight that is one number, eight times
  once.strides[0] = 0;
  CHECK_FALSE(cuda_backend::try_softmax(s, transposed(to), turned));
  CHECK_FALSE(cuda_backend::try_softmax(s, to, wide.view()));
  CHECK_FALSE(cuda_backend::try_softmax(s, to, whole.view()));
  CHECK_FALSE(cuda_backend::try_softmax_backward(s, to, in, wide.view()));
  CHECK_FALSE(cuda_backend::try_rms_norm(s, to, inv.view(), in, once, 1e-5));
  CHECK_FALSE(cuda_backend::try_rms_norm(s, to, w.view(), in, w.view(), 1e-5));
  CHECK_FALSE(cuda_backend::try_rms_norm_backward(s, to, once, in, in, w.view(), inv.view()));
  CHECK_FALSE(cuda_backend::try_layer_norm(s, to, inv.view(), inv.view(), in, w.view(), once, 1e-5));
  CHECK_FALSE(cuda_backend::try_layer_norm_backward(s, to, w.view(), once, in, in, w.view(), inv.view(), inv.view()));
  CHECK_FALSE(cuda_backend::try_swiglu(s, to, in));
  CHECK_FALSE(cuda_backend::try_swiglu_backward(s, to, in, in));
  CHECK_FALSE(cuda_backend::try_dropout(s, to, turned, 0.5, 1, 2));
  CHECK_FALSE(cuda_backend::try_dropout(s, to, in, 1, 1, 2));
  CHECK_FALSE(cuda_backend::try_sum_squares(s, to, in));
  CHECK_FALSE(cuda_backend::try_adamw(s, to, to, to, wide.view(), adam_step));
  CHECK_FALSE(cuda_backend::try_adamw_rows(s, to, to, to, wide_ids.view(), in, adam_step));
  const View heads = contiguous_view(in.data, DType::f32, {4, 2, 4}), there = contiguous_view(to.data, DType::f32, {4, 2, 4});
  CHECK_FALSE(cuda_backend::try_rope(s, there, heads, position.view(), in, in, false));  // tables of another width
  CHECK_FALSE(cuda_backend::try_rope(s, there, heads, wide_ids.view(), left_part(in, 2), left_part(in, 2), false));
  CHECK(square.fetch() == before);
  CHECK(out.fetch() == before);
  CHECK(w.fetch() == std::vector<float>(8, 7));
  CHECK(inv.fetch() == std::vector<float>(4, 7));
}
