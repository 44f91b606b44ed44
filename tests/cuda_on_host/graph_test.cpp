// Graphs of the backend: what is recorded does what it would have done, at its place in the stream.
#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/timed.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/ops/ops.hpp"
#include "cuda/stream.hpp"
#include "emulator/control.hpp"

using namespace chronotope;

namespace {

using B = cuda_backend;

struct Counts {
  std::size_t launches = cuda_on_host::host_launches(), graphs = cuda_on_host::graph_launches(), made = cuda_on_host::graphs_instantiated();
  Counts since(const Counts& before) const {
    Counts c = *this;
    c.launches -= before.launches, c.graphs -= before.graphs, c.made -= before.made;
    return c;
  }
};

std::vector<float> numbers(std::int64_t n, float first) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), first);
  return values;
}

/// [n]: uploads, kernels, a product, scratch memory.
template <Backend A> Tensor<A> some_work(Context<A>& context, std::int64_t n, float x) {
  const auto a = Tensor<A>::from_host(context, numbers(n * n, x), {n, n});
  return sum(matmul(a, a + a) * static_cast<double>(x), 0);
}

}  // namespace

TEST_CASE("a graph does what its work does, however its sizes and values change") {
  cuda_on_host::reset();
  Context<B> context, plain;
  B::graph graph;
  for (const auto& [n, x] : {std::pair<std::int64_t, float>{5, 1}, {5, 2}, {9, 3}, {5, -1}}) {
    CAPTURE(n);
    Tensor<B> result;
    B::as_graph(context.stream(), graph, [&, n = n, x = x] { result = some_work(context, n, x); });
    CHECK(result.to_host<float>() == some_work(plain, n, x).to_host<float>());
  }
  CHECK(graph.instantiated() == 1);
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("a graph is one launch of the host") {
  Context<B> context;
  B::graph graph;
  const auto work = [&] { some_work(context, 7, 1); };
  B::as_graph(context.stream(), graph, work);
  const Counts before;
  B::as_graph(context.stream(), graph, work);
  const Counts one = Counts().since(before);
  CHECK(one.launches == 1);
  CHECK(one.graphs == 1);
  CHECK(one.made == 0);
  B::as_graph(context.stream(), graph, [] {});
  CHECK(Counts().since(before).launches == 1);  // nothing to launch
}

TEST_CASE("work before, in and after a graph runs in the order in which it was queued") {
  cuda_on_host::reset();
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

TEST_CASE("as many nodes of other kinds are another graph") {
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
  CHECK(graph.instantiated() == 2);
}

TEST_CASE("nothing can be read while a graph is recorded, and the stream works afterwards") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  const Tensor<B> x = full<B>(context, {10}, 2);
  const auto recorded = [&](const std::function<void()>& work) { B::as_graph(context.stream(), graph, work); };
  CHECK_THROWS_WITH_AS(recorded([&] { (x + 1.0).to_host<float>(); }), "[cuda] download: nothing can be read or waited for while a graph is being recorded", BackendError);
  CHECK_THROWS_WITH_AS(recorded([&] { context.synchronize(); }), "[cuda] synchronize: nothing can be read or waited for while a graph is being recorded", BackendError);
  CHECK_THROWS_WITH_AS(recorded([&] { recorded([] {}); }), "[cuda] as_graph: a graph is being recorded already", BackendError);
  CHECK(graph.instantiated() == 0);
  CHECK((x + 1.0).to_host<float>() == std::vector<float>(10, 3));
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("what work throws is passed on, and nothing of it has run") {
  cuda_on_host::reset();
  struct Ours : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const std::size_t before = cuda_on_host::live_blocks();
  {
    Context<B> context;
    B::graph graph;
    const Tensor<B> x = full<B>(context, {1000}, 1);
    context.synchronize();
    const std::size_t kernels = cuda_on_host::kernels_run();
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
    CHECK(cuda_on_host::kernels_run() == kernels);
    CHECK(some_work(context, 5, 1).to_host<float>().size() == 5);
  }
  CHECK(cuda_on_host::live_blocks() == before);
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("an id outside its table in a graph is told by the next wait") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  const Tensor<B> table = full<B>(context, {3, 2}, 1);
  for (int i = 0; i < 2; ++i) {
    B::as_graph(context.stream(), graph, [&] { gather(table, Tensor<B>::from_host(context, std::vector<std::int32_t>{0, 5}, {2})); });
    CHECK_THROWS_WITH_AS(context.synchronize(), "[gather] id 5 at position 1 is outside a table of 3 rows", ShapeError);
  }
}

TEST_CASE("uploads of a graph that are more than pinned memory had, graph after graph without a wait between") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  const std::int64_t n = std::int64_t{3} << 20;  // 12 MiB, three buffers
  const Tensor<B> early = Tensor<B>::from_host(context, numbers(n / 2, -5), {n / 2});
  std::vector<Tensor<B>> kept;
  const std::size_t waits = cuda_on_host::waits();
  for (int i = 0; i < 3; ++i)
    B::as_graph(context.stream(), graph, [&, i] {
      for (int k = 0; k < 2; ++k) kept.push_back(Tensor<B>::from_host(context, numbers(n, static_cast<float>(10 * i + k)), {n}));
    });
  CHECK(cuda_on_host::waits() - waits == kept.size());  // each for its memory, none for the uploads
  const Tensor<B> late = Tensor<B>::from_host(context, numbers(n, 77), {n});  // outside: waits for the oldest buffer
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 2; ++k) {
      CAPTURE(i);
      CHECK(kept[static_cast<std::size_t>(2 * i + k)].to_host<float>() == numbers(n, static_cast<float>(10 * i + k)));
    }
  CHECK(early.to_host<float>() == numbers(n / 2, -5));
  CHECK(late.to_host<float>() == numbers(n, 77));
  CHECK(cuda_on_host::fault() == "");
}

namespace {

/// The sum of a number from each of ten tensors of 8, 12, … 44 MiB, of which only one or two are needed at a time; and how many graphs that took.
std::pair<float, std::size_t> sum_of_large(bool recorded, std::size_t limit) {
  Context<B> context;
  B::graph graph;
  Tensor<B> y = full<B>(context, {10}, 0);
  const auto work = [&] {
    for (std::int64_t i = 0; i < 10; ++i) {
      const Tensor<B> part = slice(Tensor<B>(context, {(i + 2) << 20}), 0, 1000, 1010);
      B::fill(context.stream(), part.view(), static_cast<double>(i));
      y = y + part;
    }
  };
  B::as_graph(context.stream(), graph, [] {});  // cuBLAS's workspace
  context.synchronize();
  cuda_on_host::limit_memory(limit ? cuda_on_host::live_bytes() + limit : 0);
  const std::size_t before = cuda_on_host::graph_launches();
  if (recorded) B::as_graph(context.stream(), graph, work);
  else work();
  cuda_on_host::limit_memory(0);
  return {y.to_host<float>()[9], cuda_on_host::graph_launches() - before};
}

}  // namespace

TEST_CASE("under memory pressure a graph is cut, so that what it has given back can be used") {
  cuda_on_host::reset();
  CHECK(sum_of_large(false, std::size_t{60} << 20) == std::pair<float, std::size_t>{45, 0});
  CHECK(sum_of_large(true, 0) == std::pair<float, std::size_t>{45, 1});
  const auto [sum, graphs] = sum_of_large(true, std::size_t{60} << 20);
  CHECK(sum == 45);
  CHECK(graphs > 1);
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("memory that is not there is told, and the stream works afterwards") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  CHECK_THROWS_AS(B::as_graph(context.stream(), graph, [&] { full<B>(context, {std::int64_t{1} << 32}, 1); }), BackendError);
  CHECK(full<B>(context, {3}, 1).to_host<float>() == std::vector<float>(3, 1));
}

TEST_CASE("scratch memory stays for the calls that follow") {
  cuda_on_host::reset();
  cuda_backend::stream s;
  cuda::Queue queue = s.impl().queue();
  void* first = nullptr;
  {
    const cuda::Scratch one(queue, 5000, "one"), other(queue, 5000, "other");
    first = one.as<void>();
    CHECK(first != other.as<void>());
  }
  CHECK(cuda::Scratch(queue, 4900, "less").as<void>() != nullptr);
  cuda_backend::synchronize(s);
  const std::size_t blocks = cuda_on_host::live_blocks();
  for (int i = 0; i < 10; ++i) {
    const cuda::Scratch one(queue, 5000, "one"), other(queue, 3000, "other");
  }
  cuda_backend::synchronize(s);
  CHECK(cuda_on_host::live_blocks() == blocks);
  for (std::size_t bytes = 1000; bytes < 1000000; bytes += bytes) const cuda::Scratch growing(queue, bytes, "growing");
  cuda_backend::synchronize(s);
  CHECK(cuda_on_host::live_blocks() <= blocks + 2);  // what is too small does not pile up
}

TEST_CASE("a backend chosen at run time has the graphs of the one it holds") {
  cuda_on_host::reset();
  Context<any_backend> context(any_stream<B>()), timed_context(any_stream<timed<B>>({B::stream(), std::make_shared<Timings>()}));
  CHECK(has_graphs<any_backend>(context.stream()));
  CHECK(has_graphs<any_backend>(timed_context.stream()));
  any_backend::graph graph;
  Tensor<any_backend> x;
  const std::size_t before = cuda_on_host::graph_launches();
  for (int i = 0; i < 2; ++i) any_backend::as_graph(context.stream(), graph, [&] { x = some_work(context, 4, 1); });
  CHECK(cuda_on_host::graph_launches() == before + 2);
  CHECK_THROWS_AS(any_backend::as_graph(timed_context.stream(), graph, [] {}), BackendError);
  any_backend::graph untimed;
  Tensor<any_backend> y;
  any_backend::as_graph(timed_context.stream(), untimed, [&] { y = some_work(timed_context, 4, 1); });
  CHECK(cuda_on_host::graph_launches() == before + 2);  // as it is
  CHECK(x.to_host<float>() == y.to_host<float>());
}
