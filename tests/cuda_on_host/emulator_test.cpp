// The emulator must be able to fail: small kernels with one mistake each, all of which it has to report.
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "bench.hpp"
#include "emulator/control.hpp"

using namespace cuda_on_host;

namespace {

/// What goes wrong when the kernel runs on 64 threads a block with 64 integers; empty when nothing does.
template <class... A> std::string of_kernel(void (*kernel)(int*, A...), unsigned blocks, A... more) {
  cuda_on_host::set_seed(1);  // what is seen first, and so said, depends on the order of threads
  return mishap([&] {
    Bench bench(64);
    launch(bench.queue, "tried", kernel, blocks, 64, bench.data, more...);
    cudaStreamSynchronize(bench.queue.stream);
  });
}

/// Reverses 64 numbers through shared memory.
__global__ void reverse(int* data, bool barrier) {
  CHRONOTOPE_SHARED(int, tile, 64);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = t;
  if (barrier) __syncthreads();
  data[t] = tile[63 - t];
}

/// The shared memory is used again before everyone has read it.
__global__ void reverse_twice(int* data, bool barrier) {
  CHRONOTOPE_SHARED(int, tile, 64);
  const int t = static_cast<int>(threadIdx.x);
  for (int round = 0; round < 2; ++round) {
    tile[t] = t + round;
    __syncthreads();
    data[t] = tile[63 - t];
    if (barrier) __syncthreads();
  }
}

__global__ void reverse_warps(int* data, int how) {
  CHRONOTOPE_SHARED(int, tile, 64);
  const int t = static_cast<int>(threadIdx.x);
  tile[t] = t;
  if (how == 1) __syncwarp();
  if (how == 2) __shfl_sync(0xFFFFFFFFu, t, 0);  // waits, but orders no memory
  if (how == 3) __syncwarp(t % 32 < 16 ? 0x0000FFFFu : 0xFFFF0000u);
  data[t] = tile[t ^ 31];
}

__global__ void half_a_barrier(int* data) {
  if (threadIdx.x >= 32) return;
  __syncthreads();
  data[threadIdx.x] = 1;
}

__global__ void two_barriers(int* data) {
  if (threadIdx.x % 2) __syncthreads();
  else __syncthreads();
  data[threadIdx.x] = 1;
}

__global__ void one_barrier_more(int* data) {
  __syncthreads();
  if (threadIdx.x == 5) __syncthreads();
  data[threadIdx.x] = 1;
}

__global__ void shuffle_without_half(int* data) {
  if (threadIdx.x % 32 >= 16) return;
  data[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x), 1);
}

__global__ void shuffle_from_outside(int* data) {
  if (threadIdx.x % 32 >= 16) return;
  data[threadIdx.x] = __shfl_xor_sync(0x0000FFFFu, static_cast<int>(threadIdx.x), 16);
}

__global__ void not_in_its_mask(int* data) { data[threadIdx.x] = static_cast<int>(__ballot_sync(0x0000FFFFu, 1)); }

__global__ void vote_apart(int* data) {
  data[threadIdx.x] = threadIdx.x % 2 ? static_cast<int>(__ballot_sync(0xFFFFFFFFu, 1)) : __shfl_sync(0xFFFFFFFFu, 1, 0);
}

__global__ void sum_by_shuffles(int* data) {
  int x = static_cast<int>(threadIdx.x) % 32;
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(0xFFFFFFFFu, x, bits);
  data[threadIdx.x] = x;
}

__global__ void unwritten_shared(int* data) {
  CHRONOTOPE_SHARED(int, tile, 64);
  if (threadIdx.x < 10) tile[static_cast<int>(threadIdx.x)] = 1;
  __syncthreads();
  data[threadIdx.x] = tile[static_cast<int>(threadIdx.x)];
}

__global__ void beyond_shared(int* data) {
  CHRONOTOPE_SHARED(int, tile, 64);
  tile[static_cast<int>(threadIdx.x) + 1] = data[threadIdx.x];
}

__global__ void too_much_shared(int* data) {
  CHRONOTOPE_SHARED(double, tile, 8192);
  tile[static_cast<int>(threadIdx.x)] = data[threadIdx.x];
}

__global__ void count_in_shared(int* data, bool atomic) {
  CHRONOTOPE_SHARED(int, count, 1);
  if (threadIdx.x == 0) count[0] = 0;
  __syncthreads();
  if (atomic) atomicAdd(&count[0], 1);
  else count[0] += 1;
  __syncthreads();
  data[threadIdx.x] = count[0];
}

__global__ void last_one_wins(int* data) { data[0] = static_cast<int>(blockIdx.x * 64 + threadIdx.x); }

}  // namespace

TEST_CASE("kernels without a mistake run") {
  CHECK(of_kernel(reverse, 1, true) == "");
  CHECK(of_kernel(reverse_twice, 1, true) == "");
  CHECK(of_kernel(reverse_warps, 1, 1) == "");
  CHECK(of_kernel(count_in_shared, 1, true) == "");
  CHECK(of_kernel(write_at, 1, 63) == "");
  cuda_on_host::reset();
  Bench bench(64);
  launch(bench.queue, "sum", sum_by_shuffles, 1, 64, bench.data);
  CHECK(bench.fetch() == std::vector<int>(64, 31 * 16));
}

TEST_CASE("a missing barrier is caught") {
  says(of_kernel(reverse, 1, false), "shared memory");
  says(of_kernel(reverse_twice, 1, false), "shared memory race");
  says(of_kernel(count_in_shared, 1, false), "shared memory race: reads count[0], which thread");
}

TEST_CASE("what a warp shares needs a __syncwarp of both lanes") {
  says(of_kernel(reverse_warps, 1, 0), "shared memory");
  says(of_kernel(reverse_warps, 1, 2), "shared memory race: reads tile[");
  says(of_kernel(reverse_warps, 1, 3), "shared memory race: reads tile[");
}

TEST_CASE("barriers that not all threads reach are caught") {
  const std::string half = of_kernel(half_a_barrier, 1);
  says(half, "kernel tried, block (0, 0, 0), thread (32, 0, 0): barrier not reached by all threads");
  says(of_kernel(two_barriers, 1), "divergent barrier");
  says(of_kernel(one_barrier_more, 1), "barrier not reached by all threads");
}

TEST_CASE("lanes that are not there are caught") {
  says(of_kernel(shuffle_without_half, 1), "inactive lane");
  says(of_kernel(shuffle_from_outside, 1), "which is not in the mask");
  says(of_kernel(not_in_its_mask, 1), "mask wrong");
  says(of_kernel(vote_apart, 1), "mask wrong");
}

TEST_CASE("writes beside a block are caught at both ends, whichever of them lies at a page's edge") {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    cuda_on_host::set_seed(seed);
    for (const int offset : {64, -1}) CHECK(of_kernel(write_at, 1, offset) != "");
  }
}

TEST_CASE("reads beside a block see poison, or are caught") {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    cuda_on_host::set_seed(seed);
    for (const int offset : {64, -1}) {
      const std::string text = mishap([&] {
        Bench bench(64);
        launch(bench.queue, "tried", read_at, 1, 64, bench.data, offset);
        float seen;
        std::memcpy(&seen, bench.fetch().data(), sizeof seen);
        if (seen != seen) throw cuda_on_host::Fault("saw poison");
      });
      CHECK(text != "");
    }
  }
}

TEST_CASE("memory far from any block is caught") {
  says(of_kernel(write_at, 1, 1 << 20), "touched ");
  says(of_kernel(write_at, 1, -(1 << 20)), "touched ");
}

TEST_CASE("use after free and double free are caught") {
  says(mishap([] {
         Bench bench(64);
         cudaFreeAsync(bench.data, bench.queue.stream);
         launch(bench.queue, "late", own_number, 1, 64, bench.data);
         cudaStreamSynchronize(bench.queue.stream);
       }),
       "kernel late: an argument points to byte 0 of a freed block of 256 bytes");
  says(mishap([] {
         Bench bench(64);
         cudaFreeAsync(bench.data, bench.queue.stream);
         bench.fetch();
       }),
       "freed block");
  says(mishap([] {
         Bench bench(64);
         cudaFreeAsync(bench.data, bench.queue.stream);
         cudaFreeAsync(bench.data, bench.queue.stream);
         cudaStreamSynchronize(bench.queue.stream);
       }),
       "second free of a block of 256 bytes");
}

TEST_CASE("the host cannot touch device memory, nor a kernel the host's") {
  says(mishap([] {
         Bench bench(64);
         cudaStreamSynchronize(bench.queue.stream);
         if (*static_cast<volatile int*>(bench.data) == 1) bench.n = 0;
       }),
       "the host touched byte 0 of a block of 256 bytes");
  says(mishap([] {
         Bench bench(64);
         cudaStreamSynchronize(bench.queue.stream);
         *static_cast<volatile int*>(bench.data) = 1;
       }),
       "the host touched byte 0 of a block of 256 bytes");
  says(mishap([] {
         Bench bench(64);
         std::vector<int> host(64);
         launch(bench.queue, "tried", own_number, 1, 64, host.data());
         cudaStreamSynchronize(bench.queue.stream);
       }),
       "an argument points to an address outside the device's memory");
}

TEST_CASE("nothing runs before it is waited for, and in order then") {
  cuda_on_host::reset();
  Bench bench(64);
  std::vector<int> early(64, 5);
  const std::size_t before = cuda_on_host::kernels_run();
  launch(bench.queue, "number", own_number, 1, 64, bench.data);
  cudaMemcpyAsync(early.data(), bench.data, 256, cudaMemcpyDeviceToHost, bench.queue.stream);
  CHECK(cuda_on_host::kernels_run() == before);
  CHECK(early[63] == 5);
  REQUIRE(cudaStreamSynchronize(bench.queue.stream) == cudaSuccess);
  CHECK(cuda_on_host::kernels_run() == before + 1);
  CHECK(early[63] == 63);
}

TEST_CASE("memory that nobody has written is poison") {
  cuda_on_host::reset();
  CHECK(Bench(64).fetch() == std::vector<int>(64, -1));
}

TEST_CASE("shared memory begins unwritten and ends where it ends") {
  says(of_kernel(unwritten_shared, 1), "of shared memory, which nobody has written");
  says(of_kernel(beyond_shared, 1), "element 64 of shared tile[64]");
  says(of_kernel(too_much_shared, 1), "more than 48 KiB");
}

TEST_CASE("results that depend on the order of threads differ between seeds") {
  const auto digest = [](void (*kernel)(int*), std::uint64_t seed) {
    cuda_on_host::reset();
    cuda_on_host::set_seed(seed);
    Bench bench(256);
    launch(bench.queue, "tried", kernel, 4, 64, bench.data);
    bench.fetch();
    return cuda_on_host::digest();
  };
  CHECK(digest(last_one_wins, 1) != digest(last_one_wins, 2));
  CHECK(digest(last_one_wins, 1) == digest(last_one_wins, 1));
  CHECK(digest(own_number, 1) == digest(own_number, 2));
}

TEST_CASE("wrong uses of streams are refused") {
  says(mishap([] {
         Bench bench(64);
         launch({nullptr, nullptr}, "tried", own_number, 1, 64, bench.data);
       }),
       "legacy default stream");
  says(mishap([] {
         Bench bench(64);
         std::vector<int> host(64);
         cudaMemcpyAsync(bench.data, host.data(), 256, cudaMemcpyHostToDevice, bench.queue.stream);
         cudaStreamSynchronize(bench.queue.stream);
       }),
       "pageable host memory");
  says(of_kernel(own_number, 0), "invalid configuration argument");
  says(mishap([] {
         Bench bench(64);
         cudaSetDevice(1);
         launch(bench.queue, "tried", own_number, 1, 64, bench.data);
       }),
       "invalid resource handle");
  says(mishap([] {
         Bench here(64);
         cudaStreamSynchronize(here.queue.stream);
         cudaSetDevice(1);
         Bench there(64);
         launch(there.queue, "tried", own_number, 1, 64, here.data);
         cudaStreamSynchronize(there.queue.stream);
       }),
       "memory of device 0, the stream is of device 1");
  says(mishap([] {
         Bench first(64), second(64);  // the first stream has not run: its memory is not there yet
         launch(second.queue, "tried", own_number, 1, 64, first.data);
         cudaStreamSynchronize(second.queue.stream);
       }),
       "an unborn block");
}
