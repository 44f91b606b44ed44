// Plans of cuBLASLt: made once, tried one algorithm after the other, and done without where none is left. And that the emulated cuBLASLt
// notices what a device might let pass.
#include <doctest/doctest.h>

#include <cublasLt.h>

#include "chronotope/testing/conformance.hpp"
#include "cuda/arrays.hpp"
#include "cuda/gemm.hpp"
#include "cuda/plans.hpp"
#include "emulator/control.hpp"
#include "mishap.hpp"

using namespace chronotope;
using namespace cuda_on_host;

namespace {

struct Counts {
  std::size_t planned = planned_products_run(), products = products_run(), refused = algorithms_refused(), asked = algorithms_asked_for(),
              kernels = kernels_run();
};

/// x w' + 1, of ones; the counts of what that took.
class Layer {
 public:
  explicit Layer(std::int64_t width, std::int64_t first = 0)
      : width_(width), first_(first), x_(s_, {3, 8 * width}, std::vector<float>(static_cast<std::size_t>(24 * width), 1)),
        w_(s_, {2, width}, std::vector<float>(static_cast<std::size_t>(2 * width), 1)), b_(s_, {2}, {1, 1}), y_(s_, {3, 2}) {}
  Counts run() {
    View x = x_.view();
    x.shape[1] = width_;
    x.data = x_.view().as<float>() + first_;
    const Counts before;
    REQUIRE(cuda_backend::try_linear(s_, y_.view(), x, w_.view(), b_.view(), false));
    CHECK(y_.fetch() == std::vector<float>(6, static_cast<float>(width_ + 1)));
    Counts now;
    now.planned -= before.planned, now.products -= before.products, now.refused -= before.refused, now.asked -= before.asked;
    now.kernels -= before.kernels;
    return now;
  }
  void shift(std::int64_t first) { first_ = first; }

 private:
  cuda_backend::stream s_;
  std::int64_t width_, first_;
  Array<float> x_, w_, b_, y_;
};

/// Puts drawn refusals back.
struct AllRefused {
  AllRefused() { set_refusals(Refusals::all); }
  ~AllRefused() { set_refusals(Refusals::drawn); }
};

}  // namespace

TEST_CASE("a plan is made once for products of a kind, and once more where operands lie less evenly") {
  reset();
  set_seed(1);
  Layer layer(40);
  CHECK(layer.run().asked >= 1);
  CHECK(layer.run().asked == 0);
  layer.shift(1);
  CHECK(layer.run().asked >= 1);
  layer.shift(0);
  CHECK(layer.run().asked == 0);
  CHECK(fault() == "");
}

TEST_CASE("an algorithm that is refused is followed by the next, and not tried again; without one the bias or the product is done otherwise") {
  std::size_t retried = 0, biased = 0, separate = 0, fallen_back = 0;
  for (std::uint64_t order = 1; order <= 40; ++order) {
    reset();
    set_seed(order);
    Layer layer(24);
    const Counts first = layer.run(), second = layer.run();
    CHECK(second.refused == 0);
    CHECK(second.asked == 0);
    CHECK(first.products == 1);
    CHECK(first.kernels == second.kernels);
    retried += first.planned == 1 && first.refused > 0;
    biased += first.planned == 1 && first.kernels == 0;
    separate += first.planned == 1 && first.kernels == 1;
    fallen_back += first.planned == 0 && first.kernels == 1;
    CHECK(fault() == "");
  }
  MESSAGE("of 40 seeds " << retried << " with a retry, " << biased << " with the bias in the product, " << separate << " apart, " << fallen_back << " by cuBLAS");
  CHECK(retried > 3);
  CHECK(biased > 20);
  CHECK(separate + fallen_back > 0);
}

TEST_CASE("where every algorithm is refused, cuBLAS does what cuBLASLt does not") {
  const AllRefused scope;
  reset();
  Layer layer(16);
  const Counts counts = layer.run();
  CHECK(counts.planned == 0);
  CHECK(counts.products == 1);
  CHECK(counts.kernels == 1);
  cuda_backend::stream stream;
  const std::size_t planned = planned_products_run(), products = products_run();
  const auto report = testing::run_conformance<cuda_backend>(stream, {.operations = {"matmul"}, .reports_bad_ids = false});
  INFO(report.text());
  CHECK(report.passed());
  CHECK(planned_products_run() == planned);
  CHECK(products_run() > products + 100);
  CHECK(fault() == "");
}

TEST_CASE("a plan adds the bias of each call") {
  reset();
  set_seed(1);
  cuda_backend::stream s;
  const Array<float> x(s, {2, 1}, {1, 2}), w(s, {2, 1}, {1, 1}), first(s, {2}, {10, 20}), second(s, {2}, {30, 40}), y(s, {2, 2});
  for (const auto& [bias, wanted] : {std::pair{&first, std::vector<float>{11, 21, 12, 22}}, {&second, {31, 41, 32, 42}}, {&first, {11, 21, 12, 22}}}) {
    const std::size_t kernels = kernels_run();
    REQUIRE(cuda_backend::try_linear(s, y.view(), x.view(), w.view(), bias->view(), false));
    CHECK(y.fetch() == wanted);
    CHECK(kernels_run() == kernels);
  }
  CHECK(fault() == "");
}

TEST_CASE("a stream keeps a bounded number of plans") {
  reset();
  cuda_backend::stream s;
  const auto kinds = static_cast<std::int64_t>(cuda::Plans::most) + 5;
  const Array<double> x(s, {1, kinds}, std::vector<double>(static_cast<std::size_t>(kinds), 1)), y(s, {1, 1});
  const auto product = [&](std::int64_t width) {
    View left = x.view(), right = x.view();
    left.shape = Shape{1, width}, right.shape = Shape{width, 1};
    right.strides = {1, 1};
    const std::size_t before = algorithms_asked_for();
    cuda_backend::matmul(s, y.view(), left, right, 0);
    return algorithms_asked_for() - before;
  };
  for (std::int64_t width = 1; width <= kinds; ++width) CHECK(product(width) == 1);
  CHECK(y.fetch() == std::vector<double>{static_cast<double>(kinds)});
  CHECK(product(kinds) == 0);
  CHECK(product(1) == 1);  // it went when there were too many
  cuda_backend::synchronize(s);
  CHECK(fault() == "");
}

namespace {

/// One product of 4 x 4 ones by the library itself, with one thing changed at a time.
struct Direct {
  cudaStream_t stream = nullptr;
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t layout = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  float *data = nullptr, one = 1, zero = 0;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 1 << 16;

  Direct() {
    REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    REQUIRE(cudaMallocAsync(reinterpret_cast<void**>(&data), 3 * 256, stream) == cudaSuccess);
    REQUIRE(cudaMallocAsync(&workspace, workspace_bytes, stream) == cudaSuccess);
    cublasLtCreate(&handle);
    cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, 4, 4, 4);
    cublasLtMatmulPreferenceCreate(&preference);
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{1 << 16});
    prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  }
  template <class T> void prefer(cublasLtMatmulPreferenceAttributes_t attribute, T value) {
    cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value);
  }
  template <class T> void describe(cublasLtMatmulDescAttributes_t attribute, T value) {
    cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value);
  }
  /// Tries all that the heuristics name.
  cublasStatus_t run(std::int64_t offset = 0, std::int64_t rows_then = 4) {
    cublasLtMatmulHeuristicResult_t named[8];
    int count = 0;
    cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, operation, layout, layout, layout, layout, preference, 8, named, &count);
    if (rows_then != 4) cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, static_cast<std::uint64_t>(rows_then), static_cast<std::uint64_t>(rows_then), 4);
    for (int i = 0; i < count; ++i) {
      status = cublasLtMatmul(handle, operation, &one, data + offset, layout, data + 64, layout, &zero, data + 128, layout, data + 128, layout,
                              &named[i].algo, workspace, workspace_bytes, stream);
      if (status == CUBLAS_STATUS_SUCCESS) break;
    }
    cudaStreamSynchronize(stream);
    return status;
  }
};

/// The status of a use that is none's fault.
template <class F> void expect(cublasStatus_t status, F change) {
  set_seed(1);
  CHECK(mishap([&] {
          Direct d;
          change(d);
          if (d.run() != status) throw Fault("another status");
        }) == "");
}

/// What the emulated library says against a use; algorithms of three seeds are tried, since one of them may need no workspace.
template <class F> void is_misuse(const char* text, F use) {
  for (const std::uint64_t order : {3u, 4u, 5u}) {
    set_seed(order);
    const std::string said = mishap([&] { use(); });
    INFO(said);
    if (said.find(text) != std::string::npos) return;
  }
  FAIL("nothing was said of " << text);
}

}  // namespace

TEST_CASE("the emulated cuBLASLt refuses what no device could do, and says so") {
  expect(CUBLAS_STATUS_SUCCESS, [](Direct&) {});
  is_misuse("columns that overlap", [] {
    cublasLtMatrixLayout_t layout = nullptr;
    CHECK(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, 5, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  });
  is_misuse("an attribute of another size", [] { Direct().describe(CUBLASLT_MATMUL_DESC_TRANSA, std::int64_t{1}); });
  is_misuse("an algorithm for another product", [] { Direct().run(0, 3); });
  is_misuse("matrix A lies less evenly", [] { Direct().run(1); });
  is_misuse("contradict one another", [] {
    Direct d;
    d.describe(CUBLASLT_MATMUL_DESC_EPILOGUE, std::uint32_t{CUBLASLT_EPILOGUE_BIAS});  // without one
    d.run();
  });
  is_misuse("the bias lies less evenly", [] {
    Direct d;
    d.describe(CUBLASLT_MATMUL_DESC_EPILOGUE, std::uint32_t{CUBLASLT_EPILOGUE_BIAS});
    d.describe(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(d.data + 64));
    cublasLtMatmulHeuristicResult_t named[8];
    int count = 0;
    cublasLtMatmulAlgoGetHeuristic(d.handle, d.operation, d.layout, d.layout, d.layout, d.layout, d.preference, 8, named, &count);
    d.describe(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(d.data + 65));
    cublasLtMatmul(d.handle, d.operation, &d.one, d.data, d.layout, d.data, d.layout, &d.zero, d.data + 128, d.layout, d.data + 128, d.layout,
                   &named[0].algo, d.workspace, d.workspace_bytes, d.stream);
  });
  is_misuse("depend on what comes first", [] {
    Direct d;
    d.prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_INPLACE});
    d.run();
  });
  is_misuse("no workspace, or too little", [] {
    Direct d;
    d.workspace_bytes = 0;
    d.run();
  });
  is_misuse("cuBLASLt, workspace", [] {
    Direct d;
    cudaFreeAsync(d.workspace, d.stream);
    d.run();
  });
  expect(CUBLAS_STATUS_NOT_SUPPORTED, [](Direct& d) {  // no arithmetic for these types: no misuse
    cublasLtMatmulDescCreate(&d.operation, CUBLAS_COMPUTE_64F, CUDA_R_64F);
    cublasLtMatrixLayoutCreate(&d.layout, CUDA_R_64F, 4, 4, 4);
    d.describe(CUBLASLT_MATMUL_DESC_EPILOGUE, std::uint32_t{CUBLASLT_EPILOGUE_BIAS});
    d.describe(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(d.data));
  });
}
