#include "staging.hpp"

#include <algorithm>
#include <cstring>

#include "status.hpp"

namespace chronotope::cuda {

Staging::~Staging() {
  for (const Buffer& buffer : ring_) {
    if (buffer.left) cudaEventDestroy(buffer.left);
    if (buffer.data) cudaFreeHost(buffer.data);
  }
}

void Staging::next_buffer(cudaStream_t stream) {
  if (!ring_.empty()) {
    Buffer& full = ring_[current_];
    if (recording_) full.recorded = true;  // an event would become a part of the graph
    else check(cudaEventRecord(full.left, stream), "upload");
  }
  current_ = free_buffer();
  ring_[current_].used = 0;
}

std::size_t Staging::free_buffer() {
  if (ring_.size() < usual_buffers) return add_buffer();
  const std::size_t next = (current_ + 1) % ring_.size();
  if (!recording_) {
    check(cudaEventSynchronize(ring_[next].left), "upload");
    return next;
  }
  if (ring_[next].recorded) return add_buffer();
  const cudaError_t status = cudaEventQuery(ring_[next].left);
  if (status == cudaSuccess) return next;
  if (status != cudaErrorNotReady) check(status, "upload");
  cudaGetLastError();  // not being ready is no error to others
  return add_buffer();
}

/// Behind the current one.
std::size_t Staging::add_buffer() {
  const std::size_t at = ring_.empty() ? 0 : current_ + 1;
  ring_.reserve(ring_.size() + 1);
  Buffer buffer;
  check(cudaEventCreateWithFlags(&buffer.left, cudaEventDisableTiming), "upload");
  const cudaError_t status = cudaHostAlloc(reinterpret_cast<void**>(&buffer.data), buffer_bytes, cudaHostAllocDefault);
  if (status != cudaSuccess) cudaEventDestroy(buffer.left);
  check(status, "upload");
  ring_.insert(ring_.begin() + static_cast<std::ptrdiff_t>(at), buffer);
  return at;
}

void Staging::upload(cudaStream_t stream, void* device, const void* host, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    if (ring_.empty() || ring_[current_].used == buffer_bytes) next_buffer(stream);
    Buffer& buffer = ring_[current_];
    const std::size_t piece = std::min(bytes - done, buffer_bytes - buffer.used);
    std::memcpy(buffer.data + buffer.used, static_cast<const char*>(host) + done, piece);
    check(cudaMemcpyAsync(static_cast<char*>(device) + done, buffer.data + buffer.used, piece, cudaMemcpyHostToDevice, stream), "upload");
    buffer.used = std::min(buffer_bytes, (buffer.used + piece + alignment - 1) / alignment * alignment);
    done += piece;
  }
}

// Where an event cannot be recorded the stream has failed, and is not used on.
void Staging::end_recording(cudaStream_t stream) noexcept {
  recording_ = false;
  for (Buffer& buffer : ring_)
    if (buffer.recorded && cudaEventRecord(buffer.left, stream) == cudaSuccess) buffer.recorded = false;
}

}  // namespace chronotope::cuda
