#pragma once
// Uploads go through pinned memory of the stream's own: the user's memory is free when upload returns, whatever kind of
// memory it is, and the copy to the device still is asynchronous.

#include <cuda_runtime.h>

#include <array>
#include <cstddef>

namespace chronotope::cuda {

class Staging {
 public:
  Staging() = default;
  /// The stream must have been waited for.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Waits only when the ring is full of copies under way.
  void upload(cudaStream_t stream, void* device, const void* host, std::size_t bytes);

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{4} << 20, alignment = 64;
  struct Buffer {
    char* data = nullptr;
    std::size_t used = 0;
    cudaEvent_t left = nullptr;  ///< after the last copy from it
  };
  void next_buffer(cudaStream_t stream);

  std::array<Buffer, 4> ring_;
  std::size_t current_ = 0;
};

}  // namespace chronotope::cuda
