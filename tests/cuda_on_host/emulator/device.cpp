#include "emulator/device.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "emulator/control.hpp"

namespace cuda_on_host {

namespace {

struct sigaction former;

// The stack that ran over cannot be used to say so.
alignas(16) char handler_stack[1 << 16];

void on_fault(int signal, siginfo_t* info, void* context) {
  Device& d = device();
  if (d.arena.open_block_of(info->si_addr)) return;  // the first touch of this run
  const std::string thread = running_thread();
  if (thread.empty() && !d.arena.contains(info->si_addr)) return former.sa_sigaction ? former.sa_sigaction(signal, info, context) : std::_Exit(139);
  const std::string text = stack_overflow(info->si_addr) ? thread + ": stack overflow"
                                                         : (thread.empty() ? "the host" : thread) + " touched " + d.arena.describe(info->si_addr);
  std::fprintf(stderr, "cuda_on_host: %s\n", text.c_str());
  std::fflush(stderr);
  _exit(touched_memory);
}

}  // namespace

Device& device() {
  static Device& one = *new Device;
  return one;
}

int& current_device() {
  thread_local int current = 0;
  return current;
}

cudaError_t& last_error() {
  thread_local cudaError_t last = cudaSuccess;
  return last;
}

MemoryWatch::MemoryWatch() {
  stack_t stack{};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, &before_);
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  struct sigaction before;
  sigaction(SIGSEGV, &action, &before);
  if (before.sa_sigaction != on_fault) former = before;
}
MemoryWatch::~MemoryWatch() { sigaltstack(&before_, nullptr); }

cudaError_t Device::refuse(cudaError_t error) { return last_error() = error; }

bool Device::advance(cudaStream& stream, const std::function<bool()>& wanted) {
  while (!stream.queue.empty() && wanted()) {
    Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (work()) continue;
    stream.queue.push_front(std::move(work));
    return false;
  }
  return true;
}

cudaError_t Device::drain(cudaStream& stream, const std::function<bool()>& wanted) {
  if (!fault.empty()) return refuse(cudaErrorLaunchFailure);
  const MemoryWatch watch;
  bool ended = true;
  arena.open();
  try {
    ended = advance(stream, wanted);
    arena.check_guards();
  } catch (const std::exception& e) {
    fault = e.what();
    stream.queue.clear();
  }
  arena.close();
  if (!fault.empty()) return refuse(cudaErrorLaunchFailure);
  return ended ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t wait_for(cudaStream& stream, const std::function<bool()>& wanted) {
  for (;;) {
    {
      const std::lock_guard<std::recursive_mutex> lock(device().mutex);
      if (const cudaError_t status = device().drain(stream, wanted); status != cudaErrorNotReady) return status;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

cudaError_t Device::enqueue(cudaStream* stream, Node node) {
  const bool launch = node.kind != NodeKind::bookkeeping && node.kind != NodeKind::spoil;  // what a real device is sent
  if (stream && stream->capture && fault.empty() && stream->device == current_device()) return capture_node(*stream, std::move(node));
  const cudaError_t status = enqueue_waiting(stream, [run = std::move(node.run)] { return run(), true; });
  launches += launch && status == cudaSuccess;
  return status;
}

cudaError_t Device::enqueue_waiting(cudaStream* stream, Work work) {
  if (!fault.empty()) return refuse(cudaErrorLaunchFailure);
  if (!stream) return set_fault("work on the legacy default stream");
  if (stream->device != current_device()) return refuse(cudaErrorInvalidResourceHandle);
  if (stream->capture) return unsupported(*stream);  // what waits for others forks; nobody wants that
  stream->queue.push_back(std::move(work));
  return cudaSuccess;
}

bool Device::is_pinned(const void* p, std::size_t bytes) const {
  auto* const at = const_cast<char*>(static_cast<const char*>(p));
  auto found = pinned.upper_bound(at);
  if (found == pinned.begin()) return false;
  --found;
  return at + bytes <= found->first + found->second;
}

void set_seed(std::uint64_t seed) {
  device().seed = seed;
  device().random = Random(seed);
}
std::uint64_t seed() { return device().seed; }
const std::string& fault() { return device().fault; }
void reset() {
  device().fault.clear();
  device().digest = 0;
  last_error() = cudaSuccess;
}
std::uint64_t digest() { return device().digest; }
std::size_t live_blocks() { return device().arena.live(); }
std::size_t live_bytes() { return device().arena.live_bytes(); }
std::size_t peak_bytes() { return device().arena.peak_bytes(); }
void forget_peak() { device().arena.forget_peak(); }
std::size_t kernels_run() { return device().kernels; }
std::size_t products_run() { return device().products; }
std::size_t waits() { return device().waits; }
void limit_memory(std::size_t bytes) { device().memory_limit = bytes; }
std::size_t host_launches() { return device().launches; }
std::size_t graph_launches() { return device().graph_launches; }
std::size_t graphs_instantiated() { return device().instantiations; }

}  // namespace cuda_on_host
