#pragma once
// The emulated machine: two devices, their streams, and what went wrong. Shared by the stand-ins of the libraries.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "cuda_runtime.h"
#include "emulator/arena.hpp"
#include "emulator/block.hpp"
#include "emulator/control.hpp"

struct cudaEvent {
  cudaStream* stream = nullptr;
  bool done = true;  ///< an event that was never recorded counts as done
};

struct cudaStream {
  int device = 0;
  std::deque<std::function<void()>> queue;
};

namespace cuda_on_host {

inline constexpr int device_count = 2;

struct Device {
  std::recursive_mutex mutex;
  Arena arena;
  std::map<char*, std::size_t> pinned;  ///< host memory that kernels and copies may use, with its size
  std::uint64_t seed = 1;
  Random random{1};
  std::string fault;
  cudaError_t last = cudaSuccess;
  std::uint64_t digest = 0;
  std::size_t kernels = 0, products = 0, waits = 0;
  Refusals refusals = Refusals::drawn;
  std::size_t planned_products = 0, algorithms_refused = 0, algorithms_asked_for = 0;

  /// Runs what is queued, in order, while `wanted` says so; the first fault ends it and stays.
  cudaError_t drain(cudaStream& stream, const std::function<bool()>& wanted);
  cudaError_t enqueue(cudaStream* stream, std::function<void()> work);
  cudaError_t refuse(cudaError_t error) { return last = error; }
  bool is_pinned(const void* p, std::size_t bytes) const;
};

Device& device();
/// Of the calling thread, as the runtime has it.
int& current_device();
/// Makes SIGSEGV open memory or say what was touched. Again before each run: test frameworks take the signal for themselves.
void watch_memory();

}  // namespace cuda_on_host
