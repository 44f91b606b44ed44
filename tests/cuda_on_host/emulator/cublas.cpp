// The functions of include/cublas_v2.h, as strict as its documentation: leading dimensions, and every matrix inside one block.
#include <cublas_v2.h>

#include <algorithm>

#include "emulator/control.hpp"
#include "emulator/device.hpp"

using namespace cuda_on_host;

struct cublasContext {
  cudaStream* stream = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

/// By columns; `op` says whether what is multiplied is its transpose.
template <class T> struct Matrices {
  T* data;
  std::int64_t rows, columns, pitch, step;
  bool transposed;
  T& at(std::int64_t batch, std::int64_t i, std::int64_t j) const { return data[batch * step + (transposed ? j + i * pitch : i + j * pitch)]; }

  void check(std::int64_t count, int on, const char* which) const {
    for (std::int64_t batch = 0; batch < count; ++batch)
      device().arena.check_inside(data + batch * step, static_cast<std::size_t>((columns - 1) * pitch + rows) * sizeof(T), on,
                                  std::string("cuBLAS, matrix ") + which);
  }
};

template <class T> struct Gemm {
  Matrices<const T> a, b;
  Matrices<T> c;
  std::int64_t m, n, k, count;
  T alpha, beta;

  void run(int on) const {
    a.check(count, on, "A");
    b.check(count, on, "B");
    c.check(count, on, "C");
    for (std::int64_t batch = 0; batch < count; ++batch)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t i = 0; i < m; ++i) {
          double sum = 0;
          for (std::int64_t x = 0; x < k; ++x) sum += static_cast<double>(a.at(batch, i, x)) * static_cast<double>(b.at(batch, x, j));
          T& to = c.at(batch, i, j);
          const double scaled = static_cast<double>(alpha) * sum;
          to = static_cast<T>(beta == 0 ? scaled : scaled + static_cast<double>(beta) * static_cast<double>(to));
        }
  }
};

}  // namespace

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed";
    case CUBLAS_STATUS_EXECUTION_FAILED: return device().fault.c_str();
  }
  return "unknown status";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  *handle = {stream, nullptr, 0};  // takes the workspace away, as the documentation says
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

template <class T> cublasStatus_t enqueue(cublasHandle_t handle, const Gemm<T>& gemm) {
  const Lock lock(device().mutex);
  cudaStream* const stream = handle->stream;
  const int on = stream ? stream->device : 0;
  const auto work = [gemm, on, workspace = handle->workspace, bytes = handle->workspace_bytes] {
    if (!workspace) throw Fault("cuBLAS without a workspace: it would take its own, which other streams share");
    device().arena.check_inside(workspace, bytes, on, "cuBLAS, workspace");
    gemm.run(on);
    ++device().products;
  };
  return device().enqueue(stream, work) == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasGemmStridedBatchedEx_64(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, std::int64_t m, std::int64_t n,
                                             std::int64_t k, const void* alpha, const void* a, cudaDataType_t type_a, std::int64_t lda,
                                             std::int64_t stride_a, const void* b, cudaDataType_t type_b, std::int64_t ldb, std::int64_t stride_b,
                                             const void* beta, void* c, cudaDataType_t type_c, std::int64_t ldc, std::int64_t stride_c,
                                             std::int64_t count, cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool ta = op_a == CUBLAS_OP_T, tb = op_b == CUBLAS_OP_T;
  const std::int64_t rows_a = ta ? k : m, rows_b = tb ? n : k;
  const bool pitches = lda >= std::max<std::int64_t>(1, rows_a) && ldb >= std::max<std::int64_t>(1, rows_b) && ldc >= std::max<std::int64_t>(1, m);
  const bool types = type_a == type_c && type_b == type_c && compute == (type_c == CUDA_R_32F ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F);
  const bool overlap = count > 1 && stride_c < (n - 1) * ldc + m && !(ldc >= m * count);  // matrices of C must not share elements
  if (m < 1 || n < 1 || k < 1 || count < 1 || !pitches || !types || overlap) return CUBLAS_STATUS_INVALID_VALUE;
  const auto make = [&](auto zero) {
    using T = decltype(zero);
    return Gemm<T>{{static_cast<const T*>(a), rows_a, ta ? m : k, lda, stride_a, ta},
                   {static_cast<const T*>(b), rows_b, tb ? k : n, ldb, stride_b, tb},
                   {static_cast<T*>(c), m, n, ldc, stride_c, false},
                   m, n, k, count, *static_cast<const T*>(alpha), *static_cast<const T*>(beta)};
  };
  return type_c == CUDA_R_32F ? enqueue(handle, make(float{})) : enqueue(handle, make(double{}));
}
