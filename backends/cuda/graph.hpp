#pragma once
// Graphs: what a piece of host code queues on a stream, sent to the device at once.

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

#include "stream.hpp"

namespace chronotope {

/// What was instantiated, the last used first. A graph recorded later takes the place of an equal one's arguments, which costs less than
/// instantiating it.
struct cuda_backend::graph::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();
  void launch(cudaGraph_t recorded, cudaStream_t stream);

  struct Executable {
    std::size_t nodes;
    cudaGraphExec_t exec;
  };
  static constexpr std::size_t most = 8;
  std::vector<Executable> kept;
  std::size_t made = 0;
};

}  // namespace chronotope

namespace chronotope::cuda {

/// Records from here on. Unless launch() was called, what was recorded is forgotten in the end, as if it had never been queued.
class Recording {
 public:
  Recording(cuda_backend::stream::Impl& stream, cuda_backend::graph::Impl& graph);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void launch();
  /// Launches what there is and records on.
  void cut();

 private:
  void begin();
  /// Null where the recording failed; the stream is as it was before it.
  cudaGraph_t end(cudaError_t& status) noexcept;
  void let_go() noexcept;

  cuda_backend::stream::Impl& stream_;
  cuda_backend::graph::Impl& graph_;
  bool capturing_ = false;
};

}  // namespace chronotope::cuda
