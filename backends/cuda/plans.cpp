#include "plans.hpp"

#include <limits>

namespace chronotope::cuda {

namespace {

/// The largest power of 2, up to the 256 bytes that the heuristics take for granted, that an address is a multiple of.
std::uint32_t alignment_of(const void* p) {
  std::uint32_t alignment = 256;
  while (reinterpret_cast<std::uintptr_t>(p) % alignment != 0) alignment /= 2;
  return alignment;
}

template <class T> void set(cublasLtMatmulDesc_t of, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublasLtMatmulDescSetAttribute(of, attribute, &value, sizeof value), "matmul");
}
template <class T> void set(cublasLtMatrixLayout_t of, cublasLtMatrixLayoutAttribute_t attribute, const T& value) {
  check(cublasLtMatrixLayoutSetAttribute(of, attribute, &value, sizeof value), "matmul");
}
template <class T> void set(cublasLtMatmulPreference_t of, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublasLtMatmulPreferenceSetAttribute(of, attribute, &value, sizeof value), "matmul");
}

/// What is said where there is no algorithm, or of one that the heuristics named and that cannot be used after all.
bool is_refusal(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE || status == CUBLAS_STATUS_ARCH_MISMATCH;
}

}  // namespace

Plans::Key Plans::key_of(const Gemm& g) {
  const auto step = [&](const Gemm::Matrix& matrix) { return g.count > 1 ? matrix.step : 0; };
  return {g.m, g.n, g.k, g.count, g.d.pitch, g.a.pitch, g.b.pitch, step(g.d), step(g.a), step(g.b), g.a.transposition, g.b.transposition,
          g.in, g.compute, g.beta == 0, alignment_of(g.d.data), alignment_of(g.a.data), alignment_of(g.b.data),
          g.bias ? alignment_of(g.bias) : 0};
}

Plans::Layout Plans::layout_of(const Gemm::Matrix& matrix, cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t count) {
  if (matrix.transposition == CUBLAS_OP_T) std::swap(rows, columns);
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), matrix.pitch), "matmul");
  Layout layout(made);
  if (count > 1) {
    set(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(count));
    set(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, matrix.step);
  }
  return layout;
}

Plans::Plan Plans::describe(const Gemm& g) {
  Plan plan;
  cublasLtMatmulDesc_t operation = nullptr;
  check(cublasLtMatmulDescCreate(&operation, g.compute, g.out), "matmul");
  plan.operation.reset(operation);
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA, static_cast<std::int32_t>(g.a.transposition));
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, static_cast<std::int32_t>(g.b.transposition));
  if (g.bias) {
    set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<std::uint32_t>(CUBLASLT_EPILOGUE_BIAS));
    set(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias);
  }
  plan.a = layout_of(g.a, g.in, g.m, g.k, g.count);
  plan.b = layout_of(g.b, g.in, g.k, g.n, g.count);
  plan.d = layout_of(g.d, g.out, g.m, g.n, g.count);
  return plan;
}

std::vector<cublasLtMatmulAlgo_t> Plans::ask(const Plan& plan, const Gemm& g, std::size_t workspace_bytes) {
  constexpr int wanted = 8;
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "matmul");
  const Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference(made);
  set(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_bytes));
  // In place, parts of a sum would be added up in the order in which they come.
  set(made, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(g.a.data));
  set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(g.b.data));
  set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(g.d.data));
  set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(g.d.data));
  cublasLtMatmulHeuristicResult_t named[wanted];
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle(), plan.operation.get(), plan.a.get(), plan.b.get(), plan.d.get(),
                                                               plan.d.get(), made, wanted, named, &count);
  if (is_refusal(status)) return {};
  check(status, "matmul");
  std::vector<cublasLtMatmulAlgo_t> algorithms;
  for (int i = 0; i < count; ++i)
    if (named[i].state == CUBLAS_STATUS_SUCCESS) algorithms.push_back(named[i].algo);
  return algorithms;
}

Plans::Plan& Plans::plan_of(const Gemm& g, std::size_t workspace_bytes) {
  const Key key = key_of(g);
  if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
  Plan plan = describe(g);
  plan.algorithms = ask(plan, g, workspace_bytes);
  if (plans_.size() == most) plans_.clear();  // products under way have copies
  return plans_.emplace(key, std::move(plan)).first->second;
}

cublasLtHandle_t Plans::handle() {
  if (!handle_) {
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "matmul");
    handle_.reset(made);
  }
  return handle_.get();
}

bool Plans::run(const Gemm& g, const Workspace& workspace, cudaStream_t stream) {
  if (g.count > std::numeric_limits<std::int32_t>::max()) return false;
  Plan& plan = plan_of(g, workspace.bytes);
  if (g.bias) set(plan.operation.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias);
  const Scales scales(g);
  while (!plan.algorithms.empty()) {
    const cublasStatus_t status = cublasLtMatmul(handle(), plan.operation.get(), scales.one(), g.a.data, plan.a.get(), g.b.data, plan.b.get(),
                                                 scales.beta(), g.d.data, plan.d.get(), g.d.data, plan.d.get(), &plan.algorithms.front(),
                                                 workspace.data, workspace.bytes, stream);
    if (!is_refusal(status)) {
      check(status, "matmul");
      return true;
    }
    plan.algorithms.erase(plan.algorithms.begin());
  }
  return false;
}

}  // namespace chronotope::cuda
