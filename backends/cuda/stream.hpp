#pragma once
// What a cuda_backend::stream owns.

#include <cublas_v2.h>

#include "chronotope/backend/cuda_backend.hpp"
#include "memory.hpp"
#include "plans.hpp"
#include "staging.hpp"
#include "status.hpp"

namespace chronotope {

struct cuda_backend::stream::Impl {
  /// A stream of its own where `user_stream` is null.
  Impl(int device, cudaStream_t user_stream);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  cuda::Queue queue() { return {stream, bad_id, &memory}; }
  /// What products use, made at the first call. One at a time does: the stream orders them.
  cuda::Workspace workspace();
  /// The handle of cuBLAS, made at the first call, with the stream's workspace.
  cublasHandle_t blas();
  /// Waits, then throws what went wrong since the last time.
  void wait(const char* operation);
  /// Throws BackendError while a graph is recorded.
  void must_not_record(const char* operation) const;

  int device;
  MathMode math = MathMode::ieee;
  bool owned;
  cudaStream_t stream = nullptr;
  cuda::BadId* bad_id = nullptr;
  cudaError_t failed_free = cudaSuccess;  ///< deallocate may not throw: told at the next wait
  cuda::Memory memory;
  cuda::Staging staging;
  cuda::Plans plans;
  bool recording = false;  ///< a graph (graph.hpp)

 private:
  void release() noexcept;

  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
};

}  // namespace chronotope
