// Prediction heads and tasks of click models.

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/components/click_heads.hpp"
#include "chronotope/components/click_tasks.hpp"
#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

static_assert(ClickHead<DnnHead<Reference>> && ClickHead<MmoeHead<Reference>>);

namespace {

const testing::GradientCheckOptions few{.step = 1e-5, .tolerance = 1e-6, .elements = 10, .seed = 3};

DnnHead<Reference> dnn(double dropout = 0) { return {context(), {5, 2, {4, 3}, dropout, DType::f64}}; }
MmoeHead<Reference> mmoe(double dropout = 0) { return {context(), {5, 2, 3, {4}, 3, {2}, dropout, DType::f64}}; }

template <class H> void check_head(H head) {
  stir(head, 60);
  const T x = random({3, 5}, 8);
  CHECK(head.tasks() == 2);
  const auto report = testing::check_module_gradients(context(), head, [&](const H& h) { return h(x); }, few);
  INFO(report.text());
  CHECK(report.passed());
  check_gradients("features", {x}, [&](const Inputs& in) { return head(in[0]); }, few);
  const NoGrad no_grad;
  const T out = head(x);
  CHECK(out.shape() == Shape{3, 2});
  check_values(head(slice(x, 0, 1, 2)), contiguous(slice(out, 0, 1, 2)).to_host<double>(), {1, 2}, 1e-12);
}

ClickTasks two(ConversionForm form = ConversionForm::product, double a = 1, double b = 1) { return ClickTasks({true, form, a, b}); }

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

TEST_CASE("heads: shapes, gradients, one sample at a time") {
  check_head(dnn());
  check_head(mmoe());
  check_head(dnn(0.5));
  check_head(mmoe(0.5));
}

TEST_CASE("dropout is for training") {
  const auto changes = [](auto head) {
    stir(head, 60);
    const T x = random({20, 5}, 8);
    const auto recorded = head(x).template to_host<double>();
    const NoGrad no_grad;
    const auto once = head(x).template to_host<double>();
    CHECK(head(x).template to_host<double>() == once);
    return recorded != once;
  };
  CHECK(changes(dnn(0.5)));
  CHECK(changes(mmoe(0.5)));
  CHECK(!changes(dnn()));
}

TEST_CASE("a head of nothing is refused") {
  CHECK_THROWS_AS(DnnHead<Reference>(context(), {0, 1, {4}, 0, DType::f64}), ConfigError);
  CHECK_THROWS_AS(DnnHead<Reference>(context(), {3, 0, {4}, 0, DType::f64}), ConfigError);
  CHECK_THROWS_AS(MmoeHead<Reference>(context(), {5, 2, 0, {4}, 3, {2}, 0, DType::f64}), ConfigError);
}

TEST_CASE("a gate far on one side takes that expert alone") {
  auto head = mmoe();
  stir(head, 60);
  std::vector<double> gate(6 * 5, 0.0);
  for (std::size_t i = 0; i < 5; ++i) gate[0 * 5 + i] = 1000, gate[4 * 5 + i] = 1000;  // first task: expert 0; second: expert 1
  head.gate.weight.assign(of(gate, {6, 5}));
  const T x = random({3, 5}, 8, 0.1, 1);
  const T expected = concat(std::vector<T>{head.tower[0](head.expert[0](x)), head.tower[1](head.expert[1](x))}, 1);
  check_values(head(x), expected.to_host<double>(), {3, 2}, 1e-12);
}

TEST_CASE("CTCVR is CTR times CVR, however large the logits") {
  const T logits = of({0, 0, 1, -2, 700, 700, -700, 3, 3, -700, -700, -700, 700, -700}, {7, 2});
  const auto odds = two().log_odds(logits).to_host<double>(), x = logits.to_host<double>();
  for (std::size_t i = 0; i < 7; ++i) {
    CAPTURE(i);
    const double a = x[2 * i], b = x[2 * i + 1], log_p = -softplus(-a) - softplus(-b);
    CHECK(odds[2 * i] == a);
    CHECK(odds[2 * i + 1] - softplus(odds[2 * i + 1]) == doctest::Approx(log_p));  // log sigmoid(z) = z - softplus(z)
  }
  const auto p = two().probabilities(logits).to_host<double>();
  CHECK(p[1] == doctest::Approx(0.25));
  CHECK(p[3] == doctest::Approx(1 / (1 + std::exp(-1.0)) / (1 + std::exp(2.0))));
  CHECK(p[6] == doctest::Approx(std::exp(-700.0)));
  CHECK(p[7] == doctest::Approx(std::exp(-700.0) / (1 + std::exp(-3.0))));
  CHECK(p[5] == 1);
}

TEST_CASE("losses and gradients of the tasks") {
  const T logits = random({6, 2}, 4, -3, 3), y = of({1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0}, {6, 2});
  for (const ConversionForm form : {ConversionForm::product, ConversionForm::own_tower}) {
    const ClickTasks tasks = two(form, 0.5, 2);
    const auto p = tasks.probabilities(logits).to_host<double>(), labels = y.to_host<double>();
    std::vector<double> expected;
    double total = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      expected.push_back(-labels[i] * std::log(p[i]) - (1 - labels[i]) * std::log1p(-p[i]));
      total += expected.back() * (i % 2 ? 2 : 0.5) / 6;
    }
    check_values(tasks.losses(logits, y), expected, {6, 2}, 1e-12);
    CHECK(tasks.loss(logits, y).item<double>() == doctest::Approx(total));
    check_gradients("logits", {logits}, [&](const Inputs& x) { return tasks.loss(x[0], y); });
  }
  const Parameter<Reference> extreme(of({800, -800, -800, 800, 800, 800, -800, -800}, {4, 2}));
  const T loss = two().loss(extreme(), of({0, 0, 1, 1, 0, 0, 1, 1}, {4, 2}));
  CHECK(std::isfinite(loss.item<double>()));
  backward(loss);
  for (double g : extreme.gradient().dense.to_host<double>()) CHECK(std::isfinite(g));
}

TEST_CASE("one task is CTR alone") {
  const ClickTasks tasks({});
  CHECK(tasks.count() == 1);
  const T logits = of({0, 2}, {2, 1}), y = of({1, 0}, {2, 1});
  CHECK(tasks.loss(logits, y).item<double>() == doctest::Approx((std::log(2.0) + softplus(2)) / 2));
  check_values(tasks.probabilities(logits), {0.5, 1 / (1 + std::exp(-2.0))}, {2, 1});
}

TEST_CASE("labels come from the batch; what does not fit is refused") {
  ClickBatch batch;
  batch.click = {1, 0, 1}, batch.conversion = {1, 1, 0};
  const T logits = random({3, 2}, 1);
  check_values(two().labels(logits, batch), {1, 1, 0, 0, 1, 0}, {3, 2});
  CHECK_THROWS_AS(two().labels(random({2, 2}, 1), batch), ShapeError);
  CHECK_THROWS_AS(two().log_odds(random({3, 1}, 1)), ShapeError);
  batch.conversion.clear();
  CHECK(error_text<DataError>([&] { two().labels(logits, batch); }).find("train for CTR alone") != std::string::npos);
  CHECK_THROWS_AS(two(ConversionForm::product, -1), ConfigError);
  CHECK_THROWS_AS(two(ConversionForm::product, 0, 0), ConfigError);
  CHECK_THROWS_AS(two(ConversionForm::product, std::nan("")), ConfigError);
}
