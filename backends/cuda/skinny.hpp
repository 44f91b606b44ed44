#pragma once
// Products in which a sample's few rows [R, W] meet its many items [k, W] by weights or sums [R, k]; R is a dozen or two. cuBLAS would fill tiles
// of 32 rows or more with them and, where sums run over the items, occupy a block a sample. Here 16 rows at a time lie in registers, or in shared
// memory, where a warp reads four of them at once; an element of the items is read once for the 16 and may be computed while it is read.
// Sums are blocked, in an order that the sizes alone say.

#include "cpu/arithmetic.hpp"
#include "pack.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

/// Samples, rows R and items k of each, and their width W.
struct Skinny {
  std::int64_t samples, rows, items, width;
};

inline constexpr int row_group = 16, group_packs = row_group / 4;  // rows of one round
inline constexpr int dot_items = 128, dot_columns = 32;            // dots(): a thread for each item
inline constexpr int side_columns = 32, side_lanes = 8;            // pool(), spread(): threads of a block
inline constexpr int tile_items = 64, lane_items = tile_items / side_lanes;

/// Where a block works: tile number t of all samples.
struct SkinnyTile {
  std::int64_t sample, first, second;  ///< of `count` and `others` tiles of a sample

  __device__ SkinnyTile(std::int64_t t, std::int64_t count, std::int64_t others)
      : sample(t / (count * others)), first(t % (count * others) / others), second(t % others) {}
};

inline __host__ __device__ std::int64_t tiles_of(std::int64_t n, std::int64_t each) { return (n + each - 1) / each; }

/// Rows `row`, … of `row + 3`, at an offset of each; 0 beyond the rows.
template <class T> __device__ Quad<T> four_rows(const T* data, std::int64_t row, std::int64_t rows, std::int64_t stride, std::int64_t at) {
  Quad<T> four;
  for (int i = 0; i < 4; ++i) four.value[i] = row + i < rows ? data[(row + i) * stride + at] : T{0};
  return four;
}

/// sums += x times those of 16 rows that there are; they lie in shared memory.
template <class T, class S> __device__ void add_products(T (&sums)[row_group], S& few, int at, std::int64_t rows, T x) {
  for (int p = 0; p < group_packs; ++p) {
    if (p * 4 >= rows) continue;  // no break: the loop is to be unrolled
    const Quad<T> four = few[at + p];
    for (int i = 0; i < 4; ++i) sums[p * 4 + i] += four.value[i] * x;
  }
}

/// store(sample, row, item, row . item, item . item) for all of them; item.there(sample, j), and item.value(sample, j, column) of those there.
template <class T, class Item, class Store> __global__ void dots(Skinny size, const T* rows, Item item, Store store) {
  CHRONOTOPE_SHARED(T, tile, dot_items * (dot_columns + 1));
  CHRONOTOPE_SHARED(Quad<T>, few, dot_columns * group_packs);
  const int x = static_cast<int>(threadIdx.x), lane = x % dot_columns, warp = x / dot_columns;
  const std::int64_t across = tiles_of(size.items, dot_items), groups = tiles_of(size.rows, row_group);
  for (std::int64_t t = blockIdx.x; t < size.samples * across * groups; t += gridDim.x) {
    const SkinnyTile at(t, across, groups);
    const std::int64_t first = at.first * dot_items, row = at.second * row_group;
    T total[row_group] = {}, square = 0;
    for (std::int64_t c0 = 0; c0 < size.width; c0 += dot_columns) {
      const bool inside = c0 + lane < size.width;
      __syncthreads();  // the columns before have been read
      for (int i = warp; i < dot_items; i += dot_items / dot_columns) {
        const bool is_there = inside && first + i < size.items && item.there(at.sample, first + i);
        tile[i * (dot_columns + 1) + lane] = is_there ? item.value(at.sample, first + i, c0 + lane) : T{0};
      }
      few[lane * group_packs + warp] =
          inside ? four_rows(rows + at.sample * size.rows * size.width, row + warp * 4, size.rows, size.width, c0 + lane) : Quad<T>{};
      __syncthreads();
      T part[row_group] = {}, part_square = 0;
      for (int c = 0; c < dot_columns; ++c) {
        const T value = tile[x * (dot_columns + 1) + c];
        add_products(part, few, c * group_packs, size.rows - row, value);
        part_square += value * value;
      }
      for (int r = 0; r < row_group; ++r) total[r] += part[r];
      square += part_square;
    }
    for (int r = 0; r < row_group; ++r)
      if (row + r < size.rows && first + x < size.items) store(at.sample, row + r, first + x, total[r], square);
  }
}

/// Weights [R, k] of 64 items and 16 rows to shared memory, [item][pack]; all threads of a block come here.
template <class T, class S> __device__ void stage_weights(const Skinny& size, const T* weights, std::int64_t first, std::int64_t row, S& few) {
  const int thread = static_cast<int>(threadIdx.y * side_columns + threadIdx.x), i = thread % tile_items, pack = thread / tile_items;
  __syncthreads();  // those before have been read
  few[i * group_packs + pack] = first + i < size.items ? four_rows(weights, row + pack * 4, size.rows, size.items, first + i) : Quad<T>{};
  __syncthreads();
}

/// out [samples, R, W] = sums over the items of weight times item.
template <class T, class Item> __global__ void pool(Skinny size, const T* weights, Item item, T* out) {
  CHRONOTOPE_SHARED(Quad<T>, few, tile_items * group_packs);
  CHRONOTOPE_SHARED(T, totals, row_group * side_lanes * side_columns);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const std::int64_t across = tiles_of(size.width, side_columns), groups = tiles_of(size.rows, row_group);
  for (std::int64_t t = blockIdx.x; t < size.samples * across * groups; t += gridDim.x) {
    const SkinnyTile at(t, across, groups);
    const std::int64_t column = at.first * side_columns + x, row = at.second * row_group;
    T total[row_group] = {};
    for (std::int64_t first = 0; first < size.items; first += tile_items) {
      stage_weights(size, weights + at.sample * size.rows * size.items, first, row, few);
      T part[row_group] = {};
      for (int i = y; i < tile_items; i += side_lanes) {
        if (first + i >= size.items || !item.there(at.sample, first + i)) continue;  // all lanes of a warp alike
        const T value = column < size.width ? item.value(at.sample, first + i, column) : T{0};
        add_products(part, few, i * group_packs, size.rows - row, value);
      }
      for (int r = 0; r < row_group; ++r) total[r] += part[r];
    }
    for (int r = 0; r < row_group; ++r) totals[(r * side_lanes + y) * side_columns + x] = total[r];
    __syncthreads();
    for (int r = y; r < row_group; r += side_lanes) {
      T sum = 0;
      for (int lane = 0; lane < side_lanes; ++lane) sum += totals[(r * side_lanes + lane) * side_columns + x];
      if (row + r < size.rows && column < size.width) out[(at.sample * size.rows + row + r) * size.width + column] = sum;
    }
  }
}

/// store(sample, item, column, the sum over the rows of weight times row) for all of them.
template <class T, class Store> __global__ void spread(Skinny size, const T* weights, const T* rows, Store store) {
  CHRONOTOPE_SHARED(Quad<T>, few, tile_items * group_packs);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const std::int64_t down = tiles_of(size.items, tile_items), across = tiles_of(size.width, side_columns);
  for (std::int64_t t = blockIdx.x; t < size.samples * down * across; t += gridDim.x) {
    const SkinnyTile at(t, down, across);
    const std::int64_t first = at.first * tile_items, column = at.second * side_columns + x;
    T sums[lane_items] = {};
    for (std::int64_t row = 0; row < size.rows; row += row_group) {
      stage_weights(size, weights + at.sample * size.rows * size.items, first, row, few);
      Quad<T> own[group_packs] = {};
      for (int p = 0; p < group_packs && column < size.width; ++p)
        own[p] = four_rows(rows + at.sample * size.rows * size.width, row + p * 4, size.rows, size.width, column);
      for (int i = 0; i < lane_items; ++i)
        for (int p = 0; p < group_packs; ++p) {
          if (row + p * 4 >= size.rows) continue;
          const Quad<T> weight = few[(i * side_lanes + y) * group_packs + p];
          for (int r = 0; r < 4; ++r) sums[i] += weight.value[r] * own[p].value[r];
        }
    }
    for (int i = 0; i < lane_items; ++i) {
      const std::int64_t j = first + i * side_lanes + y;
      if (j < size.items && column < size.width) store(at.sample, j, column, sums[i]);
    }
  }
}

template <class T, class Item, class Store>
void run_dots(const Queue& queue, const char* operation, const Skinny& size, const T* rows, const Item& item, const Store& store) {
  const std::int64_t tiles = size.samples * tiles_of(size.items, dot_items) * tiles_of(size.rows, row_group);
  launch(queue, operation, dots<T, Item, Store>, blocks_for(tiles, 1), dot_items, size, rows, item, store);
}

template <class T, class Item>
void run_pool(const Queue& queue, const char* operation, const Skinny& size, const T* weights, const Item& item, T* out) {
  const std::int64_t tiles = size.samples * tiles_of(size.width, side_columns) * tiles_of(size.rows, row_group);
  launch(queue, operation, pool<T, Item>, blocks_for(tiles, 1), dim3(side_columns, side_lanes), size, weights, item, out);
}

template <class T, class Store>
void run_spread(const Queue& queue, const char* operation, const Skinny& size, const T* weights, const T* rows, const Store& store) {
  const std::int64_t tiles = size.samples * tiles_of(size.items, tile_items) * tiles_of(size.width, side_columns);
  launch(queue, operation, spread<T, Store>, blocks_for(tiles, 1), dim3(side_columns, side_lanes), size, weights, rows, store);
}

}  // namespace chronotope::cuda
