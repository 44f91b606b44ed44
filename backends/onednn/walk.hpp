#pragma once
// The lines of a strided loop (cpu/strided.hpp) divided among threads.

#include "cpu/strided.hpp"
#include "stream.hpp"

namespace chronotope::onednn {

template <int N> std::int64_t line_count(const cpu::Loop<N>& loop) {
  if (loop.empty) return 0;
  std::int64_t lines = 1;
  for (int axis = 0; axis + 1 < loop.rank; ++axis) lines *= loop.extent[axis];
  return lines;
}

/// Calls line(offsets) for the lines [begin, end) in row-major order.
template <int N, class F> void for_lines(const cpu::Loop<N>& loop, std::int64_t begin, std::int64_t end, F&& line) {
  if (begin >= end) return;  // an empty loop has extents that cannot be divided by
  std::array<std::int64_t, max_rank> index{};
  std::array<std::int64_t, N> offset{};
  std::int64_t rest = begin;
  for (int axis = loop.rank - 2; axis >= 0; --axis) {
    index[axis] = rest % loop.extent[axis];
    rest /= loop.extent[axis];
    for (int o = 0; o < N; ++o) offset[o] += index[axis] * loop.stride[o][axis];
  }
  for (; begin < end; ++begin) {
    line(offset);
    for (int axis = loop.rank - 2; axis >= 0; --axis) {
      for (int o = 0; o < N; ++o) offset[o] += loop.stride[o][axis];
      if (++index[axis] < loop.extent[axis]) break;
      for (int o = 0; o < N; ++o) offset[o] -= loop.stride[o][axis] * loop.extent[axis];
      index[axis] = 0;
    }
  }
}

/// Calls piece(offsets, n) on threads so that all elements of all lines are covered: whole lines where there are enough
/// of them, otherwise parts of lines. `weight` is the cost of an element compared with an addition.
template <int N, class F>
void parallel_lines(const Impl& impl, const cpu::Loop<N>& loop, std::int64_t weight, F&& piece) {
  const std::int64_t lines = line_count(loop), n = lines > 0 ? loop.line() : 0;
  if (lines >= 4 * std::int64_t{impl.threads}) {
    parallel(impl, lines, weight * lines * n, [&](std::int64_t begin, std::int64_t end, int) {
      for_lines(loop, begin, end, [&](const auto& at) { piece(at, n); });
    });
    return;
  }
  for_lines(loop, 0, lines, [&](const auto& at) {
    parallel(impl, n, weight * n, 64, [&](std::int64_t begin, std::int64_t end, int) {
      auto from = at;
      for (int o = 0; o < N; ++o) from[o] += begin * loop.step(o);
      piece(from, end - begin);
    });
  });
}

}  // namespace chronotope::onednn
