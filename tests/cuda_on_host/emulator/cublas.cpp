// The functions of include/cublas_v2.h, as strict as its documentation.
#include <cublas_v2.h>

#include "emulator/control.hpp"
#include "emulator/device.hpp"
#include "emulator/gemm.hpp"

using namespace cuda_on_host;

struct cublasContext {
  cudaStream* stream = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

using Lock = std::lock_guard<std::recursive_mutex>;

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed";
    case CUBLAS_STATUS_ARCH_MISMATCH: return "the requested functionality requires a feature absent from the device";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "the requested functionality is not supported";
    case CUBLAS_STATUS_EXECUTION_FAILED: return device().fault.c_str();
  }
  return "unknown status";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (captures_of_thread() > 0) return CUBLAS_STATUS_NOT_INITIALIZED;  // it takes memory, and may wait
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

cublasStatus_t cublasGemmStridedBatchedEx_64(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, std::int64_t m, std::int64_t n,
                                             std::int64_t k, const void* alpha, const void* a, cudaDataType_t type_a, std::int64_t lda,
                                             std::int64_t stride_a, const void* b, cudaDataType_t type_b, std::int64_t ldb, std::int64_t stride_b,
                                             const void* beta, void* c, cudaDataType_t type_c, std::int64_t ldc, std::int64_t stride_c,
                                             std::int64_t count, cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const GemmCall call{{a, op_a, lda, stride_a}, {b, op_b, ldb, stride_b}, {c, CUBLAS_OP_N, ldc, stride_c}, m, n, k, count, type_a, type_c, compute, alpha, beta};
  if (!call.valid() || type_b != type_a || !call.supported()) return CUBLAS_STATUS_INVALID_VALUE;
  const Lock lock(device().mutex);
  const int on = handle->stream ? handle->stream->device : 0;
  const auto work = [run = call.prepared("cuBLAS"), on, workspace = handle->workspace, bytes = handle->workspace_bytes] {
    if (!workspace) throw Fault("cuBLAS without a workspace: it would take its own, which other streams share");
    device().arena.check_inside(workspace, bytes, on, "cuBLAS, workspace");
    run(on);
    ++device().products;
  };
  return device().enqueue(handle->stream, {NodeKind::product, call.kernel(), work}) == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
