#pragma once
// Uploads go through pinned memory of the stream's own: the user's memory is free when upload returns, whatever kind of
// memory it is, and the copy to the device still is asynchronous.

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

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

  /// While a graph is recorded no upload waits: the ring grows. Its copies are under way from the end on.
  void begin_recording() { recording_ = true; }
  void end_recording(cudaStream_t stream) noexcept;

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{4} << 20, alignment = 64, usual_buffers = 4;
  struct Buffer {
    char* data = nullptr;
    std::size_t used = 0;
    cudaEvent_t left = nullptr;  ///< after the last copy from it
    bool recorded = false;       ///< full of copies that a graph will make
  };
  void next_buffer(cudaStream_t stream);
  /// Index of a buffer that no copy reads, the one after the current first; waits for that unless a graph is recorded.
  std::size_t free_buffer();
  std::size_t add_buffer();

  std::vector<Buffer> ring_;
  std::size_t current_ = 0;
  bool recording_ = false;
};

}  // namespace chronotope::cuda
