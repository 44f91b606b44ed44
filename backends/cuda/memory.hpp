#pragma once
// Memory of one stream, which comes and goes in its order: tensors', and the scratch memory of kernels.

#include <cuda_runtime.h>

#include <cstddef>
#include <map>
#include <vector>

namespace chronotope::cuda {

class Recording;

/// While a graph is recorded nothing of this becomes a part of it: what is taken comes from a stream aside, and what is given back goes
/// when the graph has been launched.
class Memory {
 public:
  /// The stream is set before the first use.
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Throws BackendError naming the operation. Scratch memory that is kept goes before an allocation is given up, and a graph that is being
  /// recorded is cut, so that what it keeps from being freed can go too.
  void* allocate(std::size_t bytes, const char* operation);
  cudaError_t deallocate(void* data) noexcept;

  /// At least `bytes`; they are set to what was given. What the kernels queued so far leave there is overwritten by those that follow.
  void* take(std::size_t& bytes, const char* operation);
  /// Kept for later calls of the stream, which come behind those that have used it. Never more than twice what calls have had at once.
  void give_back(void* data, std::size_t bytes) noexcept;
  void trim() noexcept;

  void begin_recording(Recording& recording);
  void end_recording() noexcept;
  /// Frees everything, in the order of the stream.
  void release() noexcept;

  cudaStream_t stream = nullptr;

 private:
  void* take_kept(std::size_t& bytes) noexcept;
  cudaError_t obtain(void** data, std::size_t bytes);

  std::multimap<std::size_t, void*> kept_;
  std::size_t kept_bytes_ = 0, in_use_ = 0, most_in_use_ = 0;  ///< of scratch memory
  Recording* recording_ = nullptr;
  cudaStream_t aside_ = nullptr;
  std::vector<void*> later_;  ///< to be freed when the graph has been launched
};

}  // namespace chronotope::cuda
