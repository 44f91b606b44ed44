#include "chronotope/backend/any_backend.hpp"
#include "chronotope/nn/layers.hpp"
#include "ops/support.hpp"

#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

using namespace chronotope;
using namespace chronotope::test;

namespace {

struct Part {
  using backend = Reference;
  explicit Part(bool bias) : inner(context(), 2, 3, bias, DType::f64) {}
  template <class V> void visit(V&& v) { v("inner", inner); }
  Linear<Reference> inner;
};

struct Whole {
  using backend = Reference;
  Whole() : table(context(), 5, 4, DType::f64), scale(of({1, 2})) {
    parts.emplace_back(false);
    parts.emplace_back(true);
    present.emplace(context(), 4, DType::f64);
  }
  template <class V> void visit(V&& v) {
    v("table", table);
    v("parts", parts);
    v("present", present);
    v("absent", absent);
    v("scale", scale);
  }
  Embedding<Reference> table;
  std::vector<Part> parts;
  std::optional<LayerNorm<Reference>> present, absent;
  Parameter<Reference> scale;
};

static_assert(Module<Whole> && Module<Linear<Reference>> && Module<RmsNorm<any_backend>>);
static_assert(!Module<int> && !Module<Tensor<Reference>>);
static_assert(SameBackend<Whole, Part> && !SameBackend<Whole, RmsNorm<any_backend>>);

}  // namespace

TEST_CASE("paths name members, places in vectors and present optionals, in the order of visit") {
  Whole whole;
  std::vector<std::string> paths;
  for_each_parameter(whole, [&](const std::string& path, Parameter<Reference>&) { paths.push_back(path); });
  CHECK(paths == std::vector<std::string>{"table.weight", "parts.0.inner.weight", "parts.1.inner.weight", "parts.1.inner.bias",
                                          "present.weight", "present.bias", "scale"});
  CHECK(parameter_count(whole) == 20 + 6 + 6 + 3 + 4 + 4 + 2);
}

TEST_CASE("named parameters are handles on the module's own") {
  Whole whole;
  auto all = named_parameters(whole);
  REQUIRE(all.size() == 7);
  all[6].second.assign(of({7, 8}));
  check_values(whole.scale.value(), {7, 8}, {2});
  all[6].second.freeze();
  CHECK(whole.scale.frozen());
  backward(whole.table(ids({1, 1})));
  CHECK(all[0].second.gradient().rows.size() == 1);
}

TEST_CASE("layers compute what they say") {
  Linear<Reference> layer(context(), 2, 2, true, DType::f64);
  layer.weight.assign(of({1, 2, 3, 4}, {2, 2}));
  layer.bias->assign(of({10, 20}));
  check_values(layer(of({1, 1}, {1, 2})), {13, 27}, {1, 2});
  RmsNorm<Reference> norm(context(), 2, DType::f64);
  check_values(norm(of({3, 4})), {3 / std::sqrt(12.5 + 1e-5), 4 / std::sqrt(12.5 + 1e-5)}, {2});
  LayerNorm<Reference> centred(context(), 2, DType::f64);
  check_values(centred(of({1, 3})), {-1 / std::sqrt(1 + 1e-5), 1 / std::sqrt(1 + 1e-5)}, {2});
}

TEST_CASE("gradients of layers with respect to their parameters") {
  Whole whole;
  const auto report = testing::check_module_gradients(context(), whole, [](Whole& w) {
    const T x = (*w.present)(w.table(ids({0, 3, 3})));
    return w.parts[0].inner(slice(x, 1, 0, 2)) * w.parts[1].inner(slice(x, 1, 2, 4) * w.scale());
  });
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.checked == parameter_count(whole));
}

namespace {

template <Backend B> std::vector<float> initial(typename B::stream stream) {
  Context<B> c(std::move(stream), 2024);
  const Embedding<B> first(c, 7, 5);
  CHECK(c.random().counter == 1);
  const Embedding<B> second(c, 11, 3);
  auto values = first.weight.value().template to_host<float>();
  const auto more = second.weight.value().template to_host<float>();
  values.insert(values.end(), more.begin(), more.end());
  return values;
}

}  // namespace

TEST_CASE("initial values are equal to the bit on every backend") {
  const auto values = initial<Reference>({});
  CHECK(initial<Reference>({}) == values);
  CHECK(initial<any_backend>(any_stream<Reference>()) == values);
#ifdef CHRONOTOPE_HAVE_ONEDNN
  CHECK(initial<onednn_backend>(onednn_backend::stream()) == values);
#endif
}

TEST_CASE("initial values are normal with the wanted deviation, biases 0 and norms 1") {
  Context<Reference> c({}, 3);
  const auto values = normal_parameter(c, {200, 100}, 0.02).value().to_host<float>();
  double mean = 0, square = 0, beyond = 0;
  for (double x : values) {
    mean += x / 20000;
    square += x * x / 20000;
    beyond += std::abs(x) > 0.04;
  }
  CHECK(std::abs(mean) < 5 * 0.02 / std::sqrt(20000.0));
  CHECK(std::sqrt(square) == doctest::Approx(0.02).epsilon(0.03));
  CHECK(beyond / 20000 == doctest::Approx(0.0455).epsilon(0.2));
  const Linear<Reference> layer(c, 3, 2, true);
  CHECK(layer.bias->value().to_host<float>() == std::vector<float>{0, 0});
  CHECK(RmsNorm<Reference>(c, 2).weight.value().to_host<float>() == std::vector<float>{1, 1});
}
