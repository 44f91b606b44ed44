// topk: a block for each row, or for each part of a long one, whose k largest are candidates for the row's. The k-th largest is found digit
// by digit (radix select), what ranks above it is taken in the order of columns, and of the equal ones as many as are missing; a stable sort
// by value then orders them. Reads a row once a digit and once more: from the second-level cache, where rows fit it.
#include <algorithm>
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

/// Some columns of a row of the input, and how many of them are wanted.
template <class T> struct Row {
  using K = Key<T>;
  const T* data;
  std::int64_t step, begin, columns, k;
  __device__ K key(std::int64_t i) const { return key_of(data[(begin + i) * step]); }
  __device__ std::int32_t column(std::int64_t i) const { return static_cast<std::int32_t>(begin + i); }
};
/// What was chosen of a row's parts, in the order of columns.
template <class T> struct Candidates {
  using K = Key<T>;
  Pairs<K, std::int32_t> pairs;
  std::int64_t columns, k;
  __device__ K key(std::int64_t i) const { return pairs.keys[i]; }
  __device__ std::int32_t column(std::int64_t i) const { return pairs.values[i]; }
};

/// The k-th key in ascending order, and how many equal to it belong to the first k.
template <class K> struct Threshold {
  K key = 0;
  std::int64_t equal = 0;
};

template <class R> __device__ Threshold<typename R::K> select_key(const R& row) {
  using K = typename R::K;
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
    found.equal = left[0];  // two barriers lie between this and the next choice
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
template <class R, class K> __device__ void collect(const R& row, const Threshold<K>& threshold, const Pairs<K, std::int32_t>& to) {
  CHRONOTOPE_SHARED(int, above_counts, warps);
  CHRONOTOPE_SHARED(int, equal_counts, warps);
  std::int64_t above_before = 0, equal_before = 0;
  for (std::int64_t tile = 0; tile < row.columns; tile += threads) {
    const std::int64_t c = tile + threadIdx.x;
    const bool inside = c < row.columns;
    const K key = inside ? row.key(c) : 0;
    const bool is_above = inside && key < threshold.key, is_equal = inside && key == threshold.key;
    const Count above = count_in_block(is_above, above_counts), equal = count_in_block(is_equal, equal_counts);
    const std::int64_t rank = equal_before + equal.before, taken = rank < threshold.equal ? rank : threshold.equal;
    if (is_above || (is_equal && rank < threshold.equal)) {
      const std::int64_t place = above_before + above.before + taken;
      to.keys[place] = key;
      to.values[place] = row.column(c);
    }
    above_before += above.all;
    equal_before += equal.all;
  }
}

/// [R, C] as it lies.
template <class T> struct Matrix {
  T* data;
  std::int64_t rows, columns, row_step, step;

  explicit Matrix(const View& v) : data(v.as<std::remove_const_t<T>>()), rows(v.shape[0]), columns(v.shape[1]), row_step(v.strides[0]), step(v.strides[1]) {}
  __device__ T& at(std::int64_t r, std::int64_t c) const { return data[r * row_step + c * step]; }
};

template <class K> __device__ Pairs<K, std::int32_t> from_item(const Pairs<K, std::int32_t>& pairs, std::int64_t i) { return {pairs.keys + i, pairs.values + i}; }

/// The k largest of each part of each row, in the order of columns.
template <class T> __global__ void choose_candidates(Matrix<const T> in, std::int64_t parts, std::int64_t k, Pairs<Key<T>, std::int32_t> to) {
  for (std::int64_t item = blockIdx.x; item < in.rows * parts; item += gridDim.x) {
    const std::int64_t part = item % parts, begin = in.columns * part / parts, end = in.columns * (part + 1) / parts;
    const Row<T> row{&in.at(item / parts, 0), in.step, begin, end - begin, k};
    collect(row, select_key(row), from_item(to, item * k));
  }
}

/// source(r) is what to choose from.
template <class T, class S>
__global__ void topk_rows(S source, Matrix<T> values, Matrix<std::int32_t> indices, Matrix<const T> in, Pairs<Key<T>, std::int32_t> first,
                          Pairs<Key<T>, std::int32_t> second) {
  const std::int64_t k = values.columns;
  for (std::int64_t r = blockIdx.x; r < in.rows; r += gridDim.x) {
    const auto row = source(r, in, k);
    Pairs<Key<T>, std::int32_t> from = from_item(first, r * k), to = from_item(second, r * k);
    collect(row, select_key(row), from);
    sort_in_block(from, to, 0, k);
    for (std::int64_t i = threadIdx.x; i < k; i += threads) {
      values.at(r, i) = in.at(r, from.values[i]);
      indices.at(r, i) = from.values[i];
    }
  }
}

template <class T> struct WholeRows {
  __device__ Row<T> operator()(std::int64_t r, const Matrix<const T>& in, std::int64_t k) const { return {&in.at(r, 0), in.step, 0, in.columns, k}; }
};
template <class T> struct ChosenBefore {
  Pairs<Key<T>, std::int32_t> pairs;
  std::int64_t parts;
  __device__ Candidates<T> operator()(std::int64_t r, const Matrix<const T>&, std::int64_t k) const {
    return {from_item(pairs, r * parts * k), parts * k, k};
  }
};

/// As many as keep a device busy, none of less than 4 k columns. Results do not depend on it.
std::int64_t parts_of(std::int64_t rows, std::int64_t columns, std::int64_t k) {
  constexpr std::int64_t enough_blocks = 512, least_columns = CHRONOTOPE_TOPK_PART;
  return std::max<std::int64_t>(1, std::min(enough_blocks / rows, columns / std::max(least_columns, 4 * k)));
}

template <class T> void topk_of(const Queue& queue, const View& values, const View& indices, const View& in) {
  using K = Key<T>;
  const std::int64_t rows = in.shape[0], k = values.shape[1], parts = parts_of(rows, in.shape[1], k);
  const auto chosen = static_cast<std::size_t>(parts > 1 ? rows * parts * k : 0), n = static_cast<std::size_t>(rows * k), pairs = chosen + 2 * n;
  const Scratch scratch(queue, pairs * (sizeof(K) + sizeof(std::int32_t)), "topk");
  const auto pairs_at = [&](std::size_t i) { return Pairs<K, std::int32_t>{scratch.as<K>() + i, scratch.as<std::int32_t>(pairs * sizeof(K)) + i}; };
  const auto finish = [&](const auto& source) {
    launch(queue, "topk", topk_rows<T, std::decay_t<decltype(source)>>, blocks_for(rows, 1), threads, source, Matrix<T>(values), Matrix<std::int32_t>(indices),
           Matrix<const T>(in), pairs_at(chosen), pairs_at(chosen + n));
  };
  if (parts == 1) return finish(WholeRows<T>());
  launch(queue, "topk", choose_candidates<T>, blocks_for(rows * parts, 1), threads, Matrix<const T>(in), parts, k, pairs_at(0));
  finish(ChosenBefore<T>{pairs_at(0), parts});
}

}  // namespace

void topk(const Queue& queue, const View& values, const View& indices, const View& in) {
  if (values.elements() == 0) return;
  dispatch(in.dtype, [&](auto zero) { topk_of<decltype(zero)>(queue, values, indices, in); });
}

}  // namespace chronotope::cuda
