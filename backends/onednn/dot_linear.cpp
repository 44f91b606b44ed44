// Linear layers without a bias where nothing is recorded. Every element of the result is one scalar product: running sums over
// the lanes of a vector, added up at the end. Its bits depend on its own row and column alone, not on how many rows there are
// (dnnl_sgemm has other kernels for fewer than 16 rows) nor on threads. Nothing is packed: up to some hundred rows it measured
// level with dnnl_sgemm from width 192 on, at a thousand it took 1.1 to 1.4 times as long, at width 48 twice.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/dot_linear.cpp"
#include <hwy/foreach_target.h>

#include "dot_linear.hpp"
#include "products.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

/// most_rows * tile_columns sums, most_rows of x and one of w fit the registers (32 of AVX-512, 16 elsewhere).
constexpr int tile_columns = 4, most_rows = product_lanes >= 16 ? 6 : 3;

/// NR rows of x times NC rows of w.
template <int NR, int NC> HWY_INLINE void dot_tile(const DotTask& t, std::int64_t row, std::int64_t column) {
  Vec sums[NR][NC];
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NC; ++j) sums[i][j] = constant(0);
  const float *x = t.x.row(row), *w = t.w.row(column);
  for_vectors(t.x.columns, [&](auto at, std::int64_t k) HWY_ATTR {
    Vec left[NR];
#pragma GCC unroll 6
    for (int i = 0; i < NR; ++i) left[i] = at.load(x + i * t.x.stride + k);
#pragma GCC unroll 4
    for (int j = 0; j < NC; ++j) {
      const Vec right = at.load(w + j * t.w.stride + k);
#pragma GCC unroll 6
      for (int i = 0; i < NR; ++i) sums[i][j] = hn::MulAdd(left[i], right, sums[i][j]);
    }
  });
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NC; ++j) t.y.row(row + i)[column + j] = sum_lanes(sums[i][j]);
}

template <int NR> void dot_columns(const DotTask& t, std::int64_t row, std::int64_t begin, std::int64_t end) {
  for (; begin + tile_columns <= end; begin += tile_columns) dot_tile<NR, tile_columns>(t, row, begin);
  for (; begin < end; ++begin) dot_tile<NR, 1>(t, row, begin);
}

/// The last rows, at most NR of them.
template <int NR> void dot_rest(const DotTask& t, std::int64_t row, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  if (rows == NR) return dot_columns<NR>(t, row, begin, end);
  if constexpr (NR > 1) dot_rest<NR - 1>(t, row, rows, begin, end);
}

/// Rows [row, row + rows) of y, columns [begin, end).
void dot_block(const DotTask& t, std::int64_t row, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  for (; rows >= most_rows; row += most_rows, rows -= most_rows) dot_columns<most_rows>(t, row, begin, end);
  if (rows > 0) dot_rest<most_rows>(t, row, rows, begin, end);
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(dot_block);

void dot_linear(Impl& impl, const DotTask& t) {
  constexpr std::int64_t block_floats = 1 << 16;  // of w: they stay in the cache while rows of x pass
  constexpr std::int64_t block_rows = 192;
  const std::int64_t N = t.w.rows, K = t.x.columns;
  const std::int64_t share = (N + impl.threads - 1) / impl.threads, fit = std::max<std::int64_t>(block_floats / K, 1);
  const std::int64_t width = (std::min(share, fit) + 3) / 4 * 4;
  const std::int64_t across = (N + width - 1) / width, down = (t.x.rows + block_rows - 1) / block_rows;
  // A multiplication costs about a 16th of an addition that waits for memory.
  parallel(impl, across * down, t.x.rows * K * N / 16, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = i / down * width, row = i % down * block_rows;
      HWY_DYNAMIC_DISPATCH(dot_block)(t, row, std::min(block_rows, t.x.rows - row), column, std::min(column + width, N));
    }
  });
}

}  // namespace chronotope::onednn
#endif
