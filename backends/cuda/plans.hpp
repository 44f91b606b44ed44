#pragma once
// Products by cuBLASLt. What it is told of a kind of product, and the algorithms that its heuristics name for it, are made once and kept.

#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>
#include <type_traits>
#include <vector>

#include "gemm.hpp"

namespace chronotope::cuda {

/// Memory of the device that algorithms may use; it begins at a multiple of 256 bytes.
struct Workspace {
  void* data;
  std::size_t bytes;
};

/// Of one stream: its device must be current, also when they go.
class Plans {
 public:
  /// False, having queued nothing, where the heuristics name no algorithm, or none that cublasLtMatmul takes. One that it refused is not
  /// tried again for products of this kind. Throws BackendError.
  bool run(const Gemm& g, const Workspace& workspace, cudaStream_t stream);

  /// Of cuBLASLt, made at the first call.
  cublasLtHandle_t handle();

  static constexpr std::size_t most = 1024;  ///< plans, of some 2 KiB each; then all are made anew

 private:
  template <auto destroy> struct Destroy {
    template <class T> void operator()(T* p) const { destroy(p); }
  };
  template <class P, auto destroy> using Owned = std::unique_ptr<std::remove_pointer_t<P>, Destroy<destroy>>;
  using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  struct Plan {
    Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> operation;
    Layout a, b, d;
    std::vector<cublasLtMatmulAlgo_t> algorithms;  ///< the best first; refused ones are gone
  };
  /// All that algorithms are chosen by.
  using Key = std::array<std::int64_t, 19>;

  static Key key_of(const Gemm& g);
  static Layout layout_of(const Gemm::Matrix& matrix, cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t count);
  static Plan describe(const Gemm& g);
  std::vector<cublasLtMatmulAlgo_t> ask(const Plan& plan, const Gemm& g, std::size_t workspace_bytes);
  Plan& plan_of(const Gemm& g, std::size_t workspace_bytes);

  Owned<cublasLtHandle_t, cublasLtDestroy> handle_;
  std::map<Key, Plan> plans_;
};

}  // namespace chronotope::cuda
