// topk: a block for each row. The k-th largest is found digit by digit (radix select), what ranks above it is taken in
// the order of columns, and of the equal ones as many as are missing; a stable sort by value then orders them.
#include <cstring>

#include "accumulate.hpp"
#include "kernels.hpp"
#include "merge_sort.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = 256, warps = threads / 32, digits = 256;

template <class T> using Key = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

/// Numbers to unsigned ones in reverse order: the largest has the least key, NaN the greatest.
template <class T> __device__ Key<T> key_of(T x) {
  using K = Key<T>;
  constexpr K top = K{1} << (sizeof(K) * 8 - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return ~K{0};
    K bits = 0;
    const T value = x == 0 ? T{0} : x;  // -0 equals 0
    memcpy(&bits, &value, sizeof bits);
    return bits & top ? bits : ~(bits | top);
  } else {
    return ~(static_cast<K>(x) ^ (std::is_signed_v<T> ? top : K{0}));
  }
}

/// A row of the input, and the number of columns wanted of it.
template <class T> struct Row {
  const T* data;
  std::int64_t step, columns, k;
  __device__ Key<T> key(std::int64_t column) const { return key_of(data[column * step]); }
};

/// The k-th key in ascending order, and how many equal to it belong to the first k.
template <class K> struct Threshold {
  K key = 0;
  std::int64_t equal = 0;
};

template <class T> __device__ Threshold<Key<T>> select_key(const Row<T>& row) {
  using K = Key<T>;
  CHRONOTOPE_SHARED(unsigned, counts, digits);
  CHRONOTOPE_SHARED(unsigned, chosen, 1);
  CHRONOTOPE_SHARED(std::int64_t, left, 1);
  Threshold<K> found{0, row.k};
  for (int shift = static_cast<int>(sizeof(K)) * 8 - 8; shift >= 0; shift -= 8) {
    for (int d = static_cast<int>(threadIdx.x); d < digits; d += threads) counts[d] = 0u;
    __syncthreads();
    for (std::int64_t c = threadIdx.x; c < row.columns; c += threads) {
      const K key = row.key(c);
      // Keys that agree with the digits found so far; at first, all.
      if (shift + 8 < static_cast<int>(sizeof(K)) * 8 && (key ^ found.key) >> (shift + 8) != 0) continue;
      atomicAdd(&counts[static_cast<int>(key >> shift & 0xFF)], 1u);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      std::int64_t wanted = found.equal;
      int d = 0;
      for (; wanted > static_cast<std::int64_t>(static_cast<unsigned>(counts[d])); ++d) wanted -= static_cast<unsigned>(counts[d]);
      chosen[0] = static_cast<unsigned>(d);
      left[0] = wanted;
    }
    __syncthreads();
    found.key |= static_cast<K>(static_cast<unsigned>(chosen[0])) << shift;
    found.equal = left[0];
    __syncthreads();
  }
  return found;
}

/// How many threads before this one say yes, and how many of the block.
struct Count {
  int before, all;
};

/// Between two counts in the same memory lies another barrier: the caller has two places and takes them in turn.
template <class S> __device__ Count count_in_block(bool yes, S& warp_counts) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const unsigned votes = __ballot_sync(whole_warp, yes);
  if (lane == 0) warp_counts[warp] = __popc(votes);
  __syncthreads();
  Count count{__popc(votes & ((1u << lane) - 1)), 0};
  for (int w = 0; w < warps; ++w) {
    const int n = warp_counts[w];
    if (w < warp) count.before += n;
    count.all += n;
  }
  return count;
}

/// The first k, in the order of columns.
template <class T> __device__ void collect(const Row<T>& row, const Threshold<Key<T>>& threshold, const Pairs<Key<T>, std::int32_t>& to) {
  CHRONOTOPE_SHARED(int, above_counts, warps);
  CHRONOTOPE_SHARED(int, equal_counts, warps);
  std::int64_t above_before = 0, equal_before = 0;
  for (std::int64_t tile = 0; tile < row.columns; tile += threads) {
    const std::int64_t c = tile + threadIdx.x;
    const bool inside = c < row.columns;
    const Key<T> key = inside ? row.key(c) : 0;
    const bool is_above = inside && key < threshold.key, is_equal = inside && key == threshold.key;
    const Count above = count_in_block(is_above, above_counts), equal = count_in_block(is_equal, equal_counts);
    const std::int64_t rank = equal_before + equal.before, taken = rank < threshold.equal ? rank : threshold.equal;
    if (is_above || (is_equal && rank < threshold.equal)) {
      const std::int64_t place = above_before + above.before + taken;
      to.keys[place] = key;
      to.values[place] = static_cast<std::int32_t>(c);
    }
    above_before += above.all;
    equal_before += equal.all;
  }
}

struct Matrix {
  std::int64_t row, column;  ///< steps
};

template <class T>
__global__ void topk_rows(std::int64_t rows, std::int64_t columns, std::int64_t k, Matrix at_values, Matrix at_indices, Matrix at_in, T* values,
                          std::int32_t* indices, const T* in, Pairs<Key<T>, std::int32_t> first, Pairs<Key<T>, std::int32_t> second) {
  for (std::int64_t r = blockIdx.x; r < rows; r += gridDim.x) {
    const Row<T> row{in + r * at_in.row, at_in.column, columns, k};
    Pairs<Key<T>, std::int32_t> from{first.keys + r * k, first.values + r * k}, to{second.keys + r * k, second.values + r * k};
    collect(row, select_key(row), from);
    sort_in_block(from, to, 0, k);
    for (std::int64_t i = threadIdx.x; i < k; i += threads) {
      const std::int32_t column = from.values[i];
      values[r * at_values.row + i * at_values.column] = row.data[column * row.step];
      indices[r * at_indices.row + i * at_indices.column] = column;
    }
  }
}

template <class T> void topk_of(const Queue& queue, const View& values, const View& indices, const View& in) {
  using K = Key<T>;
  const std::int64_t rows = in.shape[0], k = values.shape[1];
  const auto n = static_cast<std::size_t>(rows * k);
  const Scratch scratch(queue, 2 * n * (sizeof(K) + sizeof(std::int32_t)), "topk");
  const Pairs<K, std::int32_t> first{scratch.as<K>(), scratch.as<std::int32_t>(2 * n * sizeof(K))};
  const Pairs<K, std::int32_t> second{first.keys + n, first.values + n};
  launch(queue, "topk", topk_rows<T>, blocks_for(rows, 1), threads, rows, in.shape[1], k, Matrix{values.strides[0], values.strides[1]},
         Matrix{indices.strides[0], indices.strides[1]}, Matrix{in.strides[0], in.strides[1]}, values.as<T>(), indices.as<std::int32_t>(), in.as<T>(),
         first, second);
}

}  // namespace

void topk(const Queue& queue, const View& values, const View& indices, const View& in) {
  if (values.elements() == 0) return;
  dispatch(in.dtype, [&](auto zero) { topk_of<decltype(zero)>(queue, values, indices, in); });
}

}  // namespace chronotope::cuda
