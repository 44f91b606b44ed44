#pragma once
// Work on matrices row by row: a warp for each narrow row, a block for each wide one.

#include "accumulate.hpp"
#include "chronotope/core/shape.hpp"
#include "launch.hpp"
#include "pack.hpp"

namespace chronotope::cuda {

/// [R, D] whose last axis is dense; rows may be strided or repeated.
template <class T> struct Rows {
  T* data;
  std::int64_t stride;

  explicit Rows(const View& v) : data(v.as<T>()), stride(v.strides[0]) {}
  __device__ T* row(std::int64_t r) const { return data + r * stride; }
};

/// Whether Rows describes it.
inline bool is_rows(const View& v) { return is_floating(v.dtype) && v.shape.rank() == 2 && (v.shape[1] <= 1 || v.strides[1] == 1); }
/// Whether all are rows of one shape and dtype.
template <class... V> bool are_like_rows(const View& first, const V&... others) {
  return is_rows(first) && ((is_rows(others) && others.dtype == first.dtype && others.shape == first.shape) && ...);
}
/// Whether it is a dense vector [n].
inline bool is_vector(const View& v, DType dtype, std::int64_t n) {
  return v.dtype == dtype && v.shape.rank() == 1 && v.shape[0] == n && (n <= 1 || v.strides[0] == 1);
}
/// Whether all are of one shape and floating dtype and without gaps.
template <class... V> bool are_dense(const View& first, const V&... others) {
  const auto is_like = [&](const View& v) { return v.dtype == first.dtype && v.shape == first.shape && v.contiguous(); };
  return is_floating(first.dtype) && is_like(first) && (is_like(others) && ...);
}

/// Whether lines of `columns` numbers along the last axes of these can be moved in packs of 16 bytes.
template <class T, class... V> bool are_packs(std::int64_t columns, const V&... views) {
  constexpr int pack = pack_of<T>;
  const auto begin_packs = [](const View& v) {
    bool all = fits_packs<T, pack>(v.template as<T>());
    for (int axis = 0; axis + 1 < v.shape.rank(); ++axis) all = all && v.strides[axis] % pack == 0;
    return all;
  };
  return columns % pack == 0 && (begin_packs(views) && ...);
}
/// f(V) for the numbers of a pack: 16 bytes, or one.
template <class T, class F> void with_packs(bool packs, F f) {
  if (packs) f(std::integral_constant<int, pack_of<T>>());
  else f(std::integral_constant<int, 1>());
}

/// f(T{}) for the type of a floating dtype.
template <class F> void with_floating(DType dtype, F f) {
  if (dtype == DType::f32) f(0.0f);
  else f(0.0);
}

/// The threads of a row, side by side along threadIdx.x; merge() gives all of them the same bits.
struct WarpTeam {
  static constexpr int threads = 32, rows = 4;  ///< rows of a block
  template <class A> __device__ static void merge(A& own) {
    merge_warp(own);
    own = from_lane(own, [](auto x) { return __shfl_sync(whole_warp, x, 0); });
  }
};
struct BlockTeam {
  static constexpr int threads = 256, rows = 1;
  template <class A> __device__ static void merge(A& own) { merge_block<threads>(own); }
};

/// f(i) for the elements of this thread.
template <class Team, class F> __device__ void each_element(std::int64_t n, F f) {
  for (std::int64_t i = threadIdx.x; i < n; i += Team::threads) f(i);
}

/// The sum over a row of f(i), for all threads of the team.
template <class Team, class T, class F> __device__ T row_sum(std::int64_t n, F f) {
  Sum<T> sum;
  each_element<Team>(n, [&](std::int64_t i) { sum.add(f(i)); });
  Team::merge(sum);
  return sum.result();
}

/// f(p, packs...) for this thread's packs, number p of a row, of V numbers each. The row is whole packs.
template <class Team, int V, class F, class... T> __device__ void each_pack_of(std::int64_t columns, F f, const T*... in) {
  for (std::int64_t p = threadIdx.x; p < columns / V; p += Team::threads) f(p, reinterpret_cast<const Pack<T, V>*>(in)[p]...);
}

/// out[i] = f(in[i]...), which may be where it came from.
template <class Team, int V, class T, class F, class... In> __device__ void map_row(std::int64_t columns, T* out, F f, const In*... in) {
  const auto compute = [&](std::int64_t p, const Pack<In, V>... from) {  // by value: one load each
    Pack<T, V> to;
    for (int v = 0; v < V; ++v) to.value[v] = f(from.value[v]...);
    reinterpret_cast<Pack<T, V>*>(out)[p] = to;
  };
  each_pack_of<Team, V>(columns, compute, in...);
}

/// A, say a sum, of f(in[i]...) over a row, for all threads of the team.
template <class A, class Team, int V, class F, class... In> __device__ auto over_row(std::int64_t columns, F f, const In*... in) {
  A all;
  const auto add = [&](std::int64_t, const Pack<In, V>... from) {
    for (int v = 0; v < V; ++v) all.add(f(from.value[v]...));
  };
  each_pack_of<Team, V>(columns, add, in...);
  Team::merge(all);
  return all.result();
}

/// All threads of a block leave at once, so f may have barriers.
template <class Team, class F> __global__ void each_row(std::int64_t rows, F f) {
  for (std::int64_t r = std::int64_t{blockIdx.x} * Team::rows + threadIdx.y; r < rows; r += std::int64_t{gridDim.x} * Team::rows)
    f.template row<Team>(r);
}

/// f.row<Team>(r) for all rows, on the device, by the threads of a team together.
template <class F> void for_rows(const Queue& queue, const char* operation, std::int64_t rows, std::int64_t columns, const F& f) {
  constexpr std::int64_t narrow = 512;
  const auto start = [&]<class Team>(Team) {
    launch(queue, operation, each_row<Team, F>, blocks_for(rows, Team::rows), dim3(Team::threads, Team::rows), rows, f);
  };
  if (rows == 0 || columns == 0) return;
  if (columns <= narrow) start(WarpTeam());
  else start(BlockTeam());
}

}  // namespace chronotope::cuda
