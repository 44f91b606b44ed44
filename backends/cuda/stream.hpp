#pragma once
// What a cuda_backend::stream owns.

#include <cublas_v2.h>

#include "chronotope/backend/cuda_backend.hpp"
#include "staging.hpp"
#include "status.hpp"

namespace chronotope {

struct cuda_backend::stream::Impl {
  /// A stream of its own where `user_stream` is null.
  Impl(int device, cudaStream_t user_stream);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  cuda::Queue queue() const { return {stream, bad_id}; }
  /// The handle of cuBLAS, made at the first call; its scratch memory is the stream's own.
  cublasHandle_t blas();
  /// Waits, then throws what went wrong since the last time.
  void wait(const char* operation);

  int device;
  bool owned;
  cudaStream_t stream = nullptr;
  cuda::BadId* bad_id = nullptr;
  cudaError_t failed_free = cudaSuccess;  ///< deallocate may not throw: told at the next wait
  cuda::Staging staging;

 private:
  void release() noexcept;

  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
};

}  // namespace chronotope

namespace chronotope::cuda {

/// Throws BackendError naming the operation, with cuBLAS's text.
void check(cublasStatus_t status, const char* operation);

}  // namespace chronotope::cuda
