// Forward attention with the softmax computed as keys arrive (Milakov & Gimelshein 2018; Dao et al., FlashAttention,
// 2022). A block of kRow queries lies across the vector lanes, so maxima and sums need no reduction inside a vector.

// Lane counts must be known when compiling: tiles are arrays of vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/attention_forward.cpp"
#include <hwy/foreach_target.h>

#include <cmath>
#include <limits>

#include "attention.hpp"
#include "attention_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

/// Scratch memory of one thread, for some heads of one sequence.
struct ForwardBuffers {
  Packed k, v;
  std::int64_t lane_block;     ///< floats of a block [D rounded up, kRow]
  float *q, *staging;          ///< a block for each head
  float *out, *p;              ///< a block, [kStep, kRow]
  std::int64_t floats;

  ForwardBuffers(Arena arena, std::int64_t visible, std::int64_t heads, std::int64_t dim)
      : k(arena, heads, visible, dim), v(arena, heads, visible, dim), lane_block(k.stride * kRow) {
    q = arena.take(heads * lane_block);
    staging = arena.take(heads * lane_block);
    out = arena.take(lane_block);
    p = arena.take(kStep * kRow);
    floats = arena.used();
  }
};

/// Packed operands of one head.
struct ForwardHead {
  Packed k, v;
  float *q, *out, *p;

  ForwardHead(const ForwardBuffers& b, std::int64_t h)
      : k(b.k.head(h)), v(b.v.head(h)), q(b.q + h * b.lane_block), out(b.out), p(b.p) {
    std::fill_n(out, b.lane_block, 0.0f);
  }
};

/// Up to kRow queries of one unit. Rows and keys count from the first token of the sequence.
struct QueryBlock {
  alignas(64) std::int32_t rows[kRow];
  alignas(64) float top[kRow];  ///< greatest score so far, base 2
  alignas(64) float sum[kRow];  ///< of 2^(score - top)
  std::int64_t keys_end[kVectors];
  int vectors;

  QueryBlock(const std::int32_t* query_rows, std::int64_t count, std::int64_t first) {
    vectors = vectors_for(count);
    for (std::int64_t i = 0; i < kRow; ++i) {
      // Lanes without a query repeat the last one: they see at least one key and are thrown away.
      rows[i] = static_cast<std::int32_t>(query_rows[std::min(i, count - 1)] - first);
      top[i] = kLowest;
      sum[i] = 0;
    }
    for (int i = 0; i < kVectors; ++i) keys_end[i] = round_up(rows[(i + 1) * kLanes - 1] + 1, kTile);
  }
};

/// Scores of keys that a query does not see become the lowest number.
template <int NV>
HWY_INLINE void mask_scores(Tile<NV>& scores, std::int64_t key, const std::int32_t* rows) {
  const hn::RebindToSigned<Lanes> di;
#pragma GCC unroll 4
  for (int i = 0; i < NV; ++i) {
    const auto row = hn::Load(di, rows + i * kLanes);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      const auto hidden = hn::RebindMask(lanes, hn::Gt(hn::Set(di, static_cast<std::int32_t>(key + j)), row));
      scores.v[j][i] = hn::IfThenElse(hidden, hn::Set(lanes, kLowest), scores.v[j][i]);
    }
  }
}

/// Scores of keys [begin, end) to head.p; greatest score so far to `top`.
template <int NV>
HWY_INLINE void score_keys(const ForwardHead& head, const QueryBlock& block, int v0, std::int64_t begin,
                           std::int64_t end, Vector (&top)[NV]) {
  const std::int64_t lane = v0 * kLanes;
  for (std::int64_t key = begin; key < end; key += kTile) {
    Tile<NV> scores = dot_products<NV>(head.k, key, head.q + lane);
    if (key + kTile - 1 > block.rows[lane]) mask_scores(scores, key, block.rows + lane);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) top[i] = hn::Max(top[i], scores.v[j][i]);
    scores.store(head.p + (key - begin) * kRow, kRow);
  }
}

/// p = 2^(p - top) in place; adds to `sum`.
template <int NV>
HWY_INLINE void exponentiate(float* p, std::int64_t keys, const Vector (&top)[NV], Vector (&sum)[NV]) {
#pragma GCC unroll 4
  for (std::int64_t key = 0; key < keys; ++key, p += kRow) {
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) {
      const Vector e = exp2(lanes, hn::Sub(hn::Load(lanes, p + i * kLanes), top[i]));
      sum[i] = hn::Add(sum[i], e);
      hn::Store(e, lanes, p + i * kLanes);
    }
  }
}

/// out = out * correction + p^T v
template <int NV>
HWY_INLINE void add_values(const ForwardHead& head, int v0, std::int64_t begin, std::int64_t end,
                           const Vector (&correction)[NV]) {
  for (std::int64_t column = 0; column < head.v.stride; column += kTile) {
    float* out = head.out + column * kRow + v0 * kLanes;
    Tile<NV> c;
    c.load(out, kRow);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) c.v[j][i] = hn::Mul(c.v[j][i], correction[i]);
    accumulate(c, head.v.at(begin) + column, head.v.stride, head.p, kRow, end - begin);
    c.store(out, kRow);
  }
}

/// Lets the vectors v0 … v0 + NV of the block see keys [begin, end).
template <int NV>
HWY_NOINLINE void visit_keys(const ForwardHead& head, QueryBlock& block, int v0, std::int64_t begin,
                             std::int64_t end) {
  const std::int64_t lane = v0 * kLanes;
  Vector top[NV], sum[NV], correction[NV];
  for (int i = 0; i < NV; ++i) top[i] = hn::Load(lanes, block.top + lane + i * kLanes);
  score_keys<NV>(head, block, v0, begin, end, top);
  for (int i = 0; i < NV; ++i) {
    correction[i] = exp2(lanes, hn::Sub(hn::Load(lanes, block.top + lane + i * kLanes), top[i]));
    sum[i] = hn::Mul(hn::Load(lanes, block.sum + lane + i * kLanes), correction[i]);
    hn::Store(top[i], lanes, block.top + lane + i * kLanes);
  }
  exponentiate<NV>(head.p, end - begin, top, sum);
  for (int i = 0; i < NV; ++i) hn::Store(sum[i], lanes, block.sum + lane + i * kLanes);
  add_values<NV>(head, v0, begin, end, correction);
}

void visit_all_keys(const ForwardHead& head, QueryBlock& block) {
  for (std::int64_t key = 0, end; key < block.keys_end[block.vectors - 1]; key = end) {
    int v0 = 0;
    while (block.keys_end[v0] <= key) ++v0;
    end = std::min(block.keys_end[v0], key + kStep);
    switch (block.vectors - v0) {
      case 3: visit_keys<3>(head, block, v0, key, end); break;
      case 2: visit_keys<2>(head, block, v0, key, end); break;
      default: visit_keys<1>(head, block, v0, key, end);
    }
  }
}

/// Divides the sums of values by the sums of weights; lse [count] with entries `stride` apart.
void finish_block(const ForwardHead& head, QueryBlock& block, float* staging, float* lse, std::int64_t stride,
                  std::int64_t count, std::int64_t dim) {
  for (std::int64_t i = 0; i < count; ++i) lse[i * stride] = block.top[i] * kLn2 + std::log(block.sum[i]);
  for (std::int64_t i = 0; i < kRow; ++i) block.sum[i] = 1.0f / block.sum[i];
  interleave_lanes(staging, head.out, block.sum, count, dim);
}

void forward_heads(const AttentionTask& task, const Sequence& s, std::int64_t first_head, std::int64_t heads,
                   float* scratch) {
  const float factor = task.scale * kLog2E;
  const ForwardBuffers buffers(Arena(scratch), s.visible, heads, task.dim);
  pack_rows(buffers.k, task.k.from(s.token, first_head), s.visible, heads, task.dim);
  pack_rows(buffers.v, task.v.from(s.token, first_head), s.visible, heads, task.dim);
  for (std::int64_t query = s.query, end = s.query + s.queries; query < end; query += kRow) {
    const std::int64_t count = std::min(kRow, end - query);
    pack_lanes(buffers.q, buffers.staging, task.q.from(query, first_head), count, heads, task.dim, factor);
    for (std::int64_t h = 0; h < heads; ++h) {
      const ForwardHead head(buffers, h);
      QueryBlock block(task.query_rows + query, count, s.token);
      visit_all_keys(head, block);
      float* lse = task.lse + query * task.heads + first_head + h;
      finish_block(head, block, buffers.staging + h * buffers.lane_block, lse, task.heads, count, task.dim);
    }
    unpack_lanes(task.out.from(query, first_head), buffers.staging, count, heads, task.dim);
  }
}

std::int64_t group_size(const AttentionTask& task, std::int64_t visible) {
  return heads_at_a_time(ForwardBuffers(Arena(), visible, 1, task.dim).floats, task.heads);
}

std::int64_t forward_scratch(const AttentionTask& task) {
  std::int64_t most = 0;
  task.plan->units(0, 1, [&](const Sequence& s, std::int64_t, std::int64_t) {
    most = std::max(most, ForwardBuffers(Arena(), s.visible, group_size(task, s.visible), task.dim).floats);
  });
  return most;
}

void forward(const AttentionTask& task, int part, int parts, float* scratch) {
  task.plan->units(part, parts, [&](const Sequence& s, std::int64_t first, std::int64_t end) {
    if (s.queries == 0) return;
    const std::int64_t group = group_size(task, s.visible);
    for (; first < end; first += group) forward_heads(task, s, first, std::min(group, end - first), scratch);
  });
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {

HWY_EXPORT(forward_scratch);
HWY_EXPORT(forward);

std::int64_t attention_forward_scratch(const AttentionTask& task) {
  return HWY_DYNAMIC_DISPATCH(forward_scratch)(task);
}

void attention_forward(const AttentionTask& task, int part, int parts, float* scratch) {
  HWY_DYNAMIC_DISPATCH(forward)(task, part, parts, scratch);
}

}  // namespace chronotope::onednn
#endif
