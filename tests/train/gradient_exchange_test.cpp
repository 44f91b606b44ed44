// Training by several processes, without any: the other one is a mirror that always has what this one has.

#include "chronotope/train/gradient_exchange.hpp"

#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/reports.hpp"
#include "train/ranks_agree.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using scratch::error_of;

namespace {

using B = any_backend;

/// The first of two processes; the second sends the same, or `other` in place of the first text.
struct Mirror {
  std::vector<std::int64_t> sums = {};  ///< elements of each, as they left
  std::string other = {};

  int rank() const { return 0; }
  int size() const { return 2; }
  std::unique_ptr<Transfer> sum(const Tensor<B>& values) {
    sums.push_back(values.elements());
    B::binary(values.stream(), Binary::add, values.view(), values.view(), values.view());
    return std::make_unique<SingleProcess::Done>();
  }
  std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) {
    REQUIRE(lengths.size() == 2);
    CHECK(lengths[0] == values.elements());
    return {values, values};
  }
  std::vector<std::string> gather(const std::string& text) { return {text, other.empty() ? text : other}; }
};

Parameter<B> parameter(Context<B>& c, const Shape& shape, std::uint64_t seed) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.elements(); ++i) values.push_back(2 * philox_uniform(seed, 0, static_cast<std::uint64_t>(i)) - 1);
  return Parameter<B>(Tensor<B>::from_host(c, values, shape));
}

/// A table that is looked up, and three layers; the last is used twice.
struct Net {
  explicit Net(Context<B>& c) : table(parameter(c, {9, 4}, 1)), first(parameter(c, {4, 4}, 2)), second(parameter(c, {4, 4}, 3)), third(parameter(c, {4, 4}, 4)), unused(parameter(c, {3}, 5)) {}

  Tensor<B> loss(Context<B>& c, const std::vector<std::int32_t>& ids, const std::function<void()>& between = {}) const {
    const Tensor<B> x = gather(table(), Tensor<B>::from_host(c, ids, {static_cast<std::int64_t>(ids.size())}));
    Tensor<B> h = matmul(x, first());
    const Tensor<B> at = h.detach();
    if (between) h = record(at, {&h}, [between](const Tensor<B>& dy, GradientSink<B>& sink) { between(), sink.add(0, dy); });
    return sum(matmul(matmul(matmul(h, second()), third()), third()));
  }
  std::vector<std::pair<std::string, Parameter<B>>> named() const { return {{"table", table}, {"first", first}, {"second", second}, {"third", third}, {"unused", unused}}; }

  Parameter<B> table, first, second, third, unused;
};

std::vector<float> dense(const Parameter<B>& p) { return p.gradient().dense.defined() ? p.gradient().dense.to_host<float>() : std::vector<float>{}; }

std::vector<float> twice(std::vector<float> values) {
  for (float& x : values) x *= 2;
  return values;
}

}  // namespace

TEST_CASE("leaves are told of as soon as their gradient is final, and the gradient is the same") {
  for (const std::string& backend : tiny::backends()) {
    Context<B> c(tiny::stream(backend));
    const Net plain(c), watched(c);
    backward(plain.loss(c, {1, 2, 1}));
    std::vector<std::string> order;
    const Tensor<B> loss = watched.loss(c, {1, 2, 1}, [&] { order.push_back("between"); });
    watch_leaves<B>(loss, [&](Node<B>& leaf) {
      for (const auto& [name, p] : watched.named())
        if (leaf.leaf.get() == &p.gradient()) order.push_back(name);
    });
    backward(loss);
    CHECK(order == std::vector<std::string>{"third", "second", "between", "first", "table"});
    for (std::size_t i = 0; i < 4; ++i) CHECK(dense(watched.named()[i].second) == dense(plain.named()[i].second));
    CHECK(watched.table.gradient().rows.size() == 1);
  }
}

TEST_CASE("gradients become sums: dense ones in buckets that leave during the pass, those of tables as rows") {
  for (const std::string& backend : tiny::backends())
    for (const std::int64_t bucket : {1, 20, 1000}) {
      CAPTURE(backend);
      CAPTURE(bucket);
      Context<B> c(tiny::stream(backend));
      const Net alone(c), shared(c);
      const auto mirror = std::make_shared<Mirror>();
      GradientExchange<B> exchange(AnyCommunicator<B>(mirror), shared.named(), bucket);
      for (int step = 0; step < 3; ++step) {
        for (const auto& [name, p] : alone.named()) p.zero_grad();
        for (const auto& [name, p] : shared.named()) p.zero_grad();
        backward(alone.loss(c, {3, 1, 3}));
        backward(alone.loss(c, {1, 2, 1}));
        std::size_t early = 0;
        mirror->sums.clear();
        backward(shared.loss(c, {3, 1, 3}));
        const Tensor<B> last = shared.loss(c, {1, 2, 1}, [&] { early = mirror->sums.size(); });
        exchange.watch(last);
        backward(last);
        exchange.finish();
        CHECK(exchange.buckets() == (bucket == 1000 ? std::vector<std::int64_t>{3} : std::vector<std::int64_t>{1, 1, 1}));
        CHECK(mirror->sums == (bucket == 1000 ? std::vector<std::int64_t>{48} : std::vector<std::int64_t>{16, 16, 16}));
        if (bucket < 1000) CHECK(early == (step == 0 ? 0 : 2));  // third and second, before first was reached
        for (std::size_t i = 1; i < 4; ++i) CHECK(dense(shared.named()[i].second) == twice(dense(alone.named()[i].second)));
        CHECK_FALSE(shared.unused.gradient().dense.defined());
        const auto expected = merged_rows(alone.table.gradient(), alone.table.value()), merged = merged_rows(shared.table.gradient(), shared.table.value());
        CHECK(shared.table.gradient().rows.size() == 2);
        CHECK(merged.ids.to_host<std::int32_t>() == expected.ids.to_host<std::int32_t>());
        CHECK(merged.rows.to_host<float>() == twice(expected.rows.to_host<float>()));
      }
    }
}

TEST_CASE("a process without samples takes part with zeros, and what nobody has stays undefined") {
  Context<B> c(tiny::stream(tiny::backends().front()));
  const Net net(c);
  const auto mirror = std::make_shared<Mirror>();
  GradientExchange<B> exchange(AnyCommunicator<B>(mirror), net.named());
  backward(net.loss(c, {1}));
  exchange.finish();
  for (const auto& [name, p] : net.named()) p.zero_grad();
  Packer other;  // the other process has all that the net has: dense gradients of three layers, no rows
  for (const bool dense : {false, true, true, true, false}) other << dense << false << std::int64_t{0};
  mirror->other = other.bytes();
  exchange.finish();
  CHECK(dense(net.first) == std::vector<float>(16, 0));
  CHECK_FALSE(net.unused.gradient().dense.defined());
  CHECK(net.table.gradient().rows.empty());
  for (const auto& [name, p] : net.named()) p.zero_grad();
  mirror->other.clear();
  exchange.finish();
  for (const auto& [name, p] : net.named()) CHECK(p.gradient().empty());
}

TEST_CASE("reports add up, and the first process's validation counts") {
  const auto mirror = std::make_shared<Mirror>();
  AnyCommunicator<B> ranks(mirror);
  StepReport report;
  report.loss = 1.5, report.inputs = 7, report.targets = 3, report.measures = {{"margin", 0.25}};
  CHECK(detail::add_up(ranks, report, 11) == 11);
  CHECK(report.loss == 3);
  CHECK(report.inputs == 14);
  CHECK(report.targets == 6);
  CHECK(report.measures == Measures{{"margin", 0.5}});
  const auto validation = detail::of_first(ranks, Validation{0.75, {{"AUC", 0.75}}});
  REQUIRE(validation);
  CHECK(validation->score == 0.75);
  CHECK(validation->measures == Measures{{"AUC", 0.75}});
  CHECK_FALSE(detail::of_first(ranks, {}));
  mirror->other = (Packer() << std::uint64_t{20} << 1.0).bytes();
  CHECK_THROWS_WITH_AS(detail::add_up(ranks, report, 11), doctest::Contains("is cut"), FormatError);
}

TEST_CASE("processes that would not train the same are noticed") {
  const auto mirror = std::make_shared<Mirror>();
  AnyCommunicator<B> ranks(mirror);
  const StartDigests mine{1, 2, 3};
  CHECK_NOTHROW(check_same_start(ranks, mine));
  const auto other = [&](std::uint64_t config, std::uint64_t data, std::uint64_t weights) {
    mirror->other = (Packer() << config << data << weights).bytes();
    return error_of([&] { check_same_start(ranks, mine); });
  };
  CHECK(other(7, 2, 3) == "ConfigError: process 1 of this training runs under another config than process 0");
  CHECK(other(1, 7, 3) == "DataError: process 1 of this training has read other data than process 0");
  CHECK(other(1, 2, 7).find("has other weights than process 0") != std::string::npos);
  CHECK_THROWS_AS(check_same_weights(ranks, 3), Error);
  mirror->other.clear();
  CHECK_NOTHROW(check_same_weights(ranks, 3));
  const auto tensors = [](float last) { return std::map<std::string, HostTensor>{{"a", HostTensor::of(std::vector<float>{1, 2, last}, {3})}}; };
  CHECK(digest_of(tensors(3)) == digest_of(tensors(3)));
  CHECK(digest_of(tensors(3)) != digest_of(tensors(3.0000002f)));
}
