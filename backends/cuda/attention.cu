// Attention over packed sequences, forward (after FlashAttention-2, Dao 2023): a block takes a unit of queries of one sequence and one
// head, keeps its queries in shared memory and visits the keys that they see, 32 at a time, with a running maximum, sum and output of
// each query. Nothing of size [T, T], nor of [Q, T], is kept.
//
// Floor: 2 width multiplications a visible pair and head; q, k, v and out once through memory. Done: those of tiles of 32 keys that a
// query of the unit sees, for each warp that sees one; so O(visible pairs), rounded up to tiles, and a lone query costs its warp's rows.
// The order: tile by tile, in each tile key by key. Plain multiplications of the dtype, no tensor cores; loads are not overlapped with
// arithmetic but by other blocks.
#include "attention.hpp"

namespace chronotope::cuda {

namespace {

/// What a thread knows of its rows.
template <class T, class Sizes> struct RowState {
  static constexpr int R = Sizes::thread_rows;
  T top[R], sum[R];  ///< the sum is of this thread's columns
  Tile<T, R> out[Sizes::slices];

  __device__ RowState() {
    for (int r = 0; r < R; ++r) top[r] = std::numeric_limits<T>::lowest(), sum[r] = 0;
  }

  /// Turns scores into weights. Hidden keys score minus infinity, and `top` is never that.
  template <class S> __device__ void weigh(Tile<T, R>& scores, const KeyTile& tile, S& sights, T factor) {
    const std::int32_t key = tile.begin + 4 * Sizes::column_quad();
    for (int r = 0; r < R; ++r) {
      const Sight sight = sights[Sizes::row() + r];
      const KeyRange seen = sight.range(tile.of_segment);
      T(&row)[4] = scores.v[r];
      T most = top[r];
      for (int c = 0; c < 4; ++c) {
        row[c] = seen.holds(key + c) ? row[c] * factor : -std::numeric_limits<T>::infinity();
        most = row[c] > most ? row[c] : most;
      }
      for (int bits = column_quads / 2; bits > 0; bits /= 2) {
        const T other = __shfl_xor_sync(0xFFFFFFFFu, most, bits);
        most = other > most ? other : most;
      }
      for (int c = 0; c < 4; ++c) row[c] = std::exp2(row[c] - most);
      shrink(r, std::exp2(top[r] - most));
      sum[r] += (row[0] + row[1]) + (row[2] + row[3]);
      top[r] = most;
    }
  }
  __device__ void shrink(int r, T by) {
    sum[r] *= by;
    for (int j = 0; j < Sizes::slices; ++j)
      for (int c = 0; c < 4; ++c) out[j].v[r][c] *= by;
  }
};

template <class Sizes, class T, class N>
__device__ void store(const AttentionTask<T>& task, const AttentionItem& item, RowState<T, Sizes>& rows, N& numbers) {
  for (int r = 0; r < Sizes::thread_rows; ++r) {
    T sum = rows.sum[r];
    for (int bits = column_quads / 2; bits > 0; bits /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, bits);
    const std::int32_t number = numbers[Sizes::row() + r];
    if (number < 0) continue;
    store_row<Sizes>(task.out, task.out.at(number, item.head), item.part * Sizes::columns, rows.out, r, T{1} / sum);
    if (item.part == 0 && Sizes::column_quad() == 0)
      task.lse[std::int64_t{number} * task.heads + item.head] = rows.top[r] * static_cast<T>(std::numbers::ln2) + std::log(sum);
  }
}

template <class T, class Sizes> __global__ void __launch_bounds__(Sizes::threads) attend(AttentionTask<T> task, std::int32_t parts) {
  CHRONOTOPE_SHARED(Quad<T>, queries, Sizes::padded * Sizes::quads);
  CHRONOTOPE_SHARED(Quad<T>, stage, tile_columns * column_quads);
  CHRONOTOPE_SHARED(Quad<T>, weights, tile_columns * Sizes::quads);
  CHRONOTOPE_SHARED(Sight, sights, Sizes::rows);
  CHRONOTOPE_SHARED(std::int32_t, numbers, Sizes::rows);
  const std::int64_t items = std::int64_t{*task.sequences.unit_count} * task.heads * parts;
  for (std::int64_t i = blockIdx.x; i < items; i += gridDim.x) {
    const AttentionItem item(i, task.heads, parts);
    const Unit unit = task.sequences.units[item.tile];
    __syncthreads();  // the unit before has been used
    load_unit<Sizes>(task.sequences, unit, numbers, sights);
    __syncthreads();
    keep_columns<Sizes>(queries, task.q, [&](int row) { return query_head(task.q, numbers, row, item.head); });
    RowState<T, Sizes> rows;
    Visits visits(sights, unit.count);
    for (KeyTile tile; visits.next(tile);) {
      const bool active = warp_sees<Sizes>(sights, tile);
      Tile<T, Sizes::thread_rows> scores;
      add_over_width<Sizes>(scores, queries, stage, task.k, active, [&](int key) { return key_head(task.k, tile, key, item.head); });
      if (active) rows.weigh(scores, tile, sights, task.factor());
      if (active) scores.template store_columns<Sizes>(weights);
      const auto value = [&](int key) { return key_head(task.v, tile, key, item.head); };
      add_weighted<Sizes>(rows.out, weights, stage, task.v, item.part * Sizes::columns, tile.count, active, value);
    }
    store<Sizes>(task, item, rows, numbers);
  }
}

template <class T, class Sizes>
void run(const Queue& queue, const View& out, const View& lse, const View& q, const View& k, const View& v, const AttentionLayout& layout,
         double scale) {
  const AttentionPlan plan(queue, layout, k.shape[0], Sizes::rows);
  const std::int32_t parts = Sizes::parts(q.shape[2]);
  const std::int64_t items = plan.most_units() * q.shape[1] * parts;
  if (items > 0)
    launch(queue, "attention", attend<T, Sizes>, blocks_for(items, 1), Sizes::threads, AttentionTask<T>(plan, q, k, v, out, lse, scale), parts);
}

}  // namespace

bool attention(const Queue& queue, const View& out, const View& lse, const View& q, const View& k, const View& v, const AttentionLayout& layout,
               double scale) {
  if (!attention_covers(out, lse, q, k, v, layout)) return false;
  const std::int64_t width = q.shape[2];
  const auto with = [&]<class T, class Sizes>(T, Sizes) { run<T, Sizes>(queue, out, lse, q, k, v, layout, scale); };
  if (q.dtype == DType::f64) with(0.0, AttentionSizes<double, 128, 4, 1, 2>());
  else if (width <= 32) with(0.0f, AttentionSizes<float, 32, 8, 2, 1>());
  else if (width <= 64) with(0.0f, AttentionSizes<float, 64, 4, 4, 2>());
  else if (width <= 128) with(0.0f, AttentionSizes<float, 128, 4, 4, 4>());
  else with(0.0f, AttentionSizes<float, 256, 4, 2, 4>());
  return true;
}

}  // namespace chronotope::cuda
