// dnnl_sgemm packs its operands, so it is equally fast in every transposition, never slow at an unlucky leading
// dimension, needs no primitive to be made and kept, and is the same call in oneDNN 2 and 3. Per core it measured level
// with or ahead of the matmul primitive at this library's shapes when both read plain operands.
//
// Threads: the result is cut into tiles and each tile is a serial call. oneDNN's own division asks the global OpenMP
// state for its team, which a library must not change under its user, and depends on where the call is made.

#include "gemm.hpp"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <atomic>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope::onednn {
namespace {

/// Below this many multiplications (some 20 µs) one thread is faster.
constexpr double serial_products = 1 << 20;

/// oneDNN asks OpenMP for the team size of the calling thread; this is its setting alone, and is put back.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

struct Grid {
  std::int64_t rows, columns;
};

/// How to cut C into at most `parts` tiles. Every tile packs its own panels of A and B, so the shortest edges win.
Grid choose_grid(std::int64_t M, std::int64_t N, int parts) {
  Grid best{1, 1};
  double best_cost = 1e300;
  for (std::int64_t rows = 1; rows <= parts; ++rows) {
    const std::int64_t columns = parts / rows;
    const auto height = static_cast<double>((M + rows - 1) / rows),
               width = static_cast<double>((N + columns - 1) / columns);
    // The work of the largest tile, plus the packing that grows with its edges.
    const double cost = height * width + 16 * (height + width);
    if (cost < best_cost) best = {rows, columns}, best_cost = cost;
  }
  return best;
}

/// Start of tile i of n, on multiples of 16 so that vectors and cache lines of C belong to one thread.
std::int64_t cut(std::int64_t extent, std::int64_t i, std::int64_t n) {
  return std::min(extent, (extent + 15) / 16 * i / n * 16);
}

void scale_only(std::int64_t M, std::int64_t N, float beta, float* C, std::int64_t ldc) {
  for (std::int64_t i = 0; i < M; ++i) {
    for (std::int64_t j = 0; j < N; ++j) C[i * ldc + j] = beta == 0 ? 0.0f : beta * C[i * ldc + j];
  }
}

}  // namespace

bool gemm_serial(bool transpose_a, bool transpose_b, std::int64_t M, std::int64_t N, std::int64_t K, float alpha,
                 const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C,
                 std::int64_t ldc) noexcept {
  if (M == 0 || N == 0) return true;
  if (K == 0) {
    scale_only(M, N, beta, C, ldc);
    return true;
  }
  const OneThread one;
  return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', M, N, K, alpha, A, lda, B, ldb, beta, C, ldc) ==
         dnnl_success;
}

void gemm(Impl& impl, bool transpose_a, bool transpose_b, std::int64_t M, std::int64_t N, std::int64_t K, float alpha,
          const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C, std::int64_t ldc) {
  const double products = static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
  const Grid grid = products < serial_products ? Grid{1, 1} : choose_grid(M, N, impl.threads);
  std::atomic<bool> good{true};
  const auto tile = [&](std::int64_t part) {
    const std::int64_t r = part / grid.columns, c = part % grid.columns;
    const std::int64_t row = cut(M, r, grid.rows), rows = cut(M, r + 1, grid.rows) - row;
    const std::int64_t column = cut(N, c, grid.columns), columns = cut(N, c + 1, grid.columns) - column;
    if (!gemm_serial(transpose_a, transpose_b, rows, columns, K, alpha, A + (transpose_a ? row : row * lda), lda,
                     B + (transpose_b ? column * ldb : column), ldb, beta, C + row * ldc + column, ldc)) {
      good = false;
    }
  };
  const auto parts = static_cast<int>(grid.rows * grid.columns);
  if (parts == 1) {
    tile(0);
  } else {
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int i = 0; i < parts; ++i) tile(i);
  }
  if (!good) {
    throw BackendError("[matmul] oneDNN refused a product of " + std::to_string(M) + " x " + std::to_string(K) +
                       " by " + std::to_string(K) + " x " + std::to_string(N));
  }
}

}  // namespace chronotope::onednn
