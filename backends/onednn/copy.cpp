// Copies between views of one element size: whole lines where both sides are dense, tiles where one side is transposed.

#include <cstring>

#include "cpu/loops.hpp"
#include "walk.hpp"

namespace chronotope {
namespace {

using onednn::Impl;

constexpr std::int64_t tile = 16;  // of 4-byte elements: a cache line on both sides

template <class T> struct Plane {
  T* out;
  const T* in;
  std::int64_t rows, columns, out_row, in_column;  ///< out is dense along columns, in along rows
};

/// Reads run along `in` as streams that the processor prefetches; each line of `out` is written at once.
template <class T> void transpose_rows(const Plane<T>& p, std::int64_t begin, std::int64_t end) {
  for (std::int64_t c0 = 0; c0 < p.columns; c0 += tile) {
    const std::int64_t c1 = std::min(p.columns, c0 + tile);
    for (std::int64_t r = begin; r < end; ++r) {
      T* out = p.out + r * p.out_row;
      const T* in = p.in + r;
      for (std::int64_t c = c0; c < c1; ++c) out[c] = in[c * p.in_column];
    }
  }
}

/// Transposes in the plane of `axis`, along which `in` is dense, and the last axis, along which `out` is.
template <class T> void copy_planes(const Impl& impl, cpu::Loop<2> loop, int axis, T* out, const T* in) {
  const int last = loop.rank - 1;
  const std::int64_t rows = loop.extent[axis], columns = loop.line();
  const std::int64_t out_row = loop.stride[0][axis], in_column = loop.step(1);
  for (int i = axis; i + 1 < last; ++i) {  // the plane's rows leave the loop; its last axis becomes the line
    loop.extent[i] = loop.extent[i + 1];
    for (auto& stride : loop.stride) stride[i] = stride[i + 1];
  }
  loop.extent[last - 1] = columns;
  for (auto& stride : loop.stride) stride[last - 1] = stride[last];
  --loop.rank;
  const auto copy_plane = [&](const auto& at, std::int64_t begin, std::int64_t end) {
    transpose_rows(Plane<T>{out + at[0], in + at[1], rows, columns, out_row, in_column}, begin, end);
  };
  const std::int64_t planes = onednn::line_count(loop), elements = planes * rows * columns;
  if (planes >= impl.threads) {
    onednn::parallel(impl, planes, elements, [&](std::int64_t begin, std::int64_t end, int) {
      onednn::for_lines(loop, begin, end, [&](const auto& at) { copy_plane(at, 0, rows); });
    });
    return;
  }
  onednn::for_lines(loop, 0, planes, [&](const auto& at) {
    onednn::parallel(impl, rows, rows * columns, tile,
                     [&](std::int64_t begin, std::int64_t end, int) { copy_plane(at, begin, end); });
  });
}

/// The axis along which `in` is dense, when it is another than the last one; -1 when there is none.
int dense_axis(const cpu::Loop<2>& loop) {
  for (int axis = loop.rank - 2; axis >= 0; --axis) {
    if (loop.stride[1][axis] == 1) return axis;
  }
  return -1;
}

/// Copies elements of the size of T; false where neither lines nor tiles fit.
template <class T> bool copy_as(const Impl& impl, const View& out, const View& in) {
  const auto loop = cpu::make_loop(out, in);
  if (loop.empty) return true;
  T* to = static_cast<T*>(out.data);
  const T* from = static_cast<const T*>(in.data);
  if (loop.step(0) != 1) return false;
  if (loop.step(1) == 1) {
    onednn::parallel_lines(impl, loop, 1, [&](const auto& at, std::int64_t n) {
      std::memcpy(to + at[0], from + at[1], static_cast<std::size_t>(n) * sizeof(T));
    });
    return true;
  }
  if (loop.step(1) == 0) {
    onednn::parallel_lines(impl, loop, 1,
                           [&](const auto& at, std::int64_t n) { std::fill_n(to + at[0], n, from[at[1]]); });
    return true;
  }
  const int axis = dense_axis(loop);
  if (axis < 0) return false;
  copy_planes(impl, loop, axis, to, from);
  return true;
}

}  // namespace

void onednn_backend::copy(stream& s, const View& out, const View& in) {
  bool done = false;
  if (out.dtype == in.dtype) {
    switch (size_of(out.dtype)) {
      case 4: done = copy_as<std::uint32_t>(s.impl(), out, in); break;
      case 8: done = copy_as<std::uint64_t>(s.impl(), out, in); break;
      default: done = copy_as<std::uint8_t>(s.impl(), out, in);
    }
  }
  if (!done) cpu::copy(out, in);
}

}  // namespace chronotope
