#pragma once
// Products of tiles for attention. A tile has 32 columns, four to each of eight lanes side by side; operands lie in shared memory with
// the axis that is summed over outermost, four numbers of a tile's row or column together, so that a step of a product is
// R / 4 + 1 reads of four numbers for 4 R multiplications.

#include <utility>

#include "attention_layout.hpp"
#include "chronotope/core/shape.hpp"
#include "pack.hpp"

namespace chronotope::cuda {

inline constexpr int tile_columns = 32, column_quads = 8;

/// How W warps share a tile: a thread has R rows by 4 columns, a warp 4 R rows of its own.
template <int R, int W> struct TileTeam {
  static constexpr int thread_rows = R, threads = 32 * W, warp_rows = 4 * R, rows = 4 * R * W, quads = rows / 4;
  __device__ static int column_quad() { return static_cast<int>(threadIdx.x) % column_quads; }
  __device__ static int row() { return static_cast<int>(threadIdx.x) / column_quads * R; }
  __device__ static int row_quad() { return row() / 4; }
};

/// Where quad number `quad` of line k lies. Eight lanes meet in no bank, whether they take one line or every fourth; with four quads a
/// line, two of every fourth do.
template <int quads> __device__ int place_of(int k, int quad) {
  constexpr int mask = (quads < column_quads ? quads : column_quads) - 1;
  return k * quads + (quad ^ (k / 4 & mask));
}

/// f(0) … f(n - 1), one after another in the code too: what f indexes by its argument can stay in registers.
template <int n, class F> __device__ void each_slice(F f) {
  [&]<int... j>(std::integer_sequence<int, j...>) { (f(j), ...); }(std::make_integer_sequence<int, n>());
}

/// A thread's part of a tile.
template <class T, int R> struct Tile {
  T v[R][4] = {};

  /// v[r][c] += the sum over k < n of left(k, r / 4)[r % 4] right(k)[c], added up by itself first.
  template <class L, class C> __device__ void add_product(int n, L left, C right) {
    Tile sum;
    for (int k = 0; k < n; ++k) {
      const Quad<T> column = right(k);
      for (int i = 0; i < R / 4; ++i) {
        const Quad<T> row = left(k, i);
        for (int r = 0; r < 4; ++r)
          for (int c = 0; c < 4; ++c) sum.v[4 * i + r][c] += row.value[r] * column.value[c];
      }
    }
    each([&](int r, int c) { v[r][c] += sum.v[r][c]; });
  }
  template <class F> __device__ static void each(F f) {
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < 4; ++c) f(r, c);
  }
  /// To lines of the columns, for a product over them.
  template <class Team, class S> __device__ void store_columns(S& to) const {
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < R / 4; ++i)
        to[place_of<Team::quads>(4 * Team::column_quad() + c, Team::row_quad() + i)] =
            Quad<T>{{v[4 * i][c], v[4 * i + 1][c], v[4 * i + 2][c], v[4 * i + 3][c]}};
  }
};

/// [rows, H, D] whose last axis is dense.
template <class T> struct HeadRows {
  T* data;
  std::int64_t row_step, head_step;
  int width;
  bool packed;  ///< quads can be moved at once

  explicit HeadRows(const View& v)
      : data(v.as<T>()), row_step(v.strides[0]), head_step(v.strides[1]), width(static_cast<int>(v.shape[2])),
        packed(width % 4 == 0 && (v.shape[0] < 2 || row_step % 4 == 0) && (v.shape[1] < 2 || head_step % 4 == 0) &&
               reinterpret_cast<std::uintptr_t>(data) % alignof(Quad<T>) == 0) {}

  __device__ T* at(std::int64_t row, std::int64_t head) const { return data + row * row_step + head * head_step; }
  /// Columns column … column + 3 of a head; zeros beyond its width and where there is no row.
  __device__ Quad<T> load(const T* head, int column) const {
    Quad<T> quad{};
    if (!head || column >= width) return quad;
    if (packed) return *reinterpret_cast<const Quad<T>*>(head + column);
    for (int c = 0; c < 4 && column + c < width; ++c) quad.value[c] = head[column + c];
    return quad;
  }
  __device__ void store(T* head, int column, const Quad<T>& quad) const {
    if (column >= width) return;
    if (packed) *reinterpret_cast<Quad<T>*>(head + column) = quad;
    else
      for (int c = 0; c < 4 && column + c < width; ++c) head[column + c] = quad.value[c];
  }
};

/// Columns column … column + 31 of row(0) … row(rows - 1), each a head or null, to lines first … of the columns.
template <int rows, int threads, class S, class T, class Row>
__device__ void stage_columns(S& to, int first, const HeadRows<T>& x, int column, Row row) {
  constexpr int quads = rows / 4;
  for (int i = static_cast<int>(threadIdx.x); i < quads * column_quads && column + i / quads * 4 < x.width; i += threads) {
    const int quad = i % quads, c = i / quads * 4;
    const Quad<T> a = x.load(row(4 * quad), column + c), b = x.load(row(4 * quad + 1), column + c), d = x.load(row(4 * quad + 2), column + c),
                  e = x.load(row(4 * quad + 3), column + c);
    for (int j = 0; j < 4; ++j) to[place_of<quads>(first + c + j, quad)] = Quad<T>{{a.value[j], b.value[j], d.value[j], e.value[j]}};
  }
}

/// The same of 32 rows, to lines of the rows.
template <int threads, class S, class T, class Row> __device__ void stage_rows(S& to, const HeadRows<T>& x, int column, Row row) {
  for (int i = static_cast<int>(threadIdx.x); i < tile_columns * column_quads; i += threads)
    to[i] = x.load(row(i / column_quads), column + i % column_quads * 4);
}

/// All columns of row(0) … row(rows - 1), to stay.
template <class Team, class S, class T, class Row> __device__ void keep_columns(S& to, const HeadRows<T>& x, Row row) {
  for (int column = 0; column < x.width; column += tile_columns) stage_columns<Team::rows, Team::threads>(to, column, x, column, row);
}

/// tile += kept x^T over a head's width, of 32 rows of x; all threads of the block must come here, those that are not `active` only to help.
template <class Team, class T, int R, class K, class S, class Row>
__device__ void add_over_width(Tile<T, R>& tile, K& kept, S& stage, const HeadRows<T>& x, bool active, Row row) {
  for (int column = 0; column < x.width; column += tile_columns) {
    __syncthreads();  // what was staged before has been used
    stage_columns<tile_columns, Team::threads>(stage, 0, x, column, row);
    __syncthreads();
    if (!active) continue;
    const auto left = [&](int k, int i) -> Quad<T> { return kept[place_of<Team::quads>(column + k, Team::row_quad() + i)]; };
    const auto right = [&](int k) -> Quad<T> { return stage[place_of<column_quads>(k, Team::column_quad())]; };
    tile.add_product(x.width - column < tile_columns ? x.width - column : tile_columns, left, right);
  }
}

/// tiles[j] += weights x over `count` <= 32 rows of x, columns first + 32 j …; `weights` are Tile::store_columns()'s. All threads as above.
template <class Team, class T, int R, int J, class P, class S, class Row>
__device__ void add_weighted(Tile<T, R> (&tiles)[J], P& weights, S& stage, const HeadRows<T>& x, int first, int count, bool active, Row row) {
  each_slice<J>([&](int j) {
    const int column = first + j * tile_columns;
    if (column >= x.width) return;
    __syncthreads();  // what was staged before has been used, and the weights are there
    stage_rows<Team::threads>(stage, x, column, row);
    __syncthreads();
    const auto left = [&](int k, int i) -> Quad<T> { return weights[place_of<Team::quads>(k, Team::row_quad() + i)]; };
    const auto right = [&](int k) -> Quad<T> { return stage[k * column_quads + Team::column_quad()]; };
    if (active) tiles[j].add_product(count, left, right);
  });
}

/// Row r's columns first … of a thread's tiles, times `factor`.
template <class Team, class T, int R, int J>
__device__ void store_row(const HeadRows<T>& to, T* head, int first, const Tile<T, R> (&tiles)[J], int r, T factor) {
  each_slice<J>([&](int j) {
    const T(&v)[4] = tiles[j].v[r];
    to.store(head, first + j * tile_columns + 4 * Team::column_quad(), Quad<T>{{v[0] * factor, v[1] * factor, v[2] * factor, v[3] * factor}});
  });
}

}  // namespace chronotope::cuda
