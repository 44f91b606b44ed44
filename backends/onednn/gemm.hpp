#pragma once
// Single precision matrix products, row-major.

#include <cstdint>

#include "stream.hpp"

namespace chronotope::onednn {

/// C [M, N] = alpha op(A) op(B) + beta C with op(A) [M, K], op(B) [K, N]. A is stored [M, K], or [K, M] when
/// transpose_a; B is stored [K, N], or [N, K] when transpose_b; lda, ldb, ldc are the row strides of what is stored.
/// With beta = 0 the old C is not read; K = 0 gives beta C. Runs on impl.threads threads. Throws BackendError.
void gemm(Impl& impl, bool transpose_a, bool transpose_b, std::int64_t M, std::int64_t N, std::int64_t K, float alpha,
          const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C, std::int64_t ldc);

/// The same on the calling thread alone, for use inside parallel regions: returns false instead of throwing, because
/// no exception may leave such a region.
bool gemm_serial(bool transpose_a, bool transpose_b, std::int64_t M, std::int64_t N, std::int64_t K, float alpha,
                 const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C,
                 std::int64_t ldc) noexcept;

}  // namespace chronotope::onednn
