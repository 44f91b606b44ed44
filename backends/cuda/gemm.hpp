#pragma once
// A batch of products as cuBLAS and cuBLASLt are told of it: by columns.

#include <cublas_v2.h>

#include <cstddef>
#include <cstdint>

namespace chronotope::cuda {

/// Throws BackendError naming the operation, with cuBLAS's text.
void check(cublasStatus_t status, const char* operation);

/// d [m, n] = op(a) [m, k] op(b) [k, n] + beta d, plus the bias [m] in each column where there is one.
struct Gemm {
  struct Matrix {
    char* data;
    cublasOperation_t transposition;
    std::int64_t pitch, step;  ///< elements from one column to the next, and from one matrix of the batch to the next
  };
  Matrix d, a, b;
  std::int64_t m, n, k, count;
  cudaDataType_t in, out;  ///< types of a and b, and of d
  cublasComputeType_t compute;
  double beta;
  const void* bias = nullptr;
};

/// 1 and beta in the type that cuBLAS scales with: that of d.
struct Scales {
  explicit Scales(const Gemm& g) : single(g.out == CUDA_R_32F), narrow{1, static_cast<float>(g.beta)}, wide{1, g.beta} {}
  const void* one() const { return single ? static_cast<const void*>(&narrow[0]) : &wide[0]; }
  const void* beta() const { return single ? static_cast<const void*>(&narrow[1]) : &wide[1]; }

  bool single;
  float narrow[2];
  double wide[2];
};

}  // namespace chronotope::cuda
