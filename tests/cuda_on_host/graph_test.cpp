// What graphs cost the host, and what they do with memory. What they compute: tests/cuda/graph_test.cpp.
#include <doctest/doctest.h>

#include <numeric>
#include <stdexcept>
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

TEST_CASE("new sizes and values make no new graph, other kinds of nodes do") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  for (const std::int64_t n : {5, 9, 5}) B::as_graph(context.stream(), graph, [&] { some_work(context, n, static_cast<float>(n)); });
  CHECK(graph.instantiated() == 1);
  const Tensor<B> x = full<B>(context, {10}, 4);
  B::graph other;
  for (int round = 0; round < 2; ++round) {
    B::as_graph(context.stream(), other, [&] { sqrt(x); });
    B::as_graph(context.stream(), other, [&] { sum(x, 0); });
  }
  CHECK(other.instantiated() == 2);
  context.synchronize();
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("recordings that throw leave neither memory nor work behind") {
  cuda_on_host::reset();
  const std::size_t before = cuda_on_host::live_blocks();
  {
    Context<B> context;
    B::graph graph;
    B::as_graph(context.stream(), graph, [] {});
    context.synchronize();
    const std::size_t launches = cuda_on_host::host_launches();
    const auto stop = [&] {
      some_work(context, 300, 1);
      context.trim();
      throw std::runtime_error("stop");
    };
    for (int i = 0; i < 3; ++i) CHECK_THROWS_WITH_AS(B::as_graph(context.stream(), graph, stop), "stop", std::runtime_error);
    CHECK(cuda_on_host::host_launches() == launches);
  }
  CHECK(cuda_on_host::live_blocks() == before);
  CHECK(cuda_on_host::fault() == "");
}

TEST_CASE("a recording waits for the memory it takes, and for no upload") {
  cuda_on_host::reset();
  Context<B> context;
  B::graph graph;
  const std::size_t waits = cuda_on_host::waits();
  std::vector<Tensor<B>> kept;
  const std::int64_t n = std::int64_t{6} << 20;  // 24 MiB, six buffers
  B::as_graph(context.stream(), graph, [&] { kept.push_back(Tensor<B>::from_host(context, numbers(n, 1), {n})); });
  CHECK(cuda_on_host::waits() == waits + 1);
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
    const cuda::Scratch one(queue, 5000, "one"), other(queue, 5000, "other");  // equal sizes: here none larger is given (CHRONOTOPE_SCRATCH_SLACK)
  }
  cuda_backend::synchronize(s);
  CHECK(cuda_on_host::live_blocks() == blocks);
  for (std::size_t bytes = 1000; bytes < 1000000; bytes += bytes) const cuda::Scratch growing(queue, bytes, "growing");
  cuda_backend::synchronize(s);
  CHECK(cuda_on_host::live_blocks() <= blocks + 2);  // what is too small does not pile up
  cuda_backend::trim(s);
  cuda_backend::synchronize(s);
  CHECK(cuda_on_host::live_blocks() < blocks);
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
