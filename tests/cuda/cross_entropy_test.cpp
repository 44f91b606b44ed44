// Linear layers with cross entropy on a device: fused equals composed across the edges of blocks of logits (which are multiples of 32
// classes; small on the host), strides, infinities, targets without a class.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include <cmath>
#include <limits>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/core/error.hpp"
#include "cuda/arrays.hpp"
#include "fused/comparison.hpp"

using namespace chronotope;
using namespace chronotope::test;
using Stream = cuda_backend::stream;

namespace {

/// Targets at both ends of runs of 32 classes.
std::vector<std::int32_t> targets_of(std::int64_t rows, std::int64_t classes) {
  std::vector<std::int32_t> targets;
  for (std::int64_t i = 0; i < rows; ++i) targets.push_back(static_cast<std::int32_t>((i * 32 + i % 2 * 31) % classes));
  return targets;
}

std::vector<float> floats(std::int64_t n, std::uint64_t seed) {
  const auto values = draw(n, seed, -1, 1);
  return {values.begin(), values.end()};
}

/// Rows [R, D] with `gap` numbers that belong to nobody after each.
struct Apart {
  Array<float> all;
  std::int64_t width;

  Apart(Stream& s, std::int64_t rows, std::int64_t width, std::int64_t gap, const std::vector<float>& values)
      : all(s, {rows, width + gap}, spread(rows, width, gap, values)), width(width) {}
  static std::vector<float> spread(std::int64_t rows, std::int64_t width, std::int64_t gap, const std::vector<float>& values) {
    std::vector<float> wide(static_cast<std::size_t>(rows * (width + gap)), 99);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(values.begin() + r * width, width, wide.begin() + r * (width + gap));
    return wide;
  }
  View view() const {
    View v = all.view();
    v.shape[1] = width;
    return v;
  }
  /// The rows; the numbers between them must be what they were.
  std::vector<double> fetch() const {
    std::vector<double> rows;
    const auto wide = all.fetch();
    std::int64_t touched = 0;
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (static_cast<std::int64_t>(i) % all.view().shape[1] < width) rows.push_back(static_cast<double>(wide[i]));
      else touched += wide[i] != 99;
    }
    CHECK(touched == 0);
    return rows;
  }
};

/// Forward and backward of 70 rows, 150 classes, width 6, in memory with gaps.
Outcome run_with_gap(std::int64_t gap, bool one_gradient) {
  const std::int64_t Q = 70, P = 150, D = 6;
  Stream s;
  const Apart h(s, Q, D, gap, floats(Q * D, 1)), w(s, P, D, gap, floats(P * D, 2)), dh(s, Q, D, gap, floats(Q * D, 3)),
      dw(s, P, D, gap, floats(P * D, 4));
  const Array<float> nll(s, {Q}), lse(s, {Q}), dnll(s, {Q}, std::vector<float>(static_cast<std::size_t>(Q), 0.75f));
  const Array<std::int32_t> target(s, {Q}, targets_of(Q, P));
  View grad = dnll.view();
  if (one_gradient) grad.strides[0] = 0;
  REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), w.view(), target.view()));
  REQUIRE(cuda_backend::try_linear_cross_entropy_backward(s, dh.view(), dw.view(), grad, h.view(), w.view(), target.view(), lse.view()));
  const auto losses = nll.fetch();
  Outcome result;
  result.tensors = {{losses.begin(), losses.end()}, dh.fetch(), dw.fetch()};
  return result;
}

}  // namespace

TEST_CASE("fused linear cross entropy on a device equals its composition") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2},     {3, 5, 7},     {17, 24, 300}, {64, 96, 1031},
                                                                        {130, 7, 70},  {3, 5, 1401},  {2, 4, 2049},  {1, 3, 4099},
                                                                        {65, 32, 128}, {1, 1024, 33}, {64, 8, 64}};
  for (const auto& [rows, width, classes] : sizes) {
    INFO("rows, width, classes: ", to_string(Shape{rows, width, classes}));
    // Logits of a few units, as in models: e^x has the relative error of x times |x|, which the formula does not know.
    compare_fused<cuda_backend>({{rows, width}, {classes, width}}, static_cast<double>(std::max(classes, width)),
                                [&, n = rows, p = classes](auto& c, const auto& x) {
                                  using B = typename std::decay_t<decltype(c)>::backend;
                                  return linear_cross_entropy(x[0], x[1], Tensor<B>::from_host(c, targets_of(n, p), {n}));
                                }, Taken::yes, width > 100 ? 0.1 : 0.5);
  }
}

TEST_CASE("linear cross entropy on a device in rows that lie apart, and with one gradient for all") {
  const Outcome dense = run_with_gap(0, false);
  check_close(run_with_gap(3, false), dense, 150, 2);
  check_close(run_with_gap(2, true), dense, 150, 2);
}

TEST_CASE("linear cross entropy on a device: a class that cannot be, blocks of them, huge logits and NaN") {
  Stream s;
  const std::int64_t Q = 64, P = 200;  // on the host: blocks of 64 classes
  const float infinity = std::numeric_limits<float>::infinity(), huge = 2e38f;
  std::vector<float> weights(static_cast<std::size_t>(P), -infinity), hidden(static_cast<std::size_t>(Q), 1);
  weights[130] = weights[199] = 5;
  hidden[7] = std::nanf("");
  std::vector<std::int32_t> wanted(static_cast<std::size_t>(Q), 130);
  wanted[3] = 64;
  const Array<float> h(s, {Q, 1}, hidden), w(s, {P, 1}, weights), nll(s, {Q}), lse(s, {Q});
  const Array<std::int32_t> target(s, {Q}, wanted);
  REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), w.view(), target.view()));
  const auto losses = nll.fetch();
  CHECK(losses[0] == doctest::Approx(std::log(2.0)));
  CHECK(lse.fetch()[63] == doctest::Approx(5 + std::log(2.0)));
  CHECK(losses[3] == infinity);
  CHECK(std::isnan(losses[7]));
  CHECK(losses[8] == losses[0]);
  weights.assign(static_cast<std::size_t>(P), -huge);
  weights[130] = huge;
  const Array<float> extreme(s, {P, 1}, weights);
  REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), extreme.view(), target.view()));
  CHECK(nll.fetch()[0] == 0);
  CHECK(lse.fetch()[0] == huge);
}

TEST_CASE("linear cross entropy on a device tells a target without a class and leaves its row out") {
  Stream s;
  const std::int64_t Q = 5, P = 40, D = 3;
  const auto hidden = floats(Q * D, 1), weights = floats(P * D, 2);
  const Array<float> h(s, {Q, D}, hidden), w(s, {P, D}, weights), nll(s, {Q}), lse(s, {Q}), dh(s, {Q, D}), dw(s, {P, D}),
      dnll(s, {Q}, {1, 1, 1, 1, 1}), without(s, {Q}, {1, 1, 1, 0, 1}), expected(s, {P, D});
  const Array<std::int32_t> right(s, {Q}, {0, 39, 7, 8, 9});
  REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), w.view(), right.view()));
  REQUIRE(cuda_backend::try_linear_cross_entropy_backward(s, dh.view(), expected.view(), without.view(), h.view(), w.view(), right.view(),
                                                          lse.view()));
  const auto losses = nll.fetch();
  for (const std::int32_t bad : {-1, 40, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    CAPTURE(bad);
    const Array<std::int32_t> target(s, {Q}, {0, 39, 7, bad, 9});
    const Array<float> kept(s, {Q}, std::vector<float>(5, -3));
    REQUIRE(cuda_backend::try_linear_cross_entropy(s, kept.view(), lse.view(), h.view(), w.view(), target.view()));
    CHECK_THROWS_WITH_AS(cuda_backend::synchronize(s), doctest::Contains(("id " + std::to_string(bad) + " at position 3").c_str()), ShapeError);
    const auto got = kept.fetch();
    for (const std::size_t i : {0u, 1u, 2u, 4u}) CHECK(got[i] == losses[i]);
    CHECK(got[3] == -3);
    REQUIRE(cuda_backend::try_linear_cross_entropy_backward(s, dh.view(), dw.view(), dnll.view(), h.view(), w.view(), target.view(), lse.view()));
    CHECK_THROWS_AS(cuda_backend::synchronize(s), ShapeError);
    CHECK(dw.fetch() == expected.fetch());
    const auto grad = dh.fetch();
    CHECK(std::vector<float>(grad.begin() + 9, grad.begin() + 12) == std::vector<float>(3, 0));
  }
}

TEST_CASE("linear cross entropy on a device without rows has a zero gradient of the weights") {
  Stream s;
  const Array<float> h(s, {1, 4}), w(s, {7, 4}), loss(s, {1}), dw(s, {7, 4}, std::vector<float>(28, 5));
  const Array<std::int32_t> target(s, {1});
  View none = h.view(), nll = loss.view(), wanted = target.view();
  none.shape[0] = nll.shape[0] = wanted.shape[0] = 0;
  REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll, nll, none, w.view(), wanted));
  REQUIRE(cuda_backend::try_linear_cross_entropy_backward(s, none, dw.view(), nll, none, w.view(), wanted, nll));
  CHECK(dw.fetch() == std::vector<float>(28, 0));
}

TEST_CASE("linear cross entropy on a device declines what it does not cover and writes nothing") {
  Stream s;
  const std::vector<float> before(40, 7);
  const Array<float> h(s, {5, 8}, before), w(s, {5, 8}, before), to(s, {5, 8}, before), nll(s, {5}, std::vector<float>(5, 7)), other(s, {6});
  const Array<double> wide(s, {5, 8}), wide_nll(s, {5});
  const Array<std::int32_t> target(s, {5});
  const Array<std::int64_t> wide_target(s, {5});
  View turned = w.view(), repeated = h.view(), narrow = w.view(), empty = w.view();
  std::swap(turned.strides[0], turned.strides[1]);
  repeated.strides[0] = 0;
  narrow.shape[1] = 7;
  empty.shape[0] = 0;
  const auto taken = [&](const View& loss, const View& in, const View& weight, const View& wanted) {
    return cuda_backend::try_linear_cross_entropy(s, loss, nll.view(), in, weight, wanted);
  };
  const auto taken_back = [&](const View& dh, const View& dw, const View& dnll, const View& lse) {
    return cuda_backend::try_linear_cross_entropy_backward(s, dh, dw, dnll, h.view(), w.view(), target.view(), lse);
  };
  CHECK_FALSE(taken(nll.view(), h.view(), turned, target.view()));
  CHECK_FALSE(taken(nll.view(), repeated, w.view(), target.view()));
  CHECK_FALSE(taken(nll.view(), h.view(), narrow, target.view()));
  CHECK_FALSE(taken(nll.view(), h.view(), empty, target.view()));
  CHECK_FALSE(taken(nll.view(), h.view(), wide.view(), target.view()));
  CHECK_FALSE(taken(nll.view(), h.view(), w.view(), wide_target.view()));
  CHECK_FALSE(taken(other.view(), h.view(), w.view(), target.view()));
  CHECK_FALSE(taken(wide_nll.view(), h.view(), w.view(), target.view()));
  CHECK_FALSE(taken_back(turned, to.view(), nll.view(), nll.view()));
  CHECK_FALSE(taken_back(to.view(), repeated, nll.view(), nll.view()));
  CHECK_FALSE(taken_back(to.view(), to.view(), other.view(), nll.view()));
  CHECK_FALSE(taken_back(to.view(), to.view(), wide_nll.view(), nll.view()));
  CHECK_FALSE(taken_back(to.view(), to.view(), nll.view(), other.view()));
  CHECK(to.fetch() == before);
  CHECK(w.fetch() == before);
  CHECK(nll.fetch() == std::vector<float>(5, 7));
}

#endif
