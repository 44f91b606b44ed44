// The functions of include/cublasLt.h, as strict as its documentation. A call that no GPU could make sense of also is a fault, because
// the caller may take its status for one more algorithm that is refused.
#include <cublasLt.h>

#include <array>
#include <cstring>

#include "emulator/control.hpp"
#include "emulator/gemm.hpp"

using namespace cuda_on_host;

struct cublasLtContext {
  int device;
};
struct cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  std::int32_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t pitch;
  std::int32_t count = 1;
  std::int64_t step = 0;
};
struct cublasLtMatmulPreferenceOpaque_t {
  std::uint64_t workspace = 0;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint32_t alignment[4] = {256, 256, 256, 256};  ///< of A, B, C and D
};

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;
using Layout = const cublasLtMatrixLayoutOpaque_t&;

cublasStatus_t misuse(const std::string& what) {
  const Lock lock(device().mutex);
  if (device().fault.empty()) device().fault = "cuBLASLt: " + what;
  return CUBLAS_STATUS_INVALID_VALUE;
}

template <class T> cublasStatus_t store(T& to, const void* value, std::size_t bytes) {
  if (!value || bytes != sizeof(T)) return misuse("an attribute of another size");
  std::memcpy(&to, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

/// What is multiplied, as far as descriptors say it.
GemmCall call_of(const cublasLtMatmulDescOpaque_t& operation, Layout a, Layout b, Layout d) {
  const auto side = [](Layout of, std::int32_t op) { return GemmCall::Side{nullptr, static_cast<cublasOperation_t>(op), of.pitch, of.step}; };
  const std::uint64_t k = operation.op_a == CUBLAS_OP_T ? a.rows : a.columns;
  return {side(a, operation.op_a), side(b, operation.op_b), side(d, CUBLAS_OP_N), static_cast<std::int64_t>(d.rows), static_cast<std::int64_t>(d.columns),
          static_cast<std::int64_t>(k), d.count, a.type, d.type, operation.compute, nullptr, nullptr, operation.bias};
}

bool agree(const cublasLtMatmulDescOpaque_t& operation, Layout a, Layout b, Layout c, Layout d) {
  const bool ta = operation.op_a == CUBLAS_OP_T, tb = operation.op_b == CUBLAS_OP_T;
  return (ta ? a.columns : a.rows) == d.rows && (tb ? b.rows : b.columns) == d.columns && (ta ? a.rows : a.columns) == (tb ? b.columns : b.rows) &&
         a.type == b.type && a.count == d.count && b.count == d.count && std::memcmp(&c, &d, sizeof c) == 0 && operation.scale == d.type &&
         (operation.epilogue == CUBLASLT_EPILOGUE_BIAS) == (operation.bias != nullptr);
}

std::uint32_t alignment_of(const void* p) {
  std::uint32_t alignment = 256;
  while (reinterpret_cast<std::uintptr_t>(p) % alignment != 0) alignment /= 2;
  return alignment;
}

/// The number of a product that descriptors describe, but for where it lies.
std::uint64_t number_of(const GemmCall& call, bool biased) {
  std::uint64_t number = 0xCBF29CE484222325u;  // FNV-1a
  for (const std::int64_t x : {call.m, call.n, call.k, call.count, call.a.pitch, call.b.pitch, call.c.pitch, call.a.step, call.b.step, call.c.step,
                               std::int64_t{call.a.op}, std::int64_t{call.b.op}, std::int64_t{call.in}, std::int64_t{call.out},
                               std::int64_t{call.compute}, std::int64_t{biased}})
    number = (number ^ static_cast<std::uint64_t>(x)) * 0x100000001B3u;
  return number;
}

/// What an algorithm is good for. The draw says whether it will be refused: never more often than at the first try.
struct Algorithm {
  std::uint64_t number, workspace;
  std::uint32_t alignment[4], bias_alignment;
  bool refused;
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

}  // namespace

namespace cuda_on_host {

void set_refusals(Refusals which) { device().refusals = which; }
std::size_t planned_products_run() { return device().planned_products; }
std::size_t algorithms_refused() { return device().algorithms_refused; }
std::size_t algorithms_asked_for() { return device().algorithms_asked_for; }

}  // namespace cuda_on_host

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext{current_device()};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  const bool here = handle->device == current_device();
  delete handle;
  return here ? CUBLAS_STATUS_SUCCESS : misuse("a handle is destroyed on another device");
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute, cudaDataType_t scale) {
  *made = new cublasLtMatmulDescOpaque_t{compute, scale};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t of, cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return store(of->op_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return store(of->op_b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return store(of->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return store(of->bias, value, bytes);
  }
  return misuse("an unknown attribute of a product");
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType_t type, std::uint64_t rows, std::uint64_t columns,
                                          std::int64_t pitch) {
  if (pitch < 0 || static_cast<std::uint64_t>(pitch) < rows) return misuse("columns that overlap");
  *made = new cublasLtMatrixLayoutOpaque_t{type, rows, columns, pitch};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t of, cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return store(of->count, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return store(of->step, value, bytes);
  }
  return misuse("an unknown attribute of a layout");
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  *made = new cublasLtMatmulPreferenceOpaque_t;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t of, cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return store(of->workspace, value, bytes);
  if (attribute == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK) return store(of->reductions, value, bytes);
  const int which = attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
  return which >= 0 && which < 4 ? store(of->alignment[which], value, bytes) : misuse("an unknown attribute of a preference");
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested, cublasLtMatmulHeuristicResult_t* results,
                                              int* returned) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *returned = 0;
  const GemmCall call = call_of(*operation, *a, *b, *d);
  if (requested <= 0 || !agree(*operation, *a, *b, *c, *d) || !call.valid()) return misuse("descriptors that contradict one another");
  if (preference->reductions & (CUBLASLT_REDUCTION_SCHEME_INPLACE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE))
    return misuse("algorithms whose sums depend on what comes first, or are rounded more often");
  ++device().algorithms_asked_for;
  if (!call.supported()) return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm algorithm{number_of(call, operation->bias), 0, {}, operation->bias ? alignment_of(operation->bias) : 1, false};
  std::memcpy(algorithm.alignment, preference->alignment, sizeof algorithm.alignment);
  Random draw(seed() ^ algorithm.number);
  constexpr int known = 3;
  const int named = draw.below(16) == 0 ? 0 : std::min(requested, known);
  for (int i = 0; i < named; ++i) {
    algorithm.refused = draw.below(std::size_t{2} << i) == 0;
    algorithm.workspace = draw.below(2) * std::min<std::uint64_t>(preference->workspace, 4096);
    results[i] = {{}, algorithm.workspace, CUBLAS_STATUS_SUCCESS, 1, {}};
    std::memcpy(results[i].algo.data, &algorithm, sizeof algorithm);
  }
  *returned = named;
  return named > 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t layout_a, const void* b, cublasLtMatrixLayout_t layout_b, const void* beta, const void* c,
                              cublasLtMatrixLayout_t layout_c, void* d, cublasLtMatrixLayout_t layout_d, const cublasLtMatmulAlgo_t* chosen,
                              void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!agree(*operation, *layout_a, *layout_b, *layout_c, *layout_d)) return misuse("descriptors that contradict one another");
  if (!alpha || !beta || !a || !b || c != d || !chosen) return misuse("a pointer is missing, or the result goes elsewhere");
  Algorithm algorithm;
  std::memcpy(&algorithm, chosen->data, sizeof algorithm);
  GemmCall call = call_of(*operation, *layout_a, *layout_b, *layout_d);
  if (number_of(call, operation->bias) != algorithm.number) return misuse("an algorithm for another product");
  const std::array<const void*, 4> data{a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i)
    if (alignment_of(data[i]) < algorithm.alignment[i]) return misuse(std::string("matrix ") + "ABCD"[i] + " lies less evenly than was said");
  if (operation->bias && alignment_of(operation->bias) < algorithm.bias_alignment) return misuse("the bias lies less evenly than was said");
  if (workspace_bytes < algorithm.workspace || (workspace_bytes > 0 && alignment_of(workspace) < 256)) return misuse("no workspace, or too little");
  const Lock lock(device().mutex);
  if (device().refusals == Refusals::all || (device().refusals == Refusals::drawn && algorithm.refused)) {
    ++device().algorithms_refused;
    return algorithm.number % 2 ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_INVALID_VALUE;
  }
  call.a.data = a, call.b.data = b, call.c.data = d, call.alpha = alpha, call.beta = beta;
  const int on = stream ? stream->device : 0;
  if (handle->device != on) return misuse("a handle of another device");
  const auto work = [run = call.prepared("cuBLASLt"), on, workspace, used = algorithm.workspace] {
    if (used > 0) {
      device().arena.check_inside(workspace, used, on, "cuBLASLt, workspace");
      std::memset(workspace, 0xFF, used);
    }
    run(on);
    ++device().products;
    ++device().planned_products;
  };
  return device().enqueue(stream, {NodeKind::product, call.kernel(), work}) == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
