#pragma once
// What an onednn_backend::stream owns (thread count, scratch memory) and how kernels use its threads.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "chronotope/backend/onednn_backend.hpp"

namespace chronotope::onednn {

/// Bytes from the heap, aligned to 64, or to 2 MiB with huge pages asked for when the block is large.
/// Throws BackendError when there are none. To be freed by std::free.
void* aligned_bytes(std::size_t bytes);

/// Owners of scratch memory. A slot serves one kernel at a time, so whoever calls another kernel while holding scratch
/// memory must hold a slot that the other one leaves alone. gemm() uses none, matmul Slot::matmul_*.
enum class Slot : std::uint8_t {
  matmul_a,
  matmul_b,
  matmul_out,  // operands made dense
  partial,     // partial sums of the threads
  attention,
  attention_2,
  cross_entropy,
  cross_entropy_2,
  networks,  // of linear, hmin, the forgetting mask and pointer scores
  count
};

/// Memory that grows and is not given back before the stream dies.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// At least `bytes`, 64-byte aligned, contents undefined; earlier pointers of this slot die when it grows.
  void* get(Slot slot, std::size_t bytes);

 private:
  struct Block {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  std::array<Block, static_cast<std::size_t>(Slot::count)> blocks_;
};

}  // namespace chronotope::onednn

namespace chronotope {

struct onednn_backend::stream::Impl {
  explicit Impl(int thread_count) : threads(thread_count) {}

  float* floats(onednn::Slot slot, std::int64_t n) {
    return static_cast<float*>(scratch.get(slot, static_cast<std::size_t>(n) * sizeof(float)));
  }
  double* doubles(onednn::Slot slot, std::int64_t n) {
    return static_cast<double*>(scratch.get(slot, static_cast<std::size_t>(n) * sizeof(double)));
  }

  int threads;
  onednn::Scratch scratch;
};

}  // namespace chronotope

namespace chronotope::onednn {

using Impl = onednn_backend::stream::Impl;

/// Work below this many elements is done by the caller: waking a team costs more than it saves.
inline constexpr std::int64_t serial_elements = 32768;

/// Parts that parallel() makes of `items`.
inline int part_count(const Impl& impl, std::int64_t items, std::int64_t grain = 1) {
  return static_cast<int>(std::min<std::int64_t>(impl.threads, (items + grain - 1) / grain));
}

/// Splits [0, items) into one contiguous part a thread and calls f(begin, end, part) for each; inner bounds are
/// multiples of `grain`. `elements` is the amount of work that decides whether threads pay.
/// The parts depend on impl.threads alone, never on how many threads OpenMP grants: results are reproducible even
/// inside somebody else's parallel region. f must not throw.
template <class F>
void parallel(const Impl& impl, std::int64_t items, std::int64_t elements, std::int64_t grain, F&& f) {
  const std::int64_t blocks = (items + grain - 1) / grain;
  const int parts = part_count(impl, items, grain);
  const auto part = [&](int i) { f(blocks * i / parts * grain, std::min(blocks * (i + 1) / parts * grain, items), i); };
  if (elements < serial_elements || parts < 2) {
    for (int i = 0; i < parts; ++i) part(i);
    return;
  }
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int i = 0; i < parts; ++i) part(i);
}

template <class F> void parallel(const Impl& impl, std::int64_t items, std::int64_t elements, F&& f) {
  parallel(impl, items, elements, 1, f);
}

}  // namespace chronotope::onednn
