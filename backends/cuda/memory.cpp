#include "memory.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "graph.hpp"
#include "status.hpp"

namespace chronotope::cuda {

Scratch::Scratch(const Queue& queue, std::size_t bytes, const char* operation) : queue_(queue), bytes_(bytes) {
  if (bytes == 0) return;
  if (queue.memory) data_ = queue.memory->take(bytes_, operation);
  else check(cudaMallocAsync(&data_, bytes, queue.stream), operation);
}

// A failure here was one of the stream, which fails again when it is waited for.
Scratch::~Scratch() {
  if (!data_) return;
  if (queue_.memory) queue_.memory->give_back(data_, bytes_);
  else cudaFreeAsync(data_, queue_.stream);
}

cudaError_t Memory::obtain(void** data, std::size_t bytes) {
  if (!recording_) return cudaMallocAsync(data, bytes, stream);
  const cudaError_t status = cudaMallocAsync(data, bytes, aside_);
  return status == cudaSuccess ? cudaStreamSynchronize(aside_) : status;  // there for every stream then
}

void* Memory::allocate(std::size_t bytes, const char* operation) {
  void* data = nullptr;
  cudaError_t status = obtain(&data, bytes);
  if (status == cudaErrorMemoryAllocation && (kept_bytes_ > 0 || !later_.empty())) {
    cudaGetLastError();
    trim();
    if (recording_) recording_->cut();
    status = obtain(&data, bytes);
  }
  check(status, operation);
  return data;
}

cudaError_t Memory::deallocate(void* data) noexcept {
  if (!recording_) return cudaFreeAsync(data, stream);
  try {
    later_.push_back(data);
    return cudaSuccess;
  } catch (...) {
    return cudaErrorMemoryAllocation;
  }
}

void* Memory::take(std::size_t& bytes, const char* operation) {
  constexpr std::size_t step = CHRONOTOPE_SCRATCH_STEP;
  bytes = (bytes + step - 1) / step * step;
  void* data = take_kept(bytes);
  if (!data) {
    if (kept_bytes_ > most_in_use_) trim();  // sizes keep changing: do not hoard
    data = allocate(bytes, (std::string(operation) + ": " + std::to_string(bytes) + " bytes of scratch memory").c_str());
  }
  in_use_ += bytes;
  most_in_use_ = std::max(most_in_use_, in_use_);
  return data;
}

/// The smallest that fits and is not much larger.
void* Memory::take_kept(std::size_t& bytes) noexcept {
  const auto found = kept_.lower_bound(bytes);
  if (found == kept_.end() || found->first > CHRONOTOPE_SCRATCH_SLACK * bytes) return nullptr;
  bytes = found->first;
  kept_bytes_ -= bytes;
  void* const data = found->second;
  kept_.erase(found);
  CHRONOTOPE_SPOIL(data, bytes, stream);
  return data;
}

void Memory::give_back(void* data, std::size_t bytes) noexcept {
  in_use_ -= bytes;
  try {
    kept_.emplace(bytes, data);
    kept_bytes_ += bytes;
  } catch (...) {
    deallocate(data);
  }
}

void Memory::trim() noexcept {
  for (const auto& [size, data] : kept_) deallocate(data);
  kept_.clear();
  kept_bytes_ = 0;
}

void Memory::begin_recording(Recording& recording) {
  if (!aside_) check(cudaStreamCreateWithFlags(&aside_, cudaStreamNonBlocking), "as_graph");
  recording_ = &recording;
}

void Memory::end_recording() noexcept {
  recording_ = nullptr;
  for (void* const data : std::exchange(later_, {})) cudaFreeAsync(data, stream);
}

void Memory::release() noexcept {
  trim();
  if (aside_) cudaStreamDestroy(aside_);
}

}  // namespace chronotope::cuda
