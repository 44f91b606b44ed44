// dk and dv of attention, by tiles of neighbouring tokens: dv = sum over queries of p dout, dk = scale * sum of p (dout v - delta) q. A block keeps
// a tile's keys and values of one head and goes over the queries that see some of them, 32 at a time: first those of the tokens' own segments,
// which are neighbours, in the order of rows; then those of branches that hang on roots in the tile, by the order of the sequences. So a
// prefix's key collects from all its branches in one order; tokens that nobody sees get zeros.
//
// Floor: 4 width multiplications a visible pair and head. Done: those of tiles of 32 queries of which one sees a key of the tile, for each warp whose
// keys are seen; other tiles of the branches of a root cost a look each.
#include "attention_backward.hpp"

namespace chronotope::cuda {

namespace {

/// Queries first … end - 1, or those at such places.
struct Span {
  std::int32_t first, end;
};

/// Keys begin … begin + count - 1 and who may see them.
struct KeysSeen {
  std::int32_t begin, count;
  Span own, branches;

  __device__ KeysSeen(const Sequences& s, std::int32_t first, std::int32_t most)
      : begin(first), count(s.tokens - first < most ? s.tokens - first : most) {
    const std::int32_t last = count_below(s.offsets, s.segments, begin + count) - 1;  // the last token's segment
    own = {count_below(s.rows, s.queries, begin), count_below(s.rows, s.queries, s.offsets[last + 1])};
    branches = {0, 0};
    if (!s.order) return;
    const std::int32_t segment = count_below(s.offsets, s.segments, begin + 1) - 1, root = s.offsets[segment];
    branches = {count_below(s.roots, s.queries, root), count_below(s.roots, s.queries, begin + count)};
    // The first root's own queries come first at its places.
    if (branches.first < branches.end && s.roots[branches.first] == root)
      branches.first += count_below(s.rows, s.queries, s.offsets[segment + 1]) - count_below(s.rows, s.queries, root);
  }
  __device__ bool none() const { return own.first >= own.end && branches.first >= branches.end; }
};

/// Shared memory but for what is wide: 32 queries.
template <class N, class S, class F> struct QueryTile {
  N& numbers;
  S& sights;
  F &log_sums, &deltas;
  bool of_segment;  ///< they are asked for their own segment's keys, not for the root's that a branch hangs on

  template <class T> __device__ void load(const AttentionGradients<T>& g, const Span& span, std::int32_t at, std::int32_t head) {
    const int i = static_cast<int>(threadIdx.x);
    if (i >= tile_columns) return;
    const Sequences& s = g.task.sequences;
    const std::int32_t number = at + i >= span.end ? -1 : of_segment ? at + i : s.query(at + i);
    const Sight sight = number < 0 ? Sight::nothing() : s.sights[number];
    numbers[i] = number;
    sights[i] = of_segment || sight.in_branch() ? sight : Sight::nothing();
    log_sums[i] = number < 0 ? T{0} : g.log_sum(number, head);
    deltas[i] = number < 0 ? T{0} : g.delta[std::int64_t{number} * g.task.heads + head];
  }
  /// Whether one of them sees a key of begin … end - 1; the same for the lanes of a warp.
  __device__ bool see(std::int32_t begin, std::int32_t end) const {
    const Sight sight = sights[static_cast<int>(threadIdx.x) % 32];
    return __ballot_sync(0xFFFFFFFFu, sight.range(of_segment).meets(begin, end)) != 0;
  }
};

/// Scores to weights p.
template <class Sizes, class T, int R, class Q> __device__ void weigh(Tile<T, R>& scores, const Q& queries, std::int32_t first_key, T factor) {
  for (int c = 0; c < 4; ++c) {
    const int query = 4 * Sizes::column_quad() + c;
    const Sight sight = queries.sights[query];
    const KeyRange seen = sight.range(queries.of_segment);
    const T log_sum = queries.log_sums[query];
    for (int r = 0; r < R; ++r) scores.v[r][c] = seen.holds(first_key + r) ? std::exp2(scores.v[r][c] * factor - log_sum) : T{0};
  }
}

/// p (dout v^T - delta), from weights and products.
template <class Sizes, class T, int R, class Q> __device__ void differentiate(Tile<T, R>& weights, const Tile<T, R>& products, const Q& queries) {
  for (int c = 0; c < 4; ++c) {
    const T delta = queries.deltas[4 * Sizes::column_quad() + c];
    for (int r = 0; r < R; ++r) weights.v[r][c] *= products.v[r][c] - delta;
  }
}

template <class T, class Sizes> __global__ void __launch_bounds__(Sizes::threads) differentiate_keys(AttentionGradients<T> g, std::int32_t parts) {
  CHRONOTOPE_SHARED(Quad<T>, keys, Sizes::padded * Sizes::quads);
  CHRONOTOPE_SHARED(Quad<T>, values, Sizes::padded * Sizes::quads);
  CHRONOTOPE_SHARED(Quad<T>, stage, tile_columns * column_quads);
  CHRONOTOPE_SHARED(Quad<T>, weights, tile_columns * Sizes::quads);
  CHRONOTOPE_SHARED(Sight, sights, tile_columns);
  CHRONOTOPE_SHARED(std::int32_t, numbers, tile_columns);
  CHRONOTOPE_SHARED(T, log_sums, tile_columns);
  CHRONOTOPE_SHARED(T, deltas, tile_columns);
  constexpr int R = Sizes::thread_rows;
  const AttentionTask<T>& task = g.task;
  if (*task.sequences.broken) return;
  const std::int64_t tiles = (std::int64_t{task.sequences.tokens} + Sizes::rows - 1) / Sizes::rows, items = tiles * task.heads * parts;
  for (std::int64_t i = blockIdx.x; i < items; i += gridDim.x) {
    const AttentionItem item(i, task.heads, parts);
    const KeysSeen seen(task.sequences, static_cast<std::int32_t>(item.tile * Sizes::rows), Sizes::rows);
    Tile<T, R> dk[Sizes::slices], dv[Sizes::slices];
    __syncthreads();  // the tile before has been used
    const auto token = [&](const HeadRows<T>& x, int key) -> const T* { return key < seen.count ? x.at(seen.begin + key, item.head) : nullptr; };
    if (!seen.none()) {
      keep_columns<Sizes>(keys, task.k, [&](int key) { return token(task.k, key); });
      keep_columns<Sizes>(values, task.v, [&](int key) { return token(task.v, key); });
    }
    const std::int32_t first_key = seen.begin + Sizes::row(), warp_key = seen.begin + static_cast<int>(threadIdx.x) / 32 * Sizes::warp_rows;
    const auto collect = [&](const Span& span, bool of_segment) {
      QueryTile queries{numbers, sights, log_sums, deltas, of_segment};
      for (std::int32_t at = span.first; at < span.end; at += tile_columns) {
        __syncthreads();  // the queries before have been used
        queries.load(g, span, at, item.head);
        __syncthreads();
        if (!queries.see(seen.begin, seen.begin + seen.count)) continue;
        const bool active = queries.see(warp_key, warp_key + Sizes::warp_rows);
        const int count = span.end - at < tile_columns ? span.end - at : tile_columns;
        const auto query = [&](int row) { return query_head(task.q, numbers, row, item.head); };
        const auto grad = [&](int row) { return query_head(g.dout, numbers, row, item.head); };
        Tile<T, R> scores, products;
        add_over_width<Sizes>(scores, keys, stage, task.q, active, query);
        if (active) weigh<Sizes>(scores, queries, first_key, task.factor());
        if (active) scores.template store_columns<Sizes>(weights);
        add_weighted<Sizes>(dv, weights, stage, g.dout, item.part * Sizes::columns, count, active, grad);
        add_over_width<Sizes>(products, values, stage, g.dout, active, grad);
        if (active) differentiate<Sizes>(scores, products, queries);
        if (active) scores.template store_columns<Sizes>(weights);
        add_weighted<Sizes>(dk, weights, stage, task.q, item.part * Sizes::columns, count, active, query);
      }
    };
    collect(seen.own, true);
    collect(seen.branches, false);
    for (int r = 0; r < R; ++r) {
      if (Sizes::row() + r >= seen.count) continue;
      store_row<Sizes>(g.dk, g.dk.at(first_key + r, item.head), item.part * Sizes::columns, dk, r, task.scale);
      store_row<Sizes>(g.dv, g.dv.at(first_key + r, item.head), item.part * Sizes::columns, dv, r, T{1});
    }
  }
}

template <class T, class Sizes> void run(const Queue& queue, const AttentionGradients<T>& g) {
  const std::int32_t parts = Sizes::parts(g.dk.width);
  const std::int64_t items = (std::int64_t{g.task.sequences.tokens} + Sizes::rows - 1) / Sizes::rows * g.task.heads * parts;
  if (items > 0) launch(queue, "attention_backward", differentiate_keys<T, Sizes>, blocks_for(items, 1), Sizes::threads, g, parts);
}

}  // namespace

template <> void attention_key_gradient(const Queue& queue, const AttentionGradients<float>& g) {
  const int width = g.dk.width;
  const auto with = [&]<class Sizes>(Sizes) { run<float, Sizes>(queue, g); };
  if (width <= 32) with(AttentionSizes<float, 32, 4, 4, 1>());
  else if (width <= 64) with(AttentionSizes<float, 64, 4, 4, 2>());
  else if (width <= 128) with(AttentionSizes<float, 128, 4, 2, 4>());
  else with(AttentionSizes<float, 256, 4, 1, 4>());
}

template <> void attention_key_gradient(const Queue& queue, const AttentionGradients<double>& g) {
  run<double, AttentionSizes<double, 128, 4, 1, 1>>(queue, g);
}

}  // namespace chronotope::cuda
