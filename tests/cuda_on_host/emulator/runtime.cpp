// The functions of include/cuda_runtime.h.
#include <cstdlib>
#include <cstring>

#include "emulator/control.hpp"
#include "emulator/device.hpp"

using namespace cuda_on_host;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

thread_local const char* launch_name = nullptr;

cudaError_t invalid(bool when) { return when ? device().refuse(cudaErrorInvalidValue) : cudaSuccess; }

void add_to_digest(const void* bytes, std::size_t n) {
  const auto* const p = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < n; ++i) device().digest = (device().digest ^ p[i]) * 0x100000001B3u;  // FNV-1a
}

void run(const Kernel& kernel, int on) {
  Device& d = device();
  for (const void* p : kernel.pointers)
    if (p && !d.is_pinned(p, 1)) d.arena.check_pointer(p, on, "kernel " + kernel.name);
  run_kernel(kernel, d.random);
  ++d.kernels;
  try {
    d.arena.check_guards();
  } catch (const Fault& f) {
    throw Fault("kernel " + kernel.name + ": " + f.what());
  }
}

}  // namespace

namespace cuda_on_host {

void name_launch(const char* name) { launch_name = name; }
std::string take_launch_name() {
  const char* const name = launch_name ? launch_name : "without a name";
  launch_name = nullptr;
  return name;
}

void spoil(void* data, std::size_t bytes, cudaStream* stream) {
  const Lock lock(device().mutex);
  const int on = stream ? stream->device : 0;
  const auto fill = [=] {
    device().arena.check_inside(data, bytes, on, "spoil");
    std::memset(data, 0xFF, bytes);
  };
  device().enqueue(stream, {NodeKind::spoil, nullptr, fill});
}

bool enqueue_kernel(Kernel kernel, cudaStream* stream) {
  const Lock lock(device().mutex);
  const dim3 &g = kernel.grid, &b = kernel.block;
  const bool grid_fits = g.x >= 1 && g.x <= 0x7FFFFFFF && g.y >= 1 && g.y <= 65535 && g.z >= 1 && g.z <= 65535;
  const bool block_fits = b.x >= 1 && b.y >= 1 && b.z >= 1 && b.z <= 64 && std::uint64_t{b.x} * b.y * b.z <= 1024;
  if (!grid_fits || !block_fits) {
    device().refuse(cudaErrorInvalidConfiguration);
    return false;
  }
  const int on = stream ? stream->device : 0;
  const void* const function = kernel.function;
  return device().enqueue(stream, {NodeKind::kernel, function, [kernel = std::move(kernel), on] { run(kernel, on); }}) == cudaSuccess;
}

}  // namespace cuda_on_host

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorLaunchFailure: return device().fault.c_str();
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
    case cudaErrorStreamCaptureUnmatched: return "capture was not initiated in this stream";
    case cudaErrorCapturedEvent: return "operation not permitted on an event last recorded in a capturing stream";
    case cudaErrorGraphExecUpdateFailure: return "the graph update was not performed because it included changes which violated constraints specific to instantiated graph update";
  }
  return "unknown error";
}

cudaError_t cudaGetLastError() { return std::exchange(last_error(), cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device_count;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* current) {
  *current = current_device();
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int wanted) {
  if (wanted < 0 || wanted >= device_count) return device().refuse(cudaErrorInvalidDevice);
  current_device() = wanted;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking) return invalid(true);  // the other kind waits for the legacy default stream
  *stream = new cudaStream{current_device(), {}, {}};
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) { return cudaStreamCreateWithFlags(stream, flags); }
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0, *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  {
    const Lock lock(device().mutex);
    if (stream->capture) return unsupported(*stream);
  }
  const cudaError_t status = wait_for(*stream, [] { return true; });
  delete stream;
  return status;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  {
    const Lock lock(device().mutex);
    if (stream->capture) return unsupported(*stream);
    ++device().waits;
  }
  return wait_for(*stream, [] { return true; });
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (stream->capture) return unsupported(*stream);
  if (stream->queue.empty() && device().fault.empty()) return cudaSuccess;
  const cudaError_t status = device().drain(*stream, [] { return true; });
  return device().refuse(status == cudaSuccess ? cudaErrorNotReady : status);  // work was under way when it was asked
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  const Lock lock(device().mutex);
  if (flags != 0) return invalid(true);
  if (!event->mark) return cudaSuccess;
  return device().enqueue_waiting(stream, [mark = event->mark] { return mark->done || device().advance(*mark->stream, [&] { return !mark->done; }); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new cudaEvent{current_device(), nullptr};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (stream && stream->device != event->device) return device().refuse(cudaErrorInvalidResourceHandle);
  event->captured = stream && stream->capture;  // then it only orders what is captured
  if (event->captured) return cudaSuccess;
  const auto mark = event->mark = std::make_shared<Mark>(Mark{stream});
  return device().enqueue(stream, {NodeKind::bookkeeping, nullptr, [mark] { mark->done = true; }});
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(device().mutex);
  if (event->captured) return device().refuse(cudaErrorCapturedEvent);
  return !event->mark || event->mark->done ? cudaSuccess : device().refuse(cudaErrorNotReady);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  std::shared_ptr<Mark> mark;
  {
    const Lock lock(device().mutex);
    if (event->captured) return device().refuse(cudaErrorCapturedEvent);
    if (mark = event->mark; !mark || mark->done) return cudaSuccess;
  }
  return wait_for(*mark->stream, [&] { return !mark->done; });
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  const Lock lock(device().mutex);
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return device().refuse(cudaErrorMemoryAllocation);
  std::memset(*memory, 0xFF, bytes);
  device().pinned[static_cast<char*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  const Lock lock(device().mutex);
  if (captures_of_thread() > 0) return device().refuse(cudaErrorStreamCaptureUnsupported);  // it might wait, and a graph read what is freed
  if (device().pinned.erase(static_cast<char*>(memory)) == 0) return invalid(true);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (!device().fault.empty()) return device().refuse(cudaErrorLaunchFailure);
  if (stream && stream->capture) return device().set_fault("an allocation in a captured stream: it would become a node of the graph");
  Device& d = device();
  if (d.memory_limit > 0 && d.asked_bytes + bytes > d.memory_limit) return d.refuse(cudaErrorMemoryAllocation);
  void* const block = d.arena.reserve(bytes, stream ? stream->device : 0, d.random.next());
  if (!block) return d.refuse(cudaErrorMemoryAllocation);
  d.asked[block] = bytes, d.asked_bytes += bytes;
  *memory = block;
  return device().enqueue(stream, {NodeKind::bookkeeping, nullptr, [block] { device().arena.begin_life(block); }});
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (stream && stream->capture) return device().set_fault("a free in a captured stream: it would become a node of the graph");
  if (const auto asked = device().asked.extract(memory)) device().asked_bytes -= asked.mapped();
  return device().enqueue(stream, {NodeKind::bookkeeping, nullptr, [memory] { device().arena.end_life(memory); }});
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const Lock lock(device().mutex);
  const int on = stream ? stream->device : 0;
  static constexpr char kinds[4] = {};
  const auto copy = [=] {
    Device& d = device();
    if (kind != cudaMemcpyHostToDevice) d.arena.check_inside(from, bytes, on, "copy from the device");
    if (kind != cudaMemcpyDeviceToHost) d.arena.check_inside(to, bytes, on, "copy to the device");
    if (kind == cudaMemcpyHostToDevice && !d.is_pinned(from, bytes))
      throw Fault("asynchronous copy from pageable host memory: whether it is read before the call returns is not said");
    if (kind == cudaMemcpyDeviceToHost && d.arena.contains(to)) throw Fault("copy to the host, but it goes to the device");
    std::memmove(to, from, bytes);
    if (kind == cudaMemcpyDeviceToHost) add_to_digest(from, bytes);
  };
  return device().enqueue(stream, {NodeKind::copy, &kinds[kind], copy});
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const Lock lock(device().mutex);
  const int on = stream ? stream->device : 0;
  const auto set = [=] {
    device().arena.check_inside(to, bytes, on, "memset");
    std::memset(to, value, bytes);
  };
  return device().enqueue(stream, {NodeKind::memset, nullptr, set});
}
