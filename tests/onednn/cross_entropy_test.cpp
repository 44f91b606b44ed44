// Linear layer with cross entropy of the oneDNN backend against naive loops in double precision.

#include "fused_fixture.hpp"

#include "chronotope/core/error.hpp"

namespace {

using namespace fused_fixture;
using chronotope::onednn_backend;
using chronotope::ShapeError;

struct Problem {
  std::int64_t Q, P, D;
  std::vector<float> h, w, dnll;
  std::vector<std::int32_t> target;

  Problem(std::int64_t rows, std::int64_t classes, std::int64_t dim, unsigned seed, double deviation = 1)
      : Q(rows), P(classes), D(dim) {
    std::mt19937 random(seed);
    h = normal(random, Q * D, deviation);
    w = normal(random, P * D, deviation / std::sqrt(static_cast<double>(D)));
    dnll = normal(random, Q);
    for (std::int64_t i = 0; i < Q; ++i) {
      target.push_back(std::uniform_int_distribution<std::int32_t>(0, static_cast<std::int32_t>(P) - 1)(random));
    }
    if (Q > 1) target[0] = 0, target[1] = static_cast<std::int32_t>(P) - 1;
  }
  View h_view() { return contiguous_view(h.data(), DType::f32, {Q, D}); }
  View w_view() { return contiguous_view(w.data(), DType::f32, {P, D}); }
  View target_view() { return contiguous_view(target.data(), DType::i32, {Q}); }
  View dnll_view() { return contiguous_view(dnll.data(), DType::f32, {Q}); }
};

struct Results {
  Buffer nll, lse, dh, dw;
  explicit Results(const Problem& p) : nll(p.Q), lse(p.Q), dh(p.Q * p.D), dw(p.P * p.D) {}
  friend bool operator==(const Results& a, const Results& b) {
    return a.nll == b.nll && a.lse == b.lse && a.dh == b.dh && a.dw == b.dw;
  }
};

Results run(Problem& p, onednn_backend::stream& stream) {
  Results r(p);
  REQUIRE(onednn_backend::try_linear_cross_entropy(stream, r.nll.view({p.Q}), r.lse.view({p.Q}), p.h_view(), p.w_view(),
                                                   p.target_view()));
  REQUIRE(onednn_backend::try_linear_cross_entropy_backward(stream, r.dh.view({p.Q, p.D}), r.dw.view({p.P, p.D}),
                                                            p.dnll_view(), p.h_view(), p.w_view(), p.target_view(),
                                                            r.lse.view({p.Q})));
  return r;
}

struct Reference {
  std::vector<Expected> nll, lse, dh, dw;
};

struct Logit {
  double value = 0, size = 0;  ///< and the root of the sum of its squared terms
};

std::vector<Logit> logits_of(const Problem& p, std::int64_t i) {
  std::vector<Logit> logits(static_cast<std::size_t>(p.P));
  for (std::int64_t c = 0; c < p.P; ++c) {
    Logit& l = logits[static_cast<std::size_t>(c)];
    for (std::int64_t d = 0; d < p.D; ++d) {
      const double x = p.h[static_cast<std::size_t>(i * p.D + d)], y = p.w[static_cast<std::size_t>(c * p.D + d)];
      const double term = x * y;
      l.value += term;
      l.size += term * term;
    }
    l.size = std::sqrt(l.size);
  }
  return logits;
}

/// The wanted class outweighs the other terms of a gradient by far, so each addition rounds a sum much larger than its
/// term: u / sqrt(6) of it in the mean, a little under 2 u at the far end of thousands of entries (8 u being 1 here).
double rounding(const Expected& sum_so_far) { return std::pow(sum_so_far.value / 4, 2); }

void add_row(const Problem& p, Reference& r, std::int64_t i) {
  const std::vector<Logit> logits = logits_of(p, i);
  double top = -1e300, sum = 0, most = 0;
  for (const Logit& l : logits) {
    top = std::max(top, l.value);
    most = std::max(most, l.size + std::abs(l.value));
  }
  for (const Logit& l : logits) sum += std::exp(l.value - top);
  const double lse = top + std::log(sum), weight = p.dnll[static_cast<std::size_t>(i)];
  const auto target = static_cast<std::size_t>(p.target[static_cast<std::size_t>(i)]);
  r.lse[static_cast<std::size_t>(i)] = {lse, (1 + most) * (1 + most)};
  r.nll[static_cast<std::size_t>(i)] = {lse - logits[target].value, (1 + 2 * most) * (1 + 2 * most)};
  std::vector<double> common(static_cast<std::size_t>(p.D));  // what an error of lse, one for the whole row, scales
  for (std::size_t c = 0; c < logits.size(); ++c) {
    const double probability = std::exp(logits[c].value - lse), wanted = c == target ? 1 : 0;
    const double g = weight * (probability - wanted);
    // An error of the exponent is a relative error of the exponential.
    const double condition = 1 + logits[c].size + std::abs(logits[c].value) + std::abs(lse);
    const double size = std::abs(weight) * (probability * condition + wanted);
    for (std::size_t d = 0; d < common.size(); ++d) {
      const std::size_t row = static_cast<std::size_t>(i) * common.size() + d, column = c * common.size() + d;
      r.dh[row].value += g * p.w[column];
      r.dh[row].squares += std::pow(size * p.w[column], 2) + rounding(r.dh[row]);
      common[d] += weight * probability * p.w[column];
      r.dw[column].value += g * p.h[row];
      r.dw[column].squares += std::pow(size * p.h[row], 2) + rounding(r.dw[column]);
    }
  }
  for (std::size_t d = 0; d < common.size(); ++d) {
    r.dh[static_cast<std::size_t>(i) * common.size() + d].squares += std::pow((std::abs(lse) + most) * common[d], 2);
  }
}

Reference reference(const Problem& p) {
  const auto rows = static_cast<std::size_t>(p.Q), dim = static_cast<std::size_t>(p.D);
  Reference r{std::vector<Expected>(rows), std::vector<Expected>(rows), std::vector<Expected>(rows * dim),
              std::vector<Expected>(static_cast<std::size_t>(p.P) * dim)};
  for (std::int64_t i = 0; i < p.Q; ++i) add_row(p, r, i);
  return r;
}

void check(Problem p, unsigned seed, int threads = 2) {
  CAPTURE(seed);
  CAPTURE(p.Q);
  CAPTURE(p.P);
  CAPTURE(p.D);
  onednn_backend::stream stream(threads);
  const Results got = run(p, stream);
  const Reference want = reference(p);
  check_near("nll", got.nll, want.nll);
  check_near("lse", got.lse, want.lse);
  check_near("dh", got.dh, want.dh);
  check_near("dw", got.dw, want.dw);
}

void check(std::int64_t rows, std::int64_t classes, std::int64_t dim, unsigned seed, double deviation = 1) {
  check(Problem(rows, classes, dim, seed, deviation), seed);
}

TEST_CASE("linear cross entropy agrees with naive loops") {
  check(1, 1, 1, 11);
  check(1, 37, 5, 12);
  check(33, 100, 24, 13);
  check(64, 1000, 48, 14);
  check(5, 4981, 96, 15);
}

TEST_CASE("linear cross entropy agrees across many blocks of classes and of rows") {
  check(700, 1601, 8, 21);   // blocks of classes
  check(2500, 300, 4, 22);   // blocks of rows and of classes
}

TEST_CASE("linear cross entropy with extreme logits") {
  check(20, 60, 16, 31, 6);
  Problem p(4, 50, 16, 32);
  for (std::size_t i = 0; i < p.h.size(); ++i) p.h[i] = 1;
  for (std::size_t i = 0; i < p.w.size(); ++i) p.w[i] = (i / 16) % 2 == 0 ? 5.0f : -5.0f;
  check(p, 32);
}

TEST_CASE("linear cross entropy on every instruction set") {
  for_each_instruction_set([] { check(9, 131, 12, 41); });
}

TEST_CASE("linear cross entropy is equal to the bit between runs and near between thread counts") {
  Problem p(96, 7000, 32, 51);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    onednn_backend::stream stream(threads), again(threads);
    const Results first = run(p, stream);
    CHECK(run(p, stream) == first);
    CHECK(run(p, again) == first);
    check(Problem(40, 500, 24, 52), 52, threads);
  }
}

TEST_CASE("linear cross entropy reads strided rows and a broadcast gradient") {
  Problem p(30, 90, 16, 61);
  onednn_backend::stream stream(2);
  std::fill(p.dnll.begin(), p.dnll.end(), 0.25f);
  Results dense = run(p, stream);
  std::vector<float> wide(static_cast<std::size_t>(p.Q * 40));
  for (std::int64_t i = 0; i < p.Q; ++i) std::copy_n(p.h.data() + i * p.D, p.D, wide.data() + i * 40);
  View h = contiguous_view(wide.data(), DType::f32, {p.Q, p.D}), dnll = p.dnll_view();
  h.strides[0] = 40;
  dnll.strides[0] = 0;
  Results r(p);
  REQUIRE(onednn_backend::try_linear_cross_entropy(stream, r.nll.view({p.Q}), r.lse.view({p.Q}), h, p.w_view(),
                                                   p.target_view()));
  REQUIRE(onednn_backend::try_linear_cross_entropy_backward(stream, r.dh.view({p.Q, p.D}), r.dw.view({p.P, p.D}), dnll,
                                                            h, p.w_view(), p.target_view(), r.lse.view({p.Q})));
  const Reference want = reference(p);
  check_near("nll", r.nll, want.nll);
  check_near("dh", r.dh, want.dh);
  check_near("dw", r.dw, want.dw);
  check_near("nll of dense rows", dense.nll, want.nll);
}

TEST_CASE("linear cross entropy without rows has a zero gradient of the weights") {
  Problem p(0, 40, 8, 71);
  onednn_backend::stream stream(2);
  const Results r = run(p, stream);
  for (std::int64_t i = 0; i < r.dw.size(); ++i) REQUIRE(r.dw[i] == 0.0f);
  CHECK(r.dw.guards_hold());
}

TEST_CASE("linear cross entropy refuses targets without a class") {
  onednn_backend::stream stream(1);
  for (const std::int32_t wrong : {-1, 40, std::numeric_limits<std::int32_t>::min()}) {
    CAPTURE(wrong);
    Problem p(6, 40, 8, 81);
    p.target[3] = wrong;
    Results r(p);
    CHECK_THROWS_AS(onednn_backend::try_linear_cross_entropy(stream, r.nll.view({6}), r.lse.view({6}), p.h_view(),
                                                             p.w_view(), p.target_view()), ShapeError);
    CHECK_THROWS_AS(onednn_backend::try_linear_cross_entropy_backward(stream, r.dh.view({6, 8}), r.dw.view({40, 8}),
                                                                      p.dnll_view(), p.h_view(), p.w_view(),
                                                                      p.target_view(), r.lse.view({6})), ShapeError);
    CHECK(r.nll.untouched());
    CHECK(r.dw.untouched());
  }
}

TEST_CASE("linear cross entropy declines what it does not cover and writes nothing") {
  onednn_backend::stream stream(1);
  Problem p(6, 40, 8, 91);
  Results r(p);
  const auto declined = [&](const View& h, const View& w) {
    return !onednn_backend::try_linear_cross_entropy(stream, r.nll.view({6}), r.lse.view({6}), h, w, p.target_view()) &&
           r.nll.untouched() && r.lse.untouched();
  };
  View doubles = p.h_view(), apart = p.w_view(), repeated = p.h_view();
  doubles.dtype = DType::f64;
  apart.strides = {1, 40};
  repeated.strides[0] = 0;
  CHECK(declined(doubles, p.w_view()));
  CHECK(declined(p.h_view(), apart));
  CHECK(declined(repeated, p.w_view()));
}

}  // namespace
