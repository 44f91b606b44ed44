#pragma once
// Running sums and maxima of threads, warps and blocks. A sum of floats keeps what each addition rounds away (Knuth's
// two-sum), so f32 needs no f64 arithmetic, which most devices do slowly; integers wrap. Orders are fixed: results are
// equal to the bit from run to run.

#include <type_traits>

#include "cpu/arithmetic.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

inline constexpr unsigned whole_warp = 0xFFFFFFFFu;

template <class T> struct Sum {
  static constexpr bool compensated = std::is_floating_point_v<T>;
  T total = 0, lost = 0;

  __device__ void add(T x) {
    if constexpr (compensated) {
      const T sum = total + x, part = sum - total;
      lost += (total - (sum - part)) + (x - part);
      total = sum;
    } else {
      total = cpu::wrap_add(total, x);
    }
  }
  __device__ void merge(const Sum& other) {
    add(other.total);
    if constexpr (compensated) lost += other.lost;
  }
  // After an infinity the lost part is NaN and says nothing.
  __device__ T result() const {
    if constexpr (compensated) return total - total == 0 ? total + lost : total;
    else return total;
  }
};

template <class T> struct Max {
  static constexpr bool compensated = false;
  T total = cpu::least_value<T>(), lost = 0;
  __device__ void add(T x) { total = cpu::max_nan(x, total); }
  __device__ void merge(const Max& other) { add(other.total); }
  __device__ T result() const { return total; }
};

/// The accumulator of another lane; `fetch` is a shuffle of one number.
template <class A, class F> __device__ A from_lane(const A& own, F fetch) {
  A other;
  other.total = fetch(own.total);
  if constexpr (A::compensated) other.lost = fetch(own.lost);
  return other;
}

/// All lanes get the whole warp's; what was rounded away can differ in its last bit from lane to lane.
template <class A> __device__ void merge_warp(A& own) {
  for (int bits = 16; bits > 0; bits /= 2)
    own.merge(from_lane(own, [bits](auto x) { return __shfl_xor_sync(whole_warp, x, bits); }));
}

/// All threads of a block of one axis get the same bits of the whole block's; all must come here.
template <int threads, class A> __device__ void merge_block(A& own) {
  using T = decltype(own.total);
  constexpr int warps = threads / 32;
  CHRONOTOPE_SHARED(T, totals, warps);
  CHRONOTOPE_SHARED(T, losts, warps);
  merge_warp(own);
  __syncthreads();  // those of the merge before have been read
  if (threadIdx.x % 32 == 0) {
    totals[threadIdx.x / 32] = own.total;
    losts[threadIdx.x / 32] = own.lost;
  }
  __syncthreads();
  own = A();
  for (int w = 0; w < warps; ++w) {
    A other;
    other.total = totals[w];
    other.lost = losts[w];
    own.merge(other);
  }
}

}  // namespace chronotope::cuda
