// AdamW by hand, in double precision and on every backend of this build.

#include "chronotope/train/optimizer.hpp"

#include <limits>

#include "chronotope/train/schedule.hpp"
#include "train/tiny.hpp"

using namespace chronotope;

namespace {

using B = any_backend;

/// One element, as the papers write it.
struct Scalar {
  double p, m = 0, v = 0;
  void step(double g, double t, double rate, const AdamOptions& o) {
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    p = p - rate * o.weight_decay * p - rate * (m / (1 - std::pow(o.beta1, t))) / (std::sqrt(v / (1 - std::pow(o.beta2, t))) + o.eps);
  }
};

/// One parameter and its optimizer on a backend.
struct Bench {
  Bench(const std::string& backend, const std::vector<float>& start, const Shape& shape, const AdamOptions& options)
      : context(tiny::stream(backend)), p(Tensor<B>::from_host(context, start, shape)), optimizer({{"p", p}}, options) {}

  void dense(const std::vector<float>& g) { p.gradient().dense = Tensor<B>::from_host(context, g, p.shape()); }
  void rows(const std::vector<std::int32_t>& ids, const std::vector<float>& g) {
    const auto n = static_cast<std::int64_t>(ids.size());
    p.gradient().rows.push_back({Tensor<B>::from_host(context, ids, {n}), Tensor<B>::from_host(context, g, {n, p.shape()[1]})});
  }
  std::vector<float> values() const { return p.value().to_host<float>(); }
  std::map<std::string, HostTensor> moments() const {
    std::map<std::string, HostTensor> state;
    optimizer.save(state);
    return state;
  }
  void load(const std::map<std::string, HostTensor>& state) { optimizer.load(context, state, 3); }

  Context<B> context;
  Parameter<B> p;
  AdamW<B> optimizer;
};

void near(const std::vector<float>& actual, const std::vector<Scalar>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(i);
    CHECK(actual[i] == doctest::Approx(expected[i].p).epsilon(2e-6));
  }
}

std::vector<float> draw(std::size_t n, std::uint64_t seed) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = 2 * philox_uniform(seed, 3, i) - 1;
  return values;
}

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("dense steps of Adam and AdamW") {
  for (const std::string& backend : tiny::backends())
    for (const double decay : {0.0, 0.1}) {
      CAPTURE(backend);
      CAPTURE(decay);
      const AdamOptions options{0.8, 0.95, 1e-6, decay, RowUpdates::dense};
      const std::vector<float> start = draw(37, 1);
      Bench bench(backend, start, {37}, options);
      std::vector<Scalar> expected;
      for (const float x : start) expected.push_back({x});
      for (int t = 1; t <= 4; ++t) {
        const std::vector<float> g = draw(37, 10 + static_cast<std::uint64_t>(t));
        bench.dense(g);
        bench.optimizer.step(0.01 * t);
        for (std::size_t i = 0; i < g.size(); ++i) expected[i].step(g[i], t, 0.01 * t, options);
      }
      near(bench.values(), expected);
      CHECK(bench.optimizer.steps() == 4);
    }
}

TEST_CASE("fused and composed steps agree") {
  const std::vector<std::string> backends = tiny::backends();
  if (backends.size() < 2) return;
  const AdamOptions options{0.9, 0.999, 1e-8, 0.05, RowUpdates::dense};
  const std::vector<float> start = draw(1003, 1);
  Bench composed("eigen", start, {17, 59}, options), fused("onednn", start, {17, 59}, options);
  for (std::uint64_t t = 1; t <= 5; ++t) {
    for (Bench* bench : {&composed, &fused}) bench->dense(draw(1003, 20 + t));
    const double one = composed.optimizer.step(1e-2, 1, 0.5), other = fused.optimizer.step(1e-2, 1, 0.5);
    CHECK(one == doctest::Approx(other).epsilon(1e-6));
  }
  const std::vector<float> a = composed.values(), b = fused.values();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
  CAPTURE(worst);
  CHECK(worst < 1e-6);  // a step moves by 1e-2: a ten-thousandth of that, with values up to 1 (roundings of 6e-8)
}

TEST_CASE("a large table's dense steps are those of its whole gradient, however few rows that has") {
  constexpr std::int64_t rows = 1200, width = 600;  // pieces of 873 rows
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const AdamOptions options{0.9, 0.99, 1e-8, 0.1, RowUpdates::dense};
    const std::vector<float> start = draw(rows * width, 1);
    Bench few(backend, start, {rows, width}, options), whole(backend, start, {rows, width}, options);
    std::uint64_t seed = 30;
    for (const std::vector<std::int32_t>& ids : {std::vector<std::int32_t>{1199, 5, 872, 873, 874, 5}, {}, {0, 900}}) {
      const std::vector<float> g = draw(ids.size() * width, ++seed);
      std::vector<float> all(static_cast<std::size_t>(rows * width));
      for (std::size_t i = 0; i < g.size(); ++i) all[static_cast<std::size_t>(ids[i / width]) * width + i % width] += g[i];
      few.rows(ids, g), whole.dense(all);
      CHECK(few.optimizer.step(0.01) == doctest::Approx(whole.optimizer.step(0.01)));
    }
    CHECK(few.values() == whole.values());
    for (const auto& [name, moment] : few.moments()) CHECK(moment.data == whole.moments().at(name).data);
  }
}

TEST_CASE("of a large table without decay only rows that were looked up have moments; values are those of the whole gradient") {
  constexpr std::int64_t rows = 1200, width = 600;  // parts of 873 rows
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const AdamOptions options{0.9, 0.99, 1e-8, 0, RowUpdates::dense};
    const std::vector<float> start = draw(rows * width, 1);
    Bench few(backend, start, {rows, width}, options), whole(backend, start, {rows, width}, options);
    std::uint64_t seed = 30;
    const auto step = [&](Bench& bench, const std::vector<std::int32_t>& ids) {
      const std::vector<float> g = draw(ids.size() * width, ++seed);
      std::vector<float> all(static_cast<std::size_t>(rows * width));
      for (std::size_t i = 0; i < g.size(); ++i) all[static_cast<std::size_t>(ids[i / width]) * width + i % width] += g[i];
      bench.rows(ids, g), whole.dense(all);
      CHECK(bench.optimizer.step(0.01) == doctest::Approx(whole.optimizer.step(0.01)));
    };
    for (const std::vector<std::int32_t>& ids : {std::vector<std::int32_t>{1199, 5, 872, 873, 874, 5}, {}, {0, 900, 5}}) step(few, ids);
    CHECK(few.values() == whole.values());
    const auto state = few.moments();
    CHECK(state.at("adam.rows.p").values<std::int32_t>() == std::vector<std::int32_t>{1199, 5, 872, 873, 874, 0, 900});
    CHECK(state.at("adam.m.p").shape == Shape{7, width});

    few.optimizer.step(0.01);  // without any gradient nothing moves, not even moments
    CHECK(few.values() == whole.values());
    CHECK(few.moments().at("adam.m.p").data == state.at("adam.m.p").data);

    Bench other(backend, few.values(), {rows, width}, options);  // goes on from what was saved
    other.optimizer.load(other.context, state, 3);
    step(other, {7, 900});
    CHECK(other.values() == whole.values());
    other.dense(draw(rows * width, 90)), whole.dense(draw(rows * width, 90));  // from now on every row has moments
    other.optimizer.step(0.01), whole.optimizer.step(0.01);
    step(other, {3});
    CHECK(other.values() == whole.values());
    CHECK(other.moments().at("adam.v.p").data == whole.moments().at("adam.v.p").data);

    auto wrong = state;
    wrong.at("adam.rows.p") = HostTensor::of(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 1200}, {7});
    CHECK_THROWS_WITH_AS(Bench(backend, start, {rows, width}, options).load(wrong), doctest::Contains("row 1200"), FormatError);
    wrong.at("adam.rows.p") = HostTensor::of(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 1}, {7});
    CHECK_THROWS_AS(Bench(backend, start, {rows, width}, options).load(wrong), FormatError);
    wrong.at("adam.rows.p") = HostTensor::of(std::vector<std::int32_t>{1, 2}, {2});
    CHECK_THROWS_AS(Bench(backend, start, {rows, width}, options).load(wrong), FormatError);
  }
}

TEST_CASE("dense updates move rows that were not looked up, lazy ones leave them alone") {
  for (const std::string& backend : tiny::backends())
    for (const RowUpdates kind : {RowUpdates::dense, RowUpdates::lazy}) {
      CAPTURE(backend);
      CAPTURE(static_cast<int>(kind));
      const AdamOptions options{0.9, 0.99, 1e-8, 0.1, kind};
      const std::vector<float> start = draw(12, 4);
      Bench bench(backend, start, {4, 3}, options);
      std::vector<Scalar> expected;
      for (const float x : start) expected.push_back({x});
      const auto row = [&](std::size_t r, const std::vector<float>& g, double t) {
        for (std::size_t i = 0; i < 3; ++i) expected[3 * r + i].step(g[i], t, 0.05, options);
      };
      bench.rows({1, 3, 1}, {1, 2, 3, 4, 5, 6, -0.5, 0.5, 1});  // row 1 twice: its gradients add up
      bench.rows({3}, {1, 1, 1});                               // and row 3 in a second look-up
      bench.optimizer.step(0.05);
      row(1, {0.5f, 2.5f, 4}, 1), row(3, {5, 6, 7}, 1);
      if (kind == RowUpdates::dense) row(0, {0, 0, 0}, 1), row(2, {0, 0, 0}, 1);
      bench.rows({0}, {1, 1, 1});
      bench.optimizer.step(0.05);
      row(0, {1, 1, 1}, 2);
      if (kind == RowUpdates::dense) row(1, {0, 0, 0}, 2), row(2, {0, 0, 0}, 2), row(3, {0, 0, 0}, 2);
      near(bench.values(), expected);
      if (kind == RowUpdates::dense) continue;
      const std::vector<float> values = bench.values();
      for (std::size_t i = 6; i < 9; ++i) CHECK(values[i] == start[i]);  // row 2 was never looked up: equal to the bit
    }
}

TEST_CASE("a table with a dense gradient too takes the dense step even when lazy") {
  for (const std::string& backend : tiny::backends()) {
    const AdamOptions options{0.9, 0.99, 1e-8, 0, RowUpdates::lazy};
    Bench bench(backend, {1, 2, 3, 4}, {2, 2}, options);
    bench.dense({1, 1, 1, 1});
    bench.rows({1}, {2, 3});
    bench.optimizer.step(0.1);
    std::vector<Scalar> expected{{1}, {2}, {3}, {4}};
    const double g[] = {1, 1, 3, 4};
    for (std::size_t i = 0; i < 4; ++i) expected[i].step(g[i], 1, 0.1, options);
    near(bench.values(), expected);
  }
}

TEST_CASE("the norm is that of the scaled gradient, and clipping scales it down") {
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const AdamOptions options{0.5, 0.5, 1, 0, RowUpdates::dense};  // a large eps, so that the size of the gradient matters
    for (const double clip : {0.0, 1.0, 100.0}) {
      CAPTURE(clip);
      Bench bench(backend, {0, 0}, {2}, options);
      bench.dense({30, 40});
      CHECK(bench.optimizer.step(0.1, 0.5, clip) == doctest::Approx(25));
      const double scale = 0.5 * (clip == 1 ? 1 / 25.0 : 1);
      std::vector<Scalar> expected{{0}, {0}};
      expected[0].step(30 * scale, 1, 0.1, options), expected[1].step(40 * scale, 1, 0.1, options);
      near(bench.values(), expected);
    }
  }
}

TEST_CASE("the norm runs over all parameters, dense and rows") {
  for (const std::string& backend : tiny::backends())
    for (const RowUpdates kind : {RowUpdates::dense, RowUpdates::lazy}) {
      Context<B> context(tiny::stream(backend));
      Parameter<B> a(full<B>(context, {2}, 0)), b(full<B>(context, {3, 1}, 0)), untouched(full<B>(context, {2}, 1));
      AdamW<B> optimizer({{"a", a}, {"b", b}, {"untouched", untouched}}, {0.9, 0.999, 1e-8, 0.1, kind});
      a.gradient().dense = Tensor<B>::from_host(context, std::vector<float>{2, 3}, {2});
      b.gradient().rows.push_back({Tensor<B>::from_host(context, std::vector<std::int32_t>{2, 2, 0}, {3}),
                                   Tensor<B>::from_host(context, std::vector<float>{3, 3, 0}, {3, 1})});
      CHECK(optimizer.step(0.1) == doctest::Approx(7));
      CHECK(a.gradient().empty());
      CHECK(b.gradient().empty());
      CHECK(untouched.value().to_host<float>() == std::vector<float>{1, 1});  // no gradient at all: no step, no decay
    }
}

TEST_CASE("a gradient that is not finite is refused and changes nothing") {
  for (const std::string& backend : tiny::backends())
    for (const RowUpdates kind : {RowUpdates::dense, RowUpdates::lazy})
      for (const float bad : {nan_value, std::numeric_limits<float>::infinity()}) {
        CAPTURE(backend);
        Bench bench(backend, draw(6, 5), {3, 2}, {0.9, 0.999, 1e-8, 0.1, kind});
        bench.dense(draw(6, 6));
        bench.optimizer.step(0.1);
        const std::vector<float> before = bench.values();
        const auto moments = bench.moments();
        bench.rows({1}, {1, bad});
        CHECK_THROWS_WITH_AS(bench.optimizer.step(0.1), doctest::Contains("optimizer step 2"), Error);
        CHECK(bench.values() == before);
        for (const auto& [name, tensor] : bench.moments()) CHECK(tensor.data == moments.at(name).data);
        CHECK(bench.optimizer.steps() == 1);
        CHECK(bench.p.gradient().empty());
      }
}

TEST_CASE("the optimizer's state goes on where it stood, to the bit, and a foreign one is refused") {
  for (const std::string& backend : tiny::backends()) {
    const AdamOptions options{0.9, 0.99, 1e-8, 0.1, RowUpdates::dense};
    Bench one(backend, draw(6, 5), {3, 2}, options);
    one.dense(draw(6, 6));
    one.optimizer.step(0.1);
    Bench other(backend, one.values(), {3, 2}, options);
    other.optimizer.load(other.context, one.moments(), 1);
    for (Bench* bench : {&one, &other}) {
      bench->dense(draw(6, 7));
      bench->optimizer.step(0.1);
    }
    CHECK(one.values() == other.values());
    auto wrong = one.moments();
    wrong.at("adam.v.p") = HostTensor::of(std::vector<float>(4), {2, 2});
    CHECK_THROWS_WITH_AS(other.optimizer.load(other.context, wrong, 1), doctest::Contains("adam.v.p"), FormatError);
    wrong.erase("adam.v.p");
    CHECK_THROWS_AS(other.optimizer.load(other.context, wrong, 1), FormatError);
  }
}

TEST_CASE("warm-up and cosine") {
  const WarmupCosine s{1.0, 0.1, 4, 100};
  const auto cosine = [](double step) { return 0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi * step / 100)); };
  CHECK(s(0) == doctest::Approx(cosine(0) * 0.25));
  CHECK(s(1) == doctest::Approx(cosine(1) * 0.5));
  CHECK(s(3) == doctest::Approx(cosine(3)));
  CHECK(s(50) == doctest::Approx(0.55));
  CHECK(s(100) == doctest::Approx(0.1));
  CHECK(s(1000) == doctest::Approx(0.1));
  for (std::int64_t i = 4; i < 100; ++i) CHECK(s(i) < s(i - 1));
  const WarmupCosine none{1.0, 0.1, 0, 10};
  CHECK(none(0) == doctest::Approx(1.0));
  CHECK(WarmupCosine{1.0, 0.5, 0, 0}(0) > 0);
}
