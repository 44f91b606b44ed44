// The hooks of STIM: forgetting masks and interest units equal their compositions, read nothing of padding and decline what they do not cover.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include <cmath>
#include <limits>

#include "chronotope/backend/cuda_backend.hpp"
#include "cuda/arrays.hpp"
#include "fused/interest.hpp"

using namespace chronotope;
using namespace chronotope::test;
using Stream = cuda_backend::stream;

namespace {

/// Rows without reviews, of nothing but reviews, of the oldest and the newest alone, and at random, in turn.
std::vector<std::uint8_t> some_reviews(std::int64_t rows, std::int64_t kept) {
  std::vector<std::uint8_t> review;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t j = 0; j < kept; ++j) {
      const bool drawn = philox_uniform(3, 1, static_cast<std::uint64_t>(r * kept + j)) < 0.3, end = j == 0 || j == kept - 1;
      review.push_back(r % 5 == 1 || (r % 5 == 2 && end) || (r % 5 > 2 && drawn));
    }
  return review;
}

struct Behaviours {
  std::int64_t samples, materials, kept;
  std::vector<std::uint8_t> valid = some_valid(samples, kept), review = some_reviews(samples * materials, kept);
  std::vector<double> time{};

  Behaviours(std::int64_t B, std::int64_t M, std::int64_t k) : samples(B), materials(M), kept(k) {
    for (std::int64_t i = 0; i < B * k; ++i) time.push_back(static_cast<double>(k - i % k) * 1.25 - 1);
  }
  template <Backend B> ReviewTensors<B> on(Context<B>& c, DType dtype) const {
    return {Tensor<B>::from_host(c, valid, {samples, kept}), Tensor<B>::from_host(c, review, {samples, materials, kept}),
            upload(c, time, {samples, kept}, dtype)};
  }
};

void compare_masks(const Behaviours& n, const CurveShape& shape) {
  INFO("k = ", n.kept, ", M = ", n.materials, ", form ", static_cast<int>(shape.form), shape.logistic ? ", logistic" : "");
  const auto mask = [&](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    // Constants near the paper's, whatever was drawn for them.
    return forgetting_mask<B>(n.on(c, x[0].dtype()), {x[0] * 0.1 + 0.4, x[1] * 0.1 + 0.9, x[2] * 3.0 + 20.0, x[3] * 0.5 + 2.0}, shape);
  };
  const double cancelled = 64;  // as in ops/fused_test.cpp: what the least and the largest get cancels most of the rest
  compare_fused<cuda_backend>(std::vector<Shape>(4, Shape{n.materials}), static_cast<double>(n.samples * n.kept) * cancelled, mask, Taken::either, 1);
}

struct UnitSizes {
  std::int64_t samples, queries, masks, kept, width, heads, hidden, out;

  std::vector<Shape> shapes() const {
    return {{samples, queries, width}, {samples, kept, width}, {samples, masks, kept},  {1},
            {heads * hidden, width},   {heads * hidden},       {heads, out, hidden},    {heads, out}};
  }
  double terms() const { return static_cast<double>(std::max({samples * kept, samples * queries * masks, width, heads * hidden})); }
};

/// An interest unit of the inputs in the order of UnitSizes::shapes().
auto unit_of(const UnitSizes& n) {
  return [n](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    return hmin<B>({x[0], x[1], x[2], Tensor<B>::from_host(c, some_valid(n.samples, n.kept), {n.samples, n.kept}), x[3], x[4], x[5], x[6], x[7]});
  };
}

/// The arguments of a unit or its gradients on a device.
struct Unit {
  Array<float> query, keys, mask;
  Array<std::uint8_t> valid;
  Array<float> temperature, weight1, bias1, weight2, bias2;

  Unit(Stream& s, const UnitSizes& n, float padding = 0)
      : query(s, n.shapes()[0], drawn(n, 0)), keys(s, n.shapes()[1], padded(n, 1, padding)), mask(s, n.shapes()[2], padded(n, 2, padding)),
        valid(s, {n.samples, n.kept}, some_valid(n.samples, n.kept)), temperature(s, {1}, drawn(n, 3)), weight1(s, n.shapes()[4], drawn(n, 4)),
        bias1(s, n.shapes()[5], drawn(n, 5)), weight2(s, n.shapes()[6], drawn(n, 6)), bias2(s, n.shapes()[7], drawn(n, 7)) {}

  HminViews views() const {
    return {query.view(), keys.view(), mask.view(), valid.view(), temperature.view(), weight1.view(), bias1.view(), weight2.view(), bias2.view()};
  }
  std::vector<const Array<float>*> floats() const { return {&query, &keys, &mask, &temperature, &weight1, &bias1, &weight2, &bias2}; }

  static std::vector<float> drawn(const UnitSizes& n, std::size_t part) {
    const auto values = draw(n.shapes()[part].elements(), part);
    return {values.begin(), values.end()};
  }
  /// Keys [B, k, D] or masks [B, M, k] with this number in padding.
  static std::vector<float> padded(const UnitSizes& n, std::size_t part, float padding) {
    auto values = drawn(n, part);
    const auto valid = some_valid(n.samples, n.kept);
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i) {
      const std::int64_t behaviour = part == 1 ? i / n.width : i / (n.masks * n.kept) * n.kept + i % n.kept;
      if (valid[static_cast<std::size_t>(behaviour)] == 0) values[static_cast<std::size_t>(i)] = padding;
    }
    return values;
  }
};

/// The result and all gradients.
std::vector<std::vector<float>> run_unit(const UnitSizes& n, float padding) {
  Stream s;
  const Unit in(s, n, padding), gradient(s, n);
  const Shape shape{n.samples, n.queries * n.masks, n.heads * n.out};
  const Array<float> out(s, shape), dout(s, shape, std::vector<float>(static_cast<std::size_t>(shape.elements()), 0.5f));
  REQUIRE(cuda_backend::try_hmin(s, out.view(), in.views()));
  REQUIRE(cuda_backend::try_hmin_backward(s, gradient.views(), dout.view(), in.views()));
  std::vector<std::vector<float>> all{out.fetch()};
  for (const auto* part : gradient.floats()) all.push_back(part->fetch());
  return all;
}

}  // namespace

TEST_CASE("forgetting masks on a device equal their compositions") {
  for (const std::int64_t kept : {1, 31, 33, 300})
    for (const CurveForm form : {CurveForm::exponential, CurveForm::power, CurveForm::logarithm})
      compare_masks({9, kept == 33 ? 1 : 3, kept}, {.form = form, .logistic = kept != 31});
  compare_masks({5, 1, 300}, {.logistic = false});
  compare_masks({5, 3, 700}, {.logistic = false});  // a block's rows
}

TEST_CASE("forgetting masks on a device read nothing of padding") {
  Stream s;
  for (const std::int64_t kept : {40, 600}) {
    const Behaviours n(4, 3, kept);
    std::vector<float> time(n.time.begin(), n.time.end());
    for (std::size_t i = 0; i < time.size(); ++i)
      if (n.valid[i] == 0) time[i] = std::numeric_limits<float>::quiet_NaN();
    const Shape shape{4, 3, kept};
    const Array<std::uint8_t> valid(s, {4, kept}, n.valid), review(s, shape, n.review);
    const Array<float> at(s, {4, kept}, time), init(s, {3}, {0.4f, 0.5f, 0.3f}), final(s, {3}, {0.9f, 1.0f, 0.8f}), rate(s, {3}, {20, 15, 25}),
        growth(s, {3}, {2, 1, 3});
    const Array<float> mask(s, shape), dmask(s, shape, std::vector<float>(static_cast<std::size_t>(shape.elements()), 0.5f));
    const Array<float> d_init(s, {3}), d_final(s, {3}), d_rate(s, {3}), d_growth(s, {3});
    const ReviewViews points{valid.view(), review.view(), at.view()};
    const CurveConstants constants{init.view(), final.view(), rate.view(), growth.view()};
    REQUIRE(cuda_backend::try_forgetting_mask(s, mask.view(), points, constants, {}));
    REQUIRE(cuda_backend::try_forgetting_mask_backward(s, {d_init.view(), d_final.view(), d_rate.view(), d_growth.view()}, dmask.view(), points,
                                                       constants, {}));
    const auto values = mask.fetch();
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const float value = values[static_cast<std::size_t>(i)];
      if (n.valid[static_cast<std::size_t>(i / (3 * kept) * kept + i % kept)] == 0) CHECK(value == 0);
      else CHECK((value >= 0 && value <= 1));
    }
    for (const auto* gradient : {&d_init, &d_final, &d_rate, &d_growth})
      for (const float value : gradient->fetch()) CHECK(std::isfinite(value));
  }
}

TEST_CASE("interest units on a device equal their compositions") {
  const UnitSizes sizes[] = {{1, 1, 1, 31, 2, 1, 1, 1}, {7, 5, 3, 33, 48, 3, 7, 5}, {6, 2, 1, 1, 33, 1, 40, 20}, {5, 6, 3, 70, 40, 2, 20, 9},
                             {4, 5, 3, 300, 8, 2, 18, 4}, {2, 3, 1, 600, 5, 1, 3, 2}};
  for (const UnitSizes& n : sizes) {
    INFO("k = ", n.kept, ", D = ", n.width);
    compare_fused<cuda_backend>(n.shapes(), n.terms(), unit_of(n), Taken::yes, 1);
  }
  // A gradient through a unit vector of one element is pure cancellation.
  const UnitSizes least{1, 1, 1, 1, 1, 1, 1, 1};
  CHECK(outcome<cuda_backend>(least.shapes(), DType::f32, 1, unit_of(least)).one_node);
}

TEST_CASE("interest units on a device read nothing of padding") {
  const UnitSizes n{9, 2, 2, 40, 6, 2, 5, 3};
  const auto plain = run_unit(n, 0);
  CHECK(run_unit(n, 1e30f) == plain);
  CHECK(run_unit(n, std::numeric_limits<float>::quiet_NaN()) == plain);
}

TEST_CASE("the hooks of STIM on a device decline what they do not cover") {
  Stream s;
  const UnitSizes n{2, 1, 1, 3, 4, 1, 2, 5};
  const Unit unit(s, n), other(s, {2, 1, 1, 4, 4, 1, 2, 5});
  const Array<float> out(s, {2, 1, 5}), narrow(s, {2, 1, 4});
  const Array<double> wide(s, {2, 1, 5});
  const auto declined = [&](auto change) {
    HminViews views = unit.views();
    change(views);
    return !cuda_backend::try_hmin(s, out.view(), views) && !cuda_backend::try_hmin_backward(s, unit.views(), out.view(), views) &&
           !cuda_backend::try_hmin_backward(s, views, out.view(), unit.views());
  };
  CHECK(declined([&](HminViews& v) { v.mask = other.mask.view(); }));
  CHECK(declined([&](HminViews& v) { v.query = out.view(); }));
  CHECK(declined([&](HminViews& v) { v.keys = contiguous_view(v.keys.data, DType::f32, {2, 4, 3}), std::swap(v.keys.strides[1], v.keys.strides[2]); }));
  CHECK(declined([&](HminViews& v) { v.bias2.dtype = DType::f64; }));
  CHECK(declined([&](HminViews& v) { v.temperature.shape = Shape{}; }));
  CHECK_FALSE(cuda_backend::try_hmin(s, narrow.view(), unit.views()));
  CHECK_FALSE(cuda_backend::try_hmin(s, wide.view(), unit.views()));
  CHECK(out.fetch() == std::vector<float>(10));

  const Array<std::uint8_t> valid(s, {2, 5}), review(s, {2, 3, 5});
  const Array<float> time(s, {2, 5}), constant(s, {3}), mask(s, {2, 3, 5}), transposed(s, {2, 5, 3});
  const Array<double> precise(s, {3});
  const ReviewViews points{valid.view(), review.view(), time.view()};
  const CurveConstants all{constant.view(), constant.view(), constant.view(), constant.view()};
  const auto refused = [&](const View& to, const ReviewViews& p, const CurveConstants& c) {
    return !cuda_backend::try_forgetting_mask(s, to, p, c, {}) && !cuda_backend::try_forgetting_mask_backward(s, all, to, p, c, {});
  };
  CHECK(refused(transposed.view(), points, all));
  CHECK(refused(mask.view(), {review.view(), review.view(), time.view()}, all));
  CHECK(refused(mask.view(), {valid.view(), review.view(), constant.view()}, all));
  CHECK(refused(mask.view(), points, {constant.view(), constant.view(), precise.view(), constant.view()}));
  CHECK(refused(mask.view(), points, {constant.view(), constant.view(), constant.view(), time.view()}));
  CHECK_FALSE(cuda_backend::try_forgetting_mask_backward(s, {constant.view(), time.view(), constant.view(), constant.view()}, mask.view(), points, all, {}));
}

#endif
