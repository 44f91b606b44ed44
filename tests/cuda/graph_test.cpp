// Graphs: what is recorded does what it would have done, at its place in the stream.
#include <doctest/doctest.h>

#include <functional>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/ops/ops.hpp"

using namespace chronotope;

namespace {

using B = cuda_backend;

std::vector<float> numbers(std::int64_t n, float first) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), first);
  return values;
}

/// [n]: uploads, kernels, a product, scratch memory. Small whole numbers: exact.
Tensor<B> some_work(Context<B>& context, std::int64_t n, float x) {
  const auto a = Tensor<B>::from_host(context, numbers(n * n, x), {n, n});
  return sum(matmul(a, a + a) * static_cast<double>(x), 0);
}

}  // namespace

TEST_CASE("a graph does what its work does, however its sizes and values change") {
  Context<B> context, plain;
  B::graph graph;
  for (const auto& [n, x] : {std::pair<std::int64_t, float>{5, 1}, {5, 2}, {9, 3}, {5, -1}}) {
    CAPTURE(n);
    Tensor<B> result;
    B::as_graph(context.stream(), graph, [&, n = n, x = x] { result = some_work(context, n, x); });
    CHECK(result.to_host<float>() == some_work(plain, n, x).to_host<float>());
  }
}

TEST_CASE("work before, in and after a graph runs in the order in which it was queued") {
  Context<B> context;
  B::graph graph;
  Tensor<B> x = full<B>(context, {100}, 1);
  for (int i = 0; i < 3; ++i) {
    x = x * 2.0;
    B::as_graph(context.stream(), graph, [&] { x = x + 1.0, x = x * 3.0; });
    x = x - 1.0;
  }
  CHECK(x.to_host<float>() == std::vector<float>(100, 302));  // 8, 50, 302
}

TEST_CASE("the graphs of several kinds of work are kept, up to eight") {
  Context<B> context;
  B::graph graph;
  const auto run = [&](int additions) {
    Tensor<B> x = full<B>(context, {10}, 0);
    B::as_graph(context.stream(), graph, [&] {
      for (int i = 0; i < additions; ++i) x = x + 1.0;
    });
    CHECK(x.to_host<float>()[9] == static_cast<float>(additions));
  };
  for (int round = 0; round < 3; ++round)
    for (int kind = 1; kind <= 8; ++kind) run(kind);
  CHECK(graph.instantiated() == 8);
  run(9), run(8), run(3);  // the ninth took the place of the first
  CHECK(graph.instantiated() == 9);
  run(1);
  CHECK(graph.instantiated() == 10);
}

TEST_CASE("as many nodes of other kinds are not taken for the same") {
  Context<B> context;
  B::graph graph;
  const Tensor<B> x = full<B>(context, {10}, 4);
  Tensor<B> y;
  for (int round = 0; round < 2; ++round) {
    B::as_graph(context.stream(), graph, [&] { y = sqrt(x); });
    CHECK(y.to_host<float>()[0] == 2);
    B::as_graph(context.stream(), graph, [&] { y = sum(x, 0); });
    CHECK(y.to_host<float>()[0] == 40);
  }
}

TEST_CASE("nothing can be read while a graph is recorded, and the stream works afterwards") {
  Context<B> context;
  B::graph graph;
  const Tensor<B> x = full<B>(context, {10}, 2);
  const auto recorded = [&](const std::function<void()>& work) { B::as_graph(context.stream(), graph, work); };
  CHECK_THROWS_WITH_AS(recorded([&] { (x + 1.0).to_host<float>(); }), "[cuda] download: nothing can be read or waited for while a graph is being recorded", BackendError);
  CHECK_THROWS_WITH_AS(recorded([&] { context.synchronize(); }), "[cuda] synchronize: nothing can be read or waited for while a graph is being recorded", BackendError);
  CHECK_THROWS_WITH_AS(recorded([&] { recorded([] {}); }), "[cuda] as_graph: a graph is being recorded already", BackendError);
  CHECK(graph.instantiated() == 0);
  CHECK((x + 1.0).to_host<float>() == std::vector<float>(10, 3));
}

TEST_CASE("what work throws is passed on, and nothing of it has run") {
  struct Ours : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  Context<B> context;
  B::graph graph;
  const Tensor<B> x = full<B>(context, {1000}, 1);
  context.synchronize();
  for (int i = 0; i < 3; ++i)
    CHECK_THROWS_WITH_AS(B::as_graph(context.stream(), graph,
                                     [&] {
                                       B::fill(context.stream(), x.view(), 7);
                                       some_work(context, 300, 1);
                                       context.trim();
                                       throw Ours("stop");
                                     }),
                         "stop", Ours);
  CHECK(x.to_host<float>() == std::vector<float>(1000, 1));
  CHECK(some_work(context, 5, 1).to_host<float>().size() == 5);
}

TEST_CASE("an id outside its table in a graph is told by the next wait") {
  Context<B> context;
  B::graph graph;
  const Tensor<B> table = full<B>(context, {3, 2}, 1);
  for (int i = 0; i < 2; ++i) {
    B::as_graph(context.stream(), graph, [&] { gather(table, Tensor<B>::from_host(context, std::vector<std::int32_t>{0, 5}, {2})); });
    CHECK_THROWS_WITH_AS(context.synchronize(), "[gather] id 5 at position 1 is outside a table of 3 rows", ShapeError);
  }
}

TEST_CASE("uploads of a graph that are more than pinned memory had, graph after graph without a wait between") {
  Context<B> context;
  B::graph graph;
  const std::int64_t n = std::int64_t{3} << 20;  // 12 MiB, three buffers
  const Tensor<B> early = Tensor<B>::from_host(context, numbers(n / 2, -5), {n / 2});
  std::vector<Tensor<B>> kept;
  for (int i = 0; i < 3; ++i)
    B::as_graph(context.stream(), graph, [&, i] {
      for (int k = 0; k < 2; ++k) kept.push_back(Tensor<B>::from_host(context, numbers(n, static_cast<float>(10 * i + k)), {n}));
    });
  const Tensor<B> late = Tensor<B>::from_host(context, numbers(n, 77), {n});  // outside: waits for the oldest buffer
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 2; ++k) {
      CAPTURE(i);
      CHECK(kept[static_cast<std::size_t>(2 * i + k)].to_host<float>() == numbers(n, static_cast<float>(10 * i + k)));
    }
  CHECK(early.to_host<float>() == numbers(n / 2, -5));
  CHECK(late.to_host<float>() == numbers(n, 77));
}

TEST_CASE("memory that is not there is told, and the stream works afterwards") {
  Context<B> context;
  B::graph graph;
  CHECK_THROWS_AS(B::as_graph(context.stream(), graph, [&] { full<B>(context, {std::int64_t{1} << 50}, 1); }), BackendError);
  CHECK(full<B>(context, {3}, 1).to_host<float>() == std::vector<float>(3, 1));
}
