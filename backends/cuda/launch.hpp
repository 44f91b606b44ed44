#pragma once
// How kernels are started and what they share. No <<<>>>: these files are compiled by the host compiler too, against the stand-ins
// of tests/cuda_on_host, which bring their own CHRONOTOPE_SHARED, and so few blocks and so small chunks that everything has to loop.

#include <cuda_runtime.h>

#include <cstdint>
#include <tuple>
#include <utility>

#include "chronotope/core/dtype.hpp"

// `T name[N]` in shared memory.
#ifndef CHRONOTOPE_SHARED
#define CHRONOTOPE_SHARED(T, name, N) __shared__ T name[N]
#define CHRONOTOPE_NAME_LAUNCH(name) static_cast<void>(name)
#define CHRONOTOPE_MOST_BLOCKS 8192  // several waves of the largest device
#define CHRONOTOPE_LOGIT_SIDE 4096   // of a square block of logits: 64 MiB of f32
#define CHRONOTOPE_CHUNK_BYTES (64 << 20)  // of scratch at a time, for work in chunks: about what a device caches
#define CHRONOTOPE_TOPK_PART 8192    // columns that a block chooses from, at least
#define CHRONOTOPE_SCRATCH_STEP 256  // of the sizes of scratch memory
#define CHRONOTOPE_SCRATCH_SLACK 2   // how many times as large as asked for it may be
#define CHRONOTOPE_SPOIL(data, bytes, stream) static_cast<void>(0)  // before it is used again
#endif

namespace chronotope::cuda {

/// What of an attention's layout is against the rules.
enum class LayoutPart : std::uint8_t { none, offset, query_row, prefix };

/// An id outside its table, in host memory that kernels can write to; read by the host after the next wait.
struct BadId {
  unsigned found = 0;
  bool scatter = false;
  LayoutPart layout = LayoutPart::none;
  std::int64_t id = 0, position = 0, rows = 0;
};

class Memory;

/// Where kernels go, and where their scratch memory comes from; null: allocated for each call.
struct Queue {
  cudaStream_t stream = nullptr;
  BadId* bad_id = nullptr;
  Memory* memory = nullptr;
};

/// Throws BackendError naming the operation, with CUDA's text.
void check(cudaError_t status, const char* operation);
/// Throws DTypeError.
[[noreturn]] void refuse_dtype(const char* operation, DType dtype);

/// Memory of the device for the kernels of one call, taken and given back in stream order. What is in it is of calls before.
class Scratch {
 public:
  Scratch(const Queue& queue, std::size_t bytes, const char* operation);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T> T* as(std::size_t offset = 0) const { return reinterpret_cast<T*>(static_cast<char*>(data_) + offset); }

 private:
  Queue queue_;
  std::size_t bytes_;
  void* data_ = nullptr;
};

/// `operation` is for messages.
template <class... P, class... A>
void launch(const Queue& queue, const char* operation, void (*kernel)(P...), dim3 grid, dim3 block, const A&... arguments) {
  std::tuple<P...> values(static_cast<P>(arguments)...);
  std::apply(
      [&](auto&... value) {
        void* pointers[] = {&value...};
        CHRONOTOPE_NAME_LAUNCH(operation);
        check(cudaLaunchKernel(kernel, grid, block, pointers, 0, queue.stream), operation);
      },
      values);
}

/// Blocks for `items`, of which each block takes `each`; kernels loop over what is left.
inline unsigned blocks_for(std::int64_t items, std::int64_t each) {
  constexpr std::int64_t most = CHRONOTOPE_MOST_BLOCKS;
  const std::int64_t wanted = (items + each - 1) / each;
  return static_cast<unsigned>(wanted < most ? wanted : most);
}

}  // namespace chronotope::cuda
