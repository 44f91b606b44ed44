// The parts of a click model: gradients under every option, masks worked by hand, and no look at padding or at others.

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/components/forgetting_mask.hpp"
#include "chronotope/components/hmin.hpp"
#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

static_assert(BehaviourMask<ForgettingMask<Reference>>);
static_assert(RequestQuery<QueryMoE<Reference>>);
static_assert(InterestUnit<HminUnit<Reference>>);
static_assert(!InterestUnit<QueryMoE<Reference>>);

namespace {

const testing::GradientCheckOptions few{.step = 1e-5, .tolerance = 1e-6, .elements = 10, .seed = 3};

using Flags = std::vector<std::uint8_t>;

ForgettingOptions small_mask(MaskLayer layer = MaskLayer::none, bool trained = false) {
  ForgettingOptions o;
  o.kept = 4, o.materials = {"hour", "week"}, o.layer = layer, o.trained = trained, o.dtype = DType::f64;
  return o;
}

/// Two samples: a full one, and one with a behaviour of padding in front.
ReviewPoints two_samples() {
  return ReviewPoints(2, 4, Flags{1, 1, 1, 1, 0, 1, 1, 1}, Flags{1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0});
}

template <class M, class F> void check_module(const char* name, M& module, F f) {
  const auto report = testing::check_module_gradients(context(), module, f, few);
  INFO(name, ": ", report.text());
  CHECK(report.passed());
  CHECK(report.checked > 0);
}

RequestParts<Reference> request(std::int64_t samples = 3) {
  return {random({samples, 2}, 1), random({samples, 2}, 2), random({samples, 3}, 3), random({samples, 4}, 4), of(std::vector<double>(static_cast<std::size_t>(samples), 1), {samples, 1})};
}

T flags(const Flags& values, const Shape& shape) { return T::from_host(context(), values, shape); }

}  // namespace

TEST_CASE("review points count from the newest behaviour, and time from the latest review") {
  // The second sample: no review but in padding, whose time is not read.
  const T time = of({4, 3, 2, 1, 0, std::nan(""), 9, 5.5, 2, 0.25}, {2, 5});
  const auto p = review_steps<Reference>({flags({1, 1, 1, 1, 1, 0, 1, 1, 1, 1}, {2, 5}), flags({1, 0, 1, 0, 0, 1, 0, 0, 0, 0}, {2, 1, 5}), time});
  CHECK(p.reviewed.to_host<std::uint8_t>() == Flags{1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
  check_values(p.number, {2, 1, 1, 0, 0, 0, 0, 0, 0, 0}, {2, 1, 5});
  check_values(p.since, {0, 1, 0, 1, 0, 0, 9, 5.5, 2, 0.25}, {2, 1, 5});
  check_values(p.share, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {2, 1, 5});
  const ReviewPoints places(1, 3, Flags{0, 1, 1}, Flags{1, 0, 1});
  CHECK(places.time == std::vector<float>{2, 1, 0});
  CHECK_THROWS_AS(review_steps<Reference>({flags({1, 1}, {1, 2}), flags({1, 1, 1}, {1, 1, 3}), of({1, 0}, {1, 2})}), ShapeError);
  CHECK_THROWS_AS(ReviewPoints(1, 4, Flags{1, 1, 1}, Flags{1, 1, 1}), ShapeError);
  CHECK_THROWS_AS(ReviewPoints(2, 3, Flags{1, 1, 1}, Flags{1, 1, 1}), ShapeError);
}

TEST_CASE("a forgetting curve by hand: S 20, I 2, Rinit .4, Rfinal .9") {
  ForgettingOptions o = small_mask();
  o.materials = {"hour"};
  ForgettingMask<Reference> mask(context(), o);
  const ReviewPoints p(1, 4, Flags{1, 1, 1, 1}, Flags{1, 0, 1, 0});
  // Newest first: no review yet e^0; the first review .9; one place behind it at rate 3 / 20; the second and last review .4.
  const double behind = 0.9 * std::exp(-3.0 / 20);
  check_values(mask.curve(p), {0.4, behind, 0.9, 1}, {1, 1, 4});
  check_values(mask(p), {0, (behind - 0.4) / 0.6, 0.5 / 0.6, 1}, {1, 1, 4});
  const ReviewPoints alone(1, 4, Flags{0, 0, 0, 1}, Flags{1, 1, 1, 0});
  check_values(mask(alone), {0, 0, 0, 1}, {1, 1, 4});
  const ReviewPoints nothing(1, 4, Flags{0, 0, 0, 0}, Flags{1, 1, 1, 1});
  check_values(mask(nothing), {0, 0, 0, 0}, {1, 1, 4});
}

TEST_CASE("a fresh layer after the curve changes nothing") {
  const ReviewPoints p = two_samples();
  const auto plain = ForgettingMask<Reference>(context(), small_mask())(p).to_host<double>();
  for (const MaskLayer layer : {MaskLayer::dense, MaskLayer::pointwise})
    check_values(ForgettingMask<Reference>(context(), small_mask(layer))(p), plain, {2, 2, 4});
}

TEST_CASE("gradients of the forgetting mask's layers and constants") {
  const ReviewPoints p = two_samples();
  for (const MaskLayer layer : {MaskLayer::none, MaskLayer::dense, MaskLayer::pointwise}) {
    ForgettingMask<Reference> mask(context(), small_mask(layer, true));
    check_module("mask", mask, [&](const auto& m) { return m(p); });
  }
}

TEST_CASE("gradients of every form of query") {
  for (const QueryForm form : {QueryForm::concatenation, QueryForm::experts, QueryForm::holiday, QueryForm::pairs})
    for (const bool sum : {false, true}) {
      QueryMoE<Reference> moe(context(), {2, 2, 3, 4, 3, {8, 4}, form, sum, DType::f64});
      stir(moe, 30);
      CHECK(moe(request()).shape() == Shape{3, moe.queries(), 3});
      check_module("queries", moe, [&](const auto& m) { return m(request()); });
    }
}

TEST_CASE("gradients of the interest unit with a learned temperature") {
  HminOptions o{3, 4, 2, 8, 2.0, true, DType::f64};
  HminUnit<Reference> unit(context(), o);
  stir(unit, 50);
  const T keys = random({2, 4, 4}, 5), q = random({2, 5, 3}, 6), mask = random({2, 2, 4}, 7, 0, 1), valid = flags({1, 1, 1, 1, 0, 0, 1, 1}, {2, 4});
  check_module("unit", unit, [&](const auto& u) { return u(q, keys, mask, valid); });
  check_gradients("inputs", {q, keys, mask}, [&](const Inputs& x) { return unit(x[0], x[1], x[2], valid); });
}

TEST_CASE("score networks of the interest unit: gradients, and the shared softmax where they change nothing") {
  HminOptions o{3, 4, 2, 8, 2.0, true, DType::f64, true, 4};
  HminUnit<Reference> unit(context(), o);
  stir(unit, 50);
  const T keys = random({3, 4, 4}, 5), q = random({3, 5, 3}, 6), mask = random({3, 2, 4}, 7, 0, 1);
  const T valid = flags({1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0}, {3, 4});
  check_module("unit", unit, [&](const auto& u) { return u(q, keys, mask, valid); });
  const T other = where(unsqueeze(valid, 2), keys, random({3, 4, 4}, 99));
  CHECK(unit(q, other, mask, valid).to_host<double>() == unit(q, keys, mask, valid).to_host<double>());

  // relu(x) - relu(-x) = x
  std::vector<double> in(32), out(32);
  for (std::size_t i = 0; i < 4; ++i) in[4 * i + i] = 1, in[4 * (4 + i) + i] = -1, out[8 * i + i] = 1, out[8 * i + 4 + i] = -1;
  for (Mlp<Reference>& network : unit.score) {
    network.layers[0].weight.assign(of(in, {8, 4})), network.layers[1].weight.assign(of(out, {4, 8}));
    network.layers[0].bias->assign(of(std::vector<double>(8), {8})), network.layers[1].bias->assign(of(std::vector<double>(4), {4}));
  }
  HminUnit<Reference> shared(context(), {3, 4, 2, 8, 2.0, true, DType::f64});
  shared.query = unit.query, shared.head = unit.head, shared.temperature = unit.temperature;
  check_values(unit(q, keys, mask, valid), shared(q, keys, mask, valid).to_host<double>(), {3, unit.width(5, 2)}, 1e-12);
}

TEST_CASE("neither padding nor the other samples of a batch change a sample") {
  HminUnit<Reference> unit(context(), {3, 4, 2, 8, 1.0, false, DType::f64});
  const T q = random({2, 5, 3}, 6), mask = random({2, 2, 4}, 7, 0, 1), keys = random({2, 4, 4}, 5);
  const T valid = flags({1, 1, 1, 1, 0, 0, 1, 1}, {2, 4});
  const auto both = unit(q, keys, mask, valid).to_host<double>();
  const auto second = [](const T& x) { return slice(x, 0, 1, 2); };
  const auto alone = unit(second(q), second(keys), second(mask), second(valid)).to_host<double>();
  // Products of other sizes may add in another order, so equal but for rounding.
  check_values(of(alone, {1, unit.width(5, 2)}), {both.begin() + static_cast<std::ptrdiff_t>(both.size() / 2), both.end()}, {1, unit.width(5, 2)}, 1e-12);
  const T there = unsqueeze(valid, 2);
  const T other = where(there, keys, random({2, 4, 4}, 99));
  CHECK(unit(q, other, mask, valid).to_host<double>() == both);
  // The same behaviours with less padding in front: another length of the sums, so equal but for rounding.
  const auto shorter = [](const T& x, int axis) { return slice(x, axis, 2, 4); };
  check_values(unit(second(q), shorter(second(keys), 1), shorter(second(mask), 2), shorter(second(valid), 1)), alone, {1, unit.width(5, 2)}, 1e-12);
}

TEST_CASE("parts of a click model refuse what they cannot be") {
  ForgettingOptions o = small_mask();
  o.s = 0;
  CHECK_THROWS_AS(ForgettingMask<Reference>(context(), o), ConfigError);
  CHECK_THROWS_AS(HminUnit<Reference>(context(), {3, 4, 0, 8, 1.0, false, DType::f64}), ConfigError);
  CHECK_THROWS_AS(HminUnit<Reference>(context(), {3, 4, 1, 8, 0.0, false, DType::f64}), ConfigError);
  CHECK_THROWS_AS(HminUnit<Reference>(context(), {3, 4, 1, 8, 1.0, false, DType::f64, true, 0}), ConfigError);
  CHECK_THROWS_AS(Mlp<Reference>(context(), {3}, DType::f64), ConfigError);
  const ForgettingMask<Reference> mask(context(), small_mask());
  CHECK_THROWS_AS(mask(ReviewPoints(1, 4, Flags{1, 1, 1, 1}, Flags{1, 1, 1, 1})), ShapeError);
}

TEST_CASE("binary cross-entropy: values, gradients, logits beyond any rounding") {
  const T x = of({0, 2, -3, 800, -800}), y = of({1, 0, 0.25, 1, 1});
  check_values(binary_cross_entropy(x, y), {std::log(2.0), 2 + std::log1p(std::exp(-2.0)), 0.75 + std::log1p(std::exp(-3.0)), 0, 800}, {5});
  check_gradients("logits and labels", {random({6}, 1, -3, 3), random({6}, 2, 0, 1)}, [](const Inputs& in) { return binary_cross_entropy(in[0], in[1]); });
  const Parameter<Reference> zero(of({0}));
  backward(binary_cross_entropy(zero(), of({1})));
  check_values(zero.gradient().dense, {-0.5}, {1});
  CHECK_THROWS_AS(binary_cross_entropy(x, of({1})), ShapeError);
}
