// Streams, memory and ids out of range.
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/tensor/tensor.hpp"
#include "chronotope/ops/ops.hpp"
#include "chronotope/autograd/backward.hpp"
#include "chronotope/autograd/parameter.hpp"
#include "cuda/arrays.hpp"

using namespace chronotope;
using Stream = cuda_backend::stream;

TEST_CASE("a stream of a device that does not exist is refused") {
  CHECK_THROWS_AS(Stream(-1), BackendError);
  CHECK_THROWS_WITH_AS(Stream(99), doctest::Contains("[cuda] stream: there is no device 99"), BackendError);
}

TEST_CASE("the user's stream is used and left alone") {
  cudaStream_t user = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&user, cudaStreamNonBlocking) == cudaSuccess);
  {
    Stream stream = Stream::wrap(user, 0);
    CHECK(stream.native() == user);
    const Array<float> x(stream, {3});
    cuda_backend::fill(stream, x.view(), 2);
    CHECK(x.fetch() == std::vector<float>(3, 2));
  }
  CHECK(cudaStreamSynchronize(user) == cudaSuccess);
  CHECK(cudaStreamDestroy(user) == cudaSuccess);
  CHECK_THROWS_WITH_AS(Stream::wrap(nullptr, 0), doctest::Contains("legacy default stream"), BackendError);
}

TEST_CASE("host memory may be reused after an upload, however long") {
  Stream stream;
  constexpr std::int64_t n = (std::int64_t{18} << 20) / 4;  // more than the pinned buffers hold
  std::vector<std::int32_t> sent(n);
  for (std::int64_t i = 0; i < n; ++i) sent[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i);
  const std::vector<std::int32_t> kept = sent;
  const Array<std::int32_t> first(stream, {n}, sent);
  std::fill(sent.begin(), sent.end(), -1);
  const Array<std::int32_t> second(stream, {5}, {1, 2, 3, 4, 5});
  CHECK(first.fetch() == kept);
  CHECK(second.fetch() == std::vector<std::int32_t>{1, 2, 3, 4, 5});
}

TEST_CASE("an id outside the table is told at the next wait, once, and nothing is written there") {
  Stream stream;
  const Array<float> table(stream, {2, 2}, {1, 2, 3, 4}), rows(stream, {3, 2}, {10, 10, 20, 20, 30, 30});
  const Array<std::int64_t> ids(stream, {3}, {1, 7, 0}), wide(stream, {3}, {0, 1, (std::int64_t{1} << 32) + 1});
  cuda_backend::scatter_add(stream, table.view(), ids.view(), rows.view());
  CHECK_THROWS_WITH_AS(cuda_backend::synchronize(stream), "[scatter_add] id 7 at position 1 is outside a table of 2 rows", ShapeError);
  CHECK(table.fetch() == std::vector<float>{31, 32, 13, 14});
  cuda_backend::gather(stream, rows.view(), table.view(), wide.view());
  CHECK_THROWS_WITH_AS(rows.fetch(), "[gather] id 4294967297 at position 2 is outside a table of 2 rows", ShapeError);
  CHECK(rows.fetch() == std::vector<float>{31, 32, 13, 14, 30, 30});
}

TEST_CASE("streams do not disturb one another, and the caller's device stays") {
  const int devices = cuda_backend::device_count();
  Stream first(0), second(devices - 1), third(0);
  const Array<float> a(first, {1000}), b(second, {1000}), c(third, {1000});
  cuda_backend::fill(first, a.view(), 1);
  cuda_backend::fill(second, b.view(), 2);
  cuda_backend::fill(third, c.view(), 3);
  cuda_backend::unary(second, Unary::neg, b.view(), b.view());
  CHECK(c.fetch() == std::vector<float>(1000, 3));
  CHECK(b.fetch() == std::vector<float>(1000, -2));
  CHECK(a.fetch() == std::vector<float>(1000, 1));
  int current = -1;
  REQUIRE(cudaGetDevice(&current) == cudaSuccess);
  CHECK(current == 0);
}

TEST_CASE("a moved stream goes on") {
  Stream stream;
  Stream other = std::move(stream);
  const Array<float> x(other, {4}, {1, 2, 3, 4});
  CHECK(x.fetch() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("more memory than there is, is a BackendError that says so, and the stream goes on") {
  Stream stream;
  CHECK_THROWS_WITH_AS(cuda_backend::allocate(stream, std::size_t{1} << 60), doctest::Contains("[cuda] allocate 1152921504606846976 bytes: out of memory"),
                       BackendError);
  const Array<float> x(stream, {1}, {5});
  CHECK(x.fetch() == std::vector<float>{5});
}

TEST_CASE("tensors and gradients live on the device") {
  Context<cuda_backend> context;
  const Parameter<cuda_backend> w(full<cuda_backend>(context, {2, 3}, 2));
  backward(sum(matmul(w(), transpose(w(), 0, 1)) * full<cuda_backend>(context, {2, 2}, 1)));
  CHECK(w.gradient().dense.to_host<float>() == std::vector<float>(6, 8));
}
