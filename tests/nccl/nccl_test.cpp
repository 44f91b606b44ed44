// Two devices, a thread each; without them the tests are skipped (77).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <thread>

#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/backend/timed.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/train/gradient_exchange.hpp"
#include "chronotope/train/nccl_communicator.hpp"

using namespace chronotope;

static_assert(Communicator<NcclCommunicator, cuda_backend>);
static_assert(Communicator<NcclCommunicator, any_backend>);
static_assert(!Communicator<NcclCommunicator, eigen_backend>);

namespace {

constexpr int ranks = 2;

any_backend::stream stream_of(any_backend, int device) { return any_stream<cuda_backend>(cuda_backend::stream(device)); }
cuda_backend::stream stream_of(cuda_backend, int device) { return cuda_backend::stream(device); }

/// Runs f(communicator, context) in a thread for each device. One that fails ends the program, for the other would wait for ever.
template <Backend B, class F> void on_two_devices(F f) {
  const std::string id = NcclCommunicator::unique_id();
  const auto run = [&](int rank) {
    try {
      Context<B> context(stream_of(B(), rank));
      NcclCommunicator all(rank, ranks, id, rank);
      f(all, context);
    } catch (const std::exception& e) {
      std::printf("rank %d: %s\n", rank, e.what()), std::fflush(stdout);
      std::_Exit(1);
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
}

/// Value i of a process.
template <class T> std::vector<T> values(int rank, std::size_t n) {
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(2 * philox_uniform(static_cast<std::uint64_t>(rank), 1, i) - 1);
  return v;
}

template <class T> std::string bytes_of(const std::vector<T>& v) { return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T)}; }

template <Element T, Backend B> void check_sum(NcclCommunicator& all, Context<B>& c, std::size_t n) {
  const Tensor<B> mine = Tensor<B>::from_host(c, values<T>(all.rank(), n), {static_cast<std::int64_t>(n)});
  all.sum(mine)->wait();
  const std::vector<T> sum = mine.template to_host<T>(), a = values<T>(0, n), b = values<T>(1, n);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i) wrong += sum[i] != a[i] + b[i];  // one rounding, in whatever order
  CHECK(wrong == 0);
  for (const std::string& other : all.gather(bytes_of(sum))) CHECK(other == bytes_of(sum));
}

template <Backend B> void check_sums() {
  on_two_devices<B>([](NcclCommunicator& all, Context<B>& c) {
    for (const std::size_t n : {0, 1, 7, 1'000'003}) check_sum<float>(all, c, n), check_sum<double>(all, c, n);
    CHECK_THROWS_AS(all.sum(Tensor<B>::from_host(c, std::vector<std::int32_t>{1}, {1})), DTypeError);
  });
}

template <Backend B> void check_gathers() {
  on_two_devices<B>([](NcclCommunicator& all, Context<B>& c) {
    const auto length = [](int rank, int shift) { return static_cast<std::size_t>((rank + shift) % 3 * 5); };  // 0 and 5, 5 and 10, 10 and 0
    for (int shift = 0; shift < 3; ++shift) {
      const std::vector<std::string> texts = all.gather(std::string(length(all.rank(), shift), static_cast<char>('a' + all.rank())));
      std::vector<std::int64_t> lengths;
      for (int r = 0; r < ranks; ++r) lengths.push_back(static_cast<std::int64_t>(length(r, shift)));
      const std::vector<double> own = values<double>(all.rank(), length(all.rank(), shift));
      const std::vector<Tensor<B>> vectors = all.gather(Tensor<B>::from_host(c, own, {static_cast<std::int64_t>(own.size())}), lengths);
      REQUIRE(texts.size() == ranks);
      REQUIRE(vectors.size() == ranks);
      for (std::size_t r = 0; r < ranks; ++r) {
        const int rank = static_cast<int>(r);
        CHECK(texts[r] == std::string(length(rank, shift), static_cast<char>('a' + rank)));
        CHECK(vectors[r].template to_host<double>() == values<double>(rank, length(rank, shift)));
      }
    }
    CHECK(all.gather(std::string()) == std::vector<std::string>(ranks));
    const std::vector<std::int64_t> empty(ranks, 0), wrong(ranks, 2), few(1, 1);
    for (const Tensor<B>& piece : all.gather(Tensor<B>(c, {0}), empty)) CHECK(piece.elements() == 0);
    CHECK_THROWS_AS(all.gather(Tensor<B>(c, {1}), wrong), ShapeError);
    CHECK_THROWS_AS(all.gather(Tensor<B>(c, {1}), few), ShapeError);
  });
}

}  // namespace

TEST_CASE("sums are those of both devices, to the same bit on each") { check_sums<cuda_backend>(), check_sums<any_backend>(); }

TEST_CASE("texts and vectors of every length come in the order of ranks") { check_gathers<cuda_backend>(), check_gathers<any_backend>(); }

TEST_CASE("several sums are on their way together") {
  using B = any_backend;
  on_two_devices<B>([](NcclCommunicator& all, Context<B>& c) {
    std::vector<Tensor<B>> tensors;
    std::vector<std::unique_ptr<Transfer>> sums;
    for (int i = 0; i < 5; ++i) tensors.push_back(full<B>(c, {3'000'000}, i + 1)), sums.push_back(all.sum(tensors.back()));
    CHECK(all.gather("beside them").back() == "beside them");
    for (std::size_t i = 5; i-- > 0;) {
      sums[i]->wait();
      B::binary(c.stream(), Binary::add, tensors[i].view(), tensors[i].view(), tensors[i].view());  // behind the sum
      const std::vector<float> now = tensors[i].to_host<float>();
      CHECK(std::all_of(now.begin(), now.end(), [&](float x) { return x == static_cast<float>(2 * (i + 1) * ranks); }));
    }
  });
}

TEST_CASE("gradients of both devices become their sum") {
  using B = any_backend;
  on_two_devices<B>([](NcclCommunicator& all, Context<B>& c) {
    const Parameter<B> layer(full<B>(c, {2, 3}, 1)), table(full<B>(c, {4, 2}, 1));
    const std::shared_ptr<NcclCommunicator> shared(&all, [](NcclCommunicator*) {});
    GradientExchange<B> exchange(AnyCommunicator<B>(shared), {{"layer", layer}, {"table", table}});
    for (int step = 0; step < 3; ++step) {
      layer.gradient().dense = full<B>(c, {2, 3}, all.rank() + 1);
      table.gradient().rows.clear();
      if (all.rank() == 1)
        table.gradient().rows.push_back({Tensor<B>::from_host(c, std::vector<std::int32_t>{3, 0}, {2}),
                                         Tensor<B>::from_host(c, std::vector<float>{5, 6, 7, 8}, {2, 2})});
      exchange.finish();
      CHECK(layer.gradient().dense.to_host<float>() == std::vector<float>(6, 3));
      const auto rows = merged_rows(table.gradient(), table.value());
      CHECK(rows.ids.to_host<std::int32_t>() == std::vector<std::int32_t>{3, 0});
      CHECK(rows.rows.to_host<float>() == std::vector<float>{5, 6, 7, 8});
    }
  });
}

TEST_CASE("what cannot be is refused") {
  CHECK_THROWS_WITH_AS(NcclCommunicator(0, 1, "short", 0), doctest::Contains("the id has 5 bytes"), BackendError);
  NcclCommunicator alone(0, 1, NcclCommunicator::unique_id(), 0);
  CHECK(alone.gather("me") == std::vector<std::string>{"me"});
  Context<cuda_backend> other(cuda_backend::stream(1));
  CHECK_THROWS_WITH_AS(alone.sum(Tensor<cuda_backend>(other, {1})), doctest::Contains("a tensor of device 1"), BackendError);
  Context<any_backend> host(any_stream<timed<cuda_backend>>({cuda_backend::stream(0), std::make_shared<Timings>()}));
  CHECK_THROWS_WITH_AS(alone.sum(Tensor<any_backend>(host, {1})), doctest::Contains("behind this stream"), BackendError);
  alone.abort();
  CHECK_THROWS_WITH_AS(alone.gather("me"), doctest::Contains("was aborted"), BackendError);
}

int main(int argc, char** argv) {
  if (const int count = cuda_backend::device_count(); count < ranks) {
    std::printf("needs %d GPUs, there are %d: skipped\n", ranks, count);
    return 77;
  }
  doctest::Context context;
  context.setOption("no-path-filenames", true);
  context.applyCommandLine(argc, argv);
  return context.run();
}
