#pragma once
// Gradients of weights: sums over all rows of values that are computed on the way. Rows are cut into parts, as many as
// their number alone says; the sums of the parts lie in scratch memory and are added in order. No atomics.

#include <algorithm>
#include <array>

#include "accumulate.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

inline constexpr int sums_width = 32, sums_height = 8;

/// Of part blockIdx.y, to parts [part][K][columns]; f.values(row, column) gives K values.
template <class T, int K, class F> __global__ void sum_part(std::int64_t rows, std::int64_t columns, F f, Sum<T>* parts) {
  CHRONOTOPE_SHARED(T, totals, K * sums_width * sums_height);
  CHRONOTOPE_SHARED(T, losts, K * sums_width * sums_height);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const std::int64_t begin = rows * blockIdx.y / gridDim.y, end = rows * (blockIdx.y + 1) / gridDim.y;
  for (std::int64_t first = std::int64_t{blockIdx.x} * sums_width; first < columns; first += std::int64_t{gridDim.x} * sums_width) {
    const std::int64_t column = first + x;
    std::array<Sum<T>, K> sums;
    for (std::int64_t r = begin + y; column < columns && r < end; r += sums_height) {
      const std::array<T, K> values = f.values(r, column);
      for (int k = 0; k < K; ++k) sums[k].add(values[k]);
    }
    __syncthreads();  // the columns before have been read
    for (int k = 0; k < K; ++k) {
      totals[(k * sums_height + y) * sums_width + x] = sums[k].total;
      losts[(k * sums_height + y) * sums_width + x] = sums[k].lost;
    }
    __syncthreads();
    if (y >= K || column >= columns) continue;
    Sum<T> all;  // of the values y
    for (int above = 0; above < sums_height; ++above) {
      Sum<T> other;
      other.total = totals[(y * sums_height + above) * sums_width + x];
      other.lost = losts[(y * sums_height + above) * sums_width + x];
      all.merge(other);
    }
    parts[(std::int64_t{blockIdx.y} * K + y) * columns + column] = all;
  }
}

/// A thread for each sum.
template <class T, int K> __global__ void add_parts(std::int64_t columns, std::int64_t parts, const Sum<T>* from, std::array<T*, K> to) {
  for (std::int64_t i = first_item(); i < K * columns; i += item_step()) {
    Sum<T> all;
    for (std::int64_t part = 0; part < parts; ++part) all.merge(from[part * K * columns + i]);
    T* into = to[0];  // not to[i / columns]: an array that is indexed at run time lies in local memory
    for (int k = 1; k < K; ++k)
      if (i / columns == k) into = to[k];
    into[i % columns] = all.result();
  }
}

/// to[k][column] = the sum over rows of f.values(row, column)[k], computed on the device.
template <class T, int K, class F>
void column_sums(const Queue& queue, const char* operation, std::int64_t rows, std::int64_t columns, const F& f, const std::array<T*, K>& to) {
  static_assert(K <= sums_height);
  constexpr std::int64_t part_rows = 64, most_parts = 128;
  if (columns == 0) return;
  const std::int64_t parts = std::min(most_parts, std::max<std::int64_t>(1, (rows + part_rows - 1) / part_rows));
  const Scratch scratch(queue, static_cast<std::size_t>(parts * K * columns) * sizeof(Sum<T>), operation);
  launch(queue, operation, sum_part<T, K, F>, dim3(blocks_for(columns, sums_width), static_cast<unsigned>(parts)), dim3(sums_width, sums_height),
         rows, columns, f, scratch.as<Sum<T>>());
  launch(queue, operation, add_parts<T, K>, blocks_for(K * columns, 128), 128, columns, parts, scratch.as<Sum<T>>(), to);
}

}  // namespace chronotope::cuda
