// dq of attention, by units of queries as in the forward pass: dq = scale * sum over keys of p (dout v - delta) k, tile by tile of 32 keys in
// the order of Visits. Floor and work as in attention.cu, with three products a pair.
#include "attention_backward.hpp"

namespace chronotope::cuda {

namespace {

/// p (dout v^T - delta), from scores and products.
template <class Sizes, class T, int R, class S, class N>
__device__ void differentiate(Tile<T, R>& scores, const Tile<T, R>& products, const KeyTile& tile, S& sights, N& log_sums, N& deltas, T factor) {
  const std::int32_t key = tile.begin + 4 * Sizes::column_quad();
  for (int r = 0; r < R; ++r) {
    const Sight sight = sights[Sizes::row() + r];
    const KeyRange seen = sight.range(tile.of_segment);
    const T log_sum = log_sums[Sizes::row() + r], delta = deltas[Sizes::row() + r];
    for (int c = 0; c < 4; ++c) {
      const T p = seen.holds(key + c) ? std::exp2(scores.v[r][c] * factor - log_sum) : T{0};
      scores.v[r][c] = p * (products.v[r][c] - delta);
    }
  }
}

template <class T, class Sizes> __global__ void __launch_bounds__(Sizes::threads) differentiate_queries(AttentionGradients<T> g, std::int32_t parts) {
  CHRONOTOPE_SHARED(Quad<T>, queries, Sizes::padded * Sizes::quads);
  CHRONOTOPE_SHARED(Quad<T>, grads, Sizes::padded * Sizes::quads);
  CHRONOTOPE_SHARED(Quad<T>, stage, tile_columns * column_quads);
  CHRONOTOPE_SHARED(Quad<T>, weights, tile_columns * Sizes::quads);
  CHRONOTOPE_SHARED(Sight, sights, Sizes::rows);
  CHRONOTOPE_SHARED(std::int32_t, numbers, Sizes::rows);
  CHRONOTOPE_SHARED(T, log_sums, Sizes::rows);
  CHRONOTOPE_SHARED(T, deltas, Sizes::rows);
  const AttentionTask<T>& task = g.task;
  const std::int64_t items = std::int64_t{*task.sequences.unit_count} * task.heads * parts;
  for (std::int64_t i = blockIdx.x; i < items; i += gridDim.x) {
    const AttentionItem item(i, task.heads, parts);
    const Unit unit = task.sequences.units[item.tile];
    __syncthreads();  // the unit before has been used
    load_unit<Sizes>(task.sequences, unit, numbers, sights);
    __syncthreads();
    keep_columns<Sizes>(queries, task.q, [&](int row) { return query_head(task.q, numbers, row, item.head); });
    keep_columns<Sizes>(grads, g.dout, [&](int row) { return query_head(g.dout, numbers, row, item.head); });
    for (int row = static_cast<int>(threadIdx.x); row < Sizes::rows; row += Sizes::threads) {
      const std::int32_t number = numbers[row];
      log_sums[row] = number < 0 ? T{0} : g.log_sum(number, item.head);
      deltas[row] = number < 0 ? T{0} : g.delta[std::int64_t{number} * task.heads + item.head];
    }
    Tile<T, Sizes::thread_rows> sums[Sizes::slices];
    Visits visits(sights, unit.count);
    for (KeyTile tile; visits.next(tile);) {
      const bool active = warp_sees<Sizes>(sights, tile);
      const auto key_row = [&](int key) { return key_head(task.k, tile, key, item.head); };
      Tile<T, Sizes::thread_rows> scores, products;
      add_over_width<Sizes>(scores, queries, stage, task.k, active, key_row);
      add_over_width<Sizes>(products, grads, stage, task.v, active, [&](int key) { return key_head(task.v, tile, key, item.head); });
      if (active) differentiate<Sizes>(scores, products, tile, sights, log_sums, deltas, task.factor());
      if (active) scores.template store_columns<Sizes>(weights);
      add_weighted<Sizes>(sums, weights, stage, task.k, item.part * Sizes::columns, tile.count, active, key_row);
    }
    for (int r = 0; r < Sizes::thread_rows; ++r) {
      const std::int32_t number = numbers[Sizes::row() + r];
      if (number >= 0) store_row<Sizes>(g.dq, g.dq.at(number, item.head), item.part * Sizes::columns, sums, r, task.scale);
    }
  }
}

template <class T, class Sizes> void run(const Queue& queue, const AttentionGradients<T>& g, std::int64_t most_units) {
  const std::int32_t parts = Sizes::parts(g.dq.width);
  const std::int64_t items = most_units * g.task.heads * parts;
  if (items > 0) launch(queue, "attention_backward", differentiate_queries<T, Sizes>, blocks_for(items, 1), Sizes::threads, g, parts);
}

}  // namespace

template <> void attention_query_gradient(const Queue& queue, const AttentionGradients<float>& g, std::int64_t most_units) {
  const int width = g.dq.width;
  const auto with = [&]<class Sizes>(Sizes) { run<float, Sizes>(queue, g, most_units); };
  if (width <= 32) with(AttentionSizes<float, 32, 8, 2, 1>());
  else if (width <= 64) with(AttentionSizes<float, 64, 8, 2, 2>());
  else if (width <= 128) with(AttentionSizes<float, 128, 4, 2, 4>());
  else with(AttentionSizes<float, 256, 4, 1, 4>());
}

template <> void attention_query_gradient(const Queue& queue, const AttentionGradients<double>& g, std::int64_t most_units) {
  run<double, AttentionSizes<double, 128, 4, 1, 2>>(queue, g, most_units);
}

}  // namespace chronotope::cuda
