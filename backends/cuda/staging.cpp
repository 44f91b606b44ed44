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
  if (ring_[current_].data) {
    check(cudaEventRecord(ring_[current_].left, stream), "upload");
    current_ = (current_ + 1) % ring_.size();
  }
  Buffer& buffer = ring_[current_];
  if (!buffer.left) check(cudaEventCreateWithFlags(&buffer.left, cudaEventDisableTiming), "upload");
  if (buffer.data) check(cudaEventSynchronize(buffer.left), "upload");
  else check(cudaHostAlloc(reinterpret_cast<void**>(&buffer.data), buffer_bytes, cudaHostAllocDefault), "upload");
  buffer.used = 0;
}

void Staging::upload(cudaStream_t stream, void* device, const void* host, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    if (!ring_[current_].data || ring_[current_].used == buffer_bytes) next_buffer(stream);
    Buffer& buffer = ring_[current_];
    const std::size_t piece = std::min(bytes - done, buffer_bytes - buffer.used);
    std::memcpy(buffer.data + buffer.used, static_cast<const char*>(host) + done, piece);
    check(cudaMemcpyAsync(static_cast<char*>(device) + done, buffer.data + buffer.used, piece, cudaMemcpyHostToDevice, stream), "upload");
    buffer.used = std::min(buffer_bytes, (buffer.used + piece + alignment - 1) / alignment * alignment);
    done += piece;
  }
}

}  // namespace chronotope::cuda
