#pragma once
// Iteration over several views of one shape: axes that lie one behind the other in every operand are merged, then an
// odometer walks all but the last axis and hands out whole lines. Index arithmetic is paid once a line, not an element.

#include <array>
#include <cstdint>

#include "chronotope/core/shape.hpp"

// Iterations do not depend on one another, also when the output is exactly an input: without this the compiler's own
// overlap test would send every in-place operation down the scalar path.
#if defined(__clang__)
#define CHRONOTOPE_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define CHRONOTOPE_IVDEP _Pragma("GCC ivdep")
#else
#define CHRONOTOPE_IVDEP
#endif

namespace chronotope::cpu {

/// The merged axes of N operands; at least one axis, the last one is the line.
template <int N> struct Loop {
  int rank = 0;
  bool empty = false;
  std::array<std::int64_t, max_rank> extent{};
  std::array<std::array<std::int64_t, max_rank>, N> stride{};  ///< [operand][axis], in elements

  std::int64_t line() const { return extent[rank - 1]; }
  std::int64_t step(int operand) const { return stride[operand][rank - 1]; }
  bool merged_to_line() const { return rank == 1; }

  /// Adds an inner axis, merging it with the one before where every operand allows it.
  void push(std::int64_t n, const std::array<std::int64_t, N>& strides) {
    if (n == 0) empty = true;
    if (n == 1) return;
    if (rank > 0 && follows(n, strides)) extent[rank - 1] *= n;
    else extent[rank++] = n;
    for (int o = 0; o < N; ++o) stride[o][rank - 1] = strides[o];
  }

  /// To be called after the last push: a loop over nothing but extents of 1 is one line of one element.
  void finish() {
    if (rank > 0) return;
    rank = 1;
    extent[0] = 1;
    for (auto& s : stride) s[0] = 1;
  }

 private:
  bool follows(std::int64_t n, const std::array<std::int64_t, N>& strides) const {
    for (int o = 0; o < N; ++o)
      if (stride[o][rank - 1] != strides[o] * n) return false;
    return true;
  }
};

/// The loop over `shape`, axes first … last - 1, of operands with these strides.
template <class... S>
Loop<static_cast<int>(sizeof...(S))> make_loop(const Shape& shape, int first, int last, const S&... strides) {
  Loop<static_cast<int>(sizeof...(S))> loop;
  for (int axis = first; axis < last; ++axis) loop.push(shape[axis], {strides[axis]...});
  loop.finish();
  return loop;
}

/// The loop over all of `out` and operands of its shape.
template <class... V> Loop<1 + static_cast<int>(sizeof...(V))> make_loop(const View& out, const V&... in) {
  return make_loop(out.shape, 0, out.shape.rank(), out.strides, in.strides...);
}

/// Calls line(offsets) with the element offset of each operand at the start of each line, in row-major order.
template <int N, class F> void for_each_line(const Loop<N>& loop, F&& line) {
  if (loop.empty) return;
  std::array<std::int64_t, max_rank> index{};
  std::array<std::int64_t, N> offset{};
  for (;;) {
    line(offset);
    int axis = loop.rank - 2;
    for (; axis >= 0; --axis) {
      for (int o = 0; o < N; ++o) offset[o] += loop.stride[o][axis];
      if (++index[axis] < loop.extent[axis]) break;
      for (int o = 0; o < N; ++o) offset[o] -= loop.stride[o][axis] * loop.extent[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

}  // namespace chronotope::cpu
