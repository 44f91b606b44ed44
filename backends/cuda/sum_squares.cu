// sum_squares: pieces of a fixed length, a block for each, then their sums in order.
#include <algorithm>

#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = 256;
constexpr std::int64_t shortest_piece = 8192, most_pieces = 4096;

template <class T> __global__ void sum_pieces(std::int64_t n, std::int64_t piece, const T* x, Sum<T>* sums) {
  for (std::int64_t p = blockIdx.x; p * piece < n; p += gridDim.x) {
    const std::int64_t end = p * piece + piece < n ? p * piece + piece : n;
    Sum<T> sum;
    for (std::int64_t i = p * piece + threadIdx.x; i < end; i += threads) sum.add(x[i] * x[i]);
    merge_block<threads>(sum);
    if (threadIdx.x == 0) sums[p] = sum;
  }
}

/// One block.
template <class T> __global__ void add_sums(std::int64_t count, const Sum<T>* sums, T* out) {
  Sum<T> all;
  for (std::int64_t p = threadIdx.x; p < count; p += threads) all.merge(sums[p]);
  merge_block<threads>(all);
  if (threadIdx.x == 0) *out = all.result();
}

}  // namespace

bool sum_squares(const Queue& queue, const View& out, const View& x) {
  if (!are_dense(x) || !are_dense(out) || out.dtype != x.dtype || out.elements() != 1) return false;
  const std::int64_t n = x.elements(), piece = std::max(shortest_piece, (n + most_pieces - 1) / most_pieces), count = (n + piece - 1) / piece;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Scratch sums(queue, static_cast<std::size_t>(count) * sizeof(Sum<T>), "sum_squares");
    if (count > 0) launch(queue, "sum_squares", sum_pieces<T>, blocks_for(count, 1), threads, n, piece, x.as<T>(), sums.as<Sum<T>>());
    launch(queue, "sum_squares", add_sums<T>, 1, threads, count, sums.as<Sum<T>>(), out.as<T>());
  });
  return true;
}

}  // namespace chronotope::cuda
