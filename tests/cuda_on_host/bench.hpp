#pragma once
// What tests of the emulator itself share: a few integers on the device, kernels that touch them, and what a mishap must say.
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include <string>
#include <vector>

#include "cuda/launch.hpp"
#include "mishap.hpp"

namespace cuda_on_host {

using namespace chronotope::cuda;

/// A stream and n integers on the device.
struct Bench {
  Queue queue;
  int* data = nullptr;
  std::size_t n;

  explicit Bench(std::size_t size) : n(size) {
    REQUIRE(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking) == cudaSuccess);
    REQUIRE(cudaMallocAsync(reinterpret_cast<void**>(&data), n * sizeof(int), queue.stream) == cudaSuccess);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { cudaStreamDestroy(queue.stream); }

  std::vector<int> fetch() {
    std::vector<int> host(n);
    cudaMemcpyAsync(host.data(), data, n * sizeof(int), cudaMemcpyDeviceToHost, queue.stream);
    cudaStreamSynchronize(queue.stream);
    return host;
  }
};

inline bool says(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return true;
}

__global__ inline void write_at(int* data, int offset) {
  if (threadIdx.x == 0) data[offset] = 7;
}

__global__ inline void read_at(int* data, int offset) {
  if (threadIdx.x == 0) data[0] = data[offset];
}

__global__ inline void own_number(int* data) { data[blockIdx.x * 64 + threadIdx.x] = static_cast<int>(blockIdx.x * 64 + threadIdx.x); }

}  // namespace cuda_on_host
