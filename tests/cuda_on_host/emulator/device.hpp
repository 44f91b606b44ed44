#pragma once
// The emulated machine: two devices, their streams, and what went wrong. Shared by the stand-ins of the libraries.

#include <signal.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda_runtime.h"
#include "emulator/arena.hpp"
#include "emulator/block.hpp"
#include "emulator/control.hpp"
#include "emulator/graph.hpp"

namespace cuda_on_host {

inline constexpr int device_count = 2;

/// A place in a stream. Who waits for it shares it: the event may be recorded anew, or go.
struct Mark {
  cudaStream* stream;
  bool done = false;
};

/// Says whether it is done; if not it waits for others and is tried again, before what is queued behind it.
using Work = std::function<bool()>;

}  // namespace cuda_on_host

struct cudaEvent {
  int device = 0;
  std::shared_ptr<cuda_on_host::Mark> mark;  ///< an event that was never recorded counts as done
  bool captured = false;
};

struct cudaStream {
  int device = 0;
  std::deque<cuda_on_host::Work> queue;
  std::optional<cuda_on_host::Capture> capture;
};

namespace cuda_on_host {

struct Device {
  std::recursive_mutex mutex;
  Arena arena;
  std::map<char*, std::size_t> pinned;  ///< host memory that kernels and copies may use, with its size
  std::uint64_t seed = 1;
  Random random{1};
  std::string fault;
  std::uint64_t digest = 0;
  std::map<void*, std::size_t> asked;  ///< of the device's memory, and not given back
  std::size_t asked_bytes = 0, memory_limit = 0;
  std::size_t kernels = 0, products = 0, waits = 0, launches = 0, graph_launches = 0, instantiations = 0;
  Refusals refusals = Refusals::drawn;
  std::size_t planned_products = 0, algorithms_refused = 0, algorithms_asked_for = 0;

  /// Runs what is queued, in order, while `wanted` says so; the first fault ends it and stays. cudaErrorNotReady where something waits for others.
  cudaError_t drain(cudaStream& stream, const std::function<bool()>& wanted);
  /// The same from within work of another stream. False where something waits for others.
  bool advance(cudaStream& stream, const std::function<bool()>& wanted);
  /// Where the stream is captured it becomes a node.
  cudaError_t enqueue(cudaStream* stream, Node node);
  cudaError_t enqueue_waiting(cudaStream* stream, Work work);
  cudaError_t set_fault(const std::string& text) { return fault = text, refuse(cudaErrorLaunchFailure); }
  cudaError_t refuse(cudaError_t error);
  bool is_pinned(const void* p, std::size_t bytes) const;
};

Device& device();
/// Drains a stream till nothing wanted is left. While something waits for others, the device is theirs.
cudaError_t wait_for(cudaStream& stream, const std::function<bool()>& wanted);
/// Of the calling thread, as the runtime has them.
int& current_device();
cudaError_t& last_error();
/// Makes SIGSEGV open memory or say what was touched. Again before each run: test frameworks take the signal for themselves. The thread's stack for
/// signals is its own again afterwards.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

 private:
  stack_t before_{};
};

}  // namespace cuda_on_host
