// Forward attention with the softmax computed as keys arrive (Milakov & Gimelshein 2018; Dao et al., FlashAttention,
// 2022). A block of kRow queries lies across the vector lanes, so maxima and sums need no reduction inside a vector.

// Lane counts must be known when compiling: tiles are arrays of vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/attention_forward.cpp"
#include <hwy/foreach_target.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "attention.hpp"
#include "attention_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

/// Scratch memory of one thread, for some heads of one sequence: keys and values of the root, then those of branches.
struct ForwardBuffers {
  Packed k, v;
  std::int64_t own;         ///< row of the first key of a branch
  std::int64_t lane_block;  ///< floats of a block [D rounded up, kRow]
  float *q, *staging;       ///< a block for each head
  float *out, *p;           ///< a block, [kStep, kRow]
  std::int64_t floats;

  ForwardBuffers(Arena arena, const Sequence& s, std::int64_t heads, std::int64_t dim)
      : k(arena, heads, rows(s), dim), v(arena, heads, rows(s), dim), own(round_up(s.visible, kTile)),
        lane_block(k.stride * kRow) {
    q = arena.take(heads * lane_block);
    staging = arena.take(heads * lane_block);
    out = arena.take(lane_block);
    p = arena.take(kStep * kRow);
    floats = arena.used();
  }

 private:
  /// Tiles of branches' keys begin at any row and may reach past the last one.
  static std::int64_t rows(const Sequence& s) {
    return round_up(s.visible, kTile) + (s.own_count > 0 ? s.own_count + kTile : 0);
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

/// The packed keys that each lane sees: from … to - 1.
struct Window {
  alignas(64) std::int32_t from[kRow], to[kRow];
};

/// Up to kRow queries of one unit.
struct QueryBlock {
  Window root, own;
  alignas(64) float top[kRow];         ///< greatest score so far, base 2
  alignas(64) float sum[kRow];         ///< of 2^(score - top)
  alignas(64) float next[kRow];        ///< `top` after the step
  alignas(64) float correction[kRow];  ///< 2^(top - next)
  std::int64_t keys_end[kVectors];     ///< of the root
  int vectors;

  QueryBlock(const Query* queries, std::int64_t count, std::int64_t first_own) : vectors(vectors_for(count)) {
    for (std::int64_t i = 0; i < kRow; ++i) {
      // Lanes without a query repeat the last one: they see at least one key and are thrown away.
      const Query& query = queries[std::min(i, count - 1)];
      root.from[i] = 0;
      root.to[i] = query.seen;
      const std::int64_t before = query.own_end > 0 ? first_own : 0;
      own.from[i] = static_cast<std::int32_t>(before + query.own_begin);
      own.to[i] = static_cast<std::int32_t>(before + query.own_end);
      top[i] = kLowest;
      sum[i] = 0;
    }
    for (int i = 0; i < kVectors; ++i) keys_end[i] = round_up(root.to[(i + 1) * kLanes - 1], kTile);
  }
};

/// Keys [begin, end) and the vectors `vector` … that see them.
struct Piece {
  int vector, vectors;
  std::int64_t begin, end;
};

/// At most kStep keys between two corrections of what has been added up. Which keys of a query come together depends on
/// their places in its own sequence alone, and keys that it does not see add exact zeros: so its result does not depend
/// on its neighbours in the block.
struct Step {
  std::int64_t begin, end;  ///< keys; the first is in row 0 of p, and whole tiles may reach past the last
  bool own;                 ///< keys of branches
  Piece pieces[kVectors]{};
  int count = 0;

  void add(const Piece& piece) { pieces[count++] = piece; }
  int first_vector() const { return pieces[0].vector; }
  int vectors() const { return pieces[0].vectors; }  ///< of the first piece, which has all that the others have
};

/// Scores of keys that a query does not see, or from `end` on, become the lowest number.
template <int NV>
HWY_INLINE void mask_scores(Tile<NV>& scores, std::int64_t key, const Window& window, std::int64_t lane,
                            std::int64_t end) {
  const hn::RebindToSigned<Lanes> di;
#pragma GCC unroll 4
  for (int i = 0; i < NV; ++i) {
    const auto from = hn::Load(di, window.from + lane + i * kLanes);
    const auto to = hn::Min(hn::Load(di, window.to + lane + i * kLanes), hn::Set(di, static_cast<std::int32_t>(end)));
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      const auto row = hn::Set(di, static_cast<std::int32_t>(key + j));
      const auto seen = hn::RebindMask(lanes, hn::AndNot(hn::Gt(from, row), hn::Gt(to, row)));
      scores.v[j][i] = hn::IfThenElse(seen, scores.v[j][i], hn::Set(lanes, kLowest));
    }
  }
}

/// Scores of a piece's keys to p; greatest score so far to block.next.
template <int NV>
HWY_NOINLINE void score_keys(const ForwardHead& head, QueryBlock& block, const Step& step, const Piece& piece) {
  const std::int64_t lane = piece.vector * kLanes;
  const Window& window = step.own ? block.own : block.root;
  Vector top[NV];
  for (int i = 0; i < NV; ++i) top[i] = hn::Load(lanes, block.next + lane + i * kLanes);
  for (std::int64_t key = piece.begin; key < piece.end; key += kTile) {
    Tile<NV> scores = dot_products<NV>(head.k, key, head.q + lane);
    if (step.own || key + kTile > window.to[lane]) mask_scores(scores, key, window, lane, step.end);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) top[i] = hn::Max(top[i], scores.v[j][i]);
    scores.store(head.p + (key - step.begin) * kRow + lane, kRow);
  }
  for (int i = 0; i < NV; ++i) hn::Store(top[i], lanes, block.next + lane + i * kLanes);
}

/// p = 2^(p - top) in place; adds to `sum`.
template <int NV>
HWY_NOINLINE void exponentiate(const ForwardHead& head, QueryBlock& block, const Step& step, const Piece& piece) {
  const std::int64_t lane = piece.vector * kLanes;
  Vector top[NV], sum[NV];
  for (int i = 0; i < NV; ++i) {
    top[i] = hn::Load(lanes, block.top + lane + i * kLanes);
    sum[i] = hn::Load(lanes, block.sum + lane + i * kLanes);
  }
  float* p = head.p + (piece.begin - step.begin) * kRow + lane;
#pragma GCC unroll 4
  for (std::int64_t key = piece.begin; key < piece.end; ++key, p += kRow) {
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) {
      const Vector e = exp2(lanes, hn::Sub(hn::Load(lanes, p + i * kLanes), top[i]));
      sum[i] = hn::Add(sum[i], e);
      hn::Store(e, lanes, p + i * kLanes);
    }
  }
  for (int i = 0; i < NV; ++i) hn::Store(sum[i], lanes, block.sum + lane + i * kLanes);
}

/// out = out * correction + p^T v
template <int NV>
HWY_NOINLINE void add_values(const ForwardHead& head, QueryBlock& block, const Step& step, const Piece& piece) {
  const std::int64_t lane = piece.vector * kLanes;
  Vector correction[NV];
  for (int i = 0; i < NV; ++i) {
    correction[i] = hn::Load(lanes, block.correction + lane + i * kLanes);
    hn::Store(hn::Set(lanes, 1.0f), lanes, block.correction + lane + i * kLanes);  // once a step
  }
  const float* p = head.p + (piece.begin - step.begin) * kRow + lane;
  for (std::int64_t column = 0; column < head.v.stride; column += kTile) {
    float* out = head.out + column * kRow + lane;
    Tile<NV> c;
    c.load(out, kRow);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) c.v[j][i] = hn::Mul(c.v[j][i], correction[i]);
    accumulate(c, head.v.at(piece.begin) + column, head.v.stride, p, kRow, piece.end - piece.begin);
    c.store(out, kRow);
  }
}

/// The vectors of a step go over to their new `top`.
void correct(QueryBlock& block, const Step& step) {
  for (int i = step.first_vector(); i < step.first_vector() + step.vectors(); ++i) {
    const std::int64_t lane = i * kLanes;
    const Vector next = hn::Load(lanes, block.next + lane);
    const Vector correction = exp2(lanes, hn::Sub(hn::Load(lanes, block.top + lane), next));
    hn::Store(hn::Mul(hn::Load(lanes, block.sum + lane), correction), lanes, block.sum + lane);
    hn::Store(correction, lanes, block.correction + lane);
    hn::Store(next, lanes, block.top + lane);
  }
}

template <class F>
HWY_INLINE void each_piece(const Step& step, F&& f) {
  for (int i = 0; i < step.count; ++i) {
    switch (step.pieces[i].vectors) {
      case 3: f(std::integral_constant<int, 3>(), step.pieces[i]); break;
      case 2: f(std::integral_constant<int, 2>(), step.pieces[i]); break;
      default: f(std::integral_constant<int, 1>(), step.pieces[i]);
    }
  }
}

void visit_keys(const ForwardHead& head, QueryBlock& block, const Step& step) {
  std::copy_n(block.top, kRow, block.next);
  each_piece(step, [&](auto n, const Piece& piece) { score_keys<n>(head, block, step, piece); });
  correct(block, step);
  each_piece(step, [&](auto n, const Piece& piece) { exponentiate<n>(head, block, step, piece); });
  each_piece(step, [&](auto n, const Piece& piece) { add_values<n>(head, block, step, piece); });
}

/// Steps of kStep keys of the root; a vector leaves a step with the last key that one of its queries sees.
void visit_root(const ForwardHead& head, QueryBlock& block) {
  int v = 0;
  for (std::int64_t begin = 0; v < block.vectors; begin += kStep) {
    Step step{begin, begin + kStep, false};
    for (std::int64_t key = begin, end; key < begin + kStep && v < block.vectors; key = end) {
      end = std::min(block.keys_end[v], begin + kStep);
      step.add({v, block.vectors - v, key, end});
      while (v < block.vectors && block.keys_end[v] <= end) ++v;
    }
    visit_keys(head, block, step);
  }
}

/// One vector's queries and keys [begin, end) of branches.
void visit_own(const ForwardHead& head, QueryBlock& block, int vector, std::int64_t begin, std::int64_t end) {
  if (begin == end) return;
  Step step{begin, end, true};
  step.add({vector, 1, begin, begin + round_up(end - begin, kTile)});
  visit_keys(head, block, step);
}

/// The keys of the branches in one vector: as many branches in a step as it holds, and of a longer one kStep keys.
void visit_branches(const ForwardHead& head, QueryBlock& block, int vector) {
  const Window& own = block.own;
  std::int64_t begin = 0, end = 0;
  for (std::int64_t i = vector * kLanes, next; i < (vector + 1) * kLanes; i = next) {
    next = i + 1;
    while (next < (vector + 1) * kLanes && own.from[next] == own.from[i]) ++next;
    for (std::int64_t key = own.from[i], last = own.to[next - 1]; key < last; key += kStep) {
      const std::int64_t piece = std::min(key + kStep, last);
      if (key != end || piece - begin > kStep) {
        visit_own(head, block, vector, begin, end);
        begin = key;
      }
      end = piece;
    }
  }
  visit_own(head, block, vector, begin, end);
}

/// Divides the sums of values by the sums of weights; lse [Q] with entries `stride` apart.
void finish_block(const ForwardHead& head, QueryBlock& block, float* staging, float* lse, std::int64_t stride,
                  const Query* queries, std::int64_t count, std::int64_t dim) {
  for (std::int64_t i = 0; i < count; ++i) {
    lse[queries[i].index * stride] = block.top[i] * kLn2 + std::log(block.sum[i]);
  }
  for (std::int64_t i = 0; i < kRow; ++i) block.sum[i] = 1.0f / block.sum[i];
  interleave_lanes(staging, head.out, block.sum, count, dim);
}

void pack_keys(const Packed& packed, const Heads& x, const Sequence& s, std::int64_t own, std::int64_t heads,
               std::int64_t dim) {
  pack_rows(packed, 0, x, s.visible, [&](std::int64_t r) { return s.token + r; }, heads, dim);
  clear_rows(packed, s.visible, own, heads);
  pack_rows(packed, own, x, s.own_count, [&](std::int64_t r) { return s.own[r].token; }, heads, dim);
  clear_rows(packed, own + s.own_count, packed.rows, heads);
}

void forward_heads(const AttentionTask& task, const Sequence& s, std::int64_t first_head, std::int64_t heads,
                   float* scratch) {
  const float factor = task.scale * kLog2E;
  const ForwardBuffers buffers(Arena(scratch), s, heads, task.dim);
  pack_keys(buffers.k, task.k.from(0, first_head), s, buffers.own, heads, task.dim);
  pack_keys(buffers.v, task.v.from(0, first_head), s, buffers.own, heads, task.dim);
  for (std::int64_t first = 0; first < s.query_count; first += kRow) {
    const std::int64_t count = std::min(kRow, s.query_count - first);
    const Query* queries = s.queries + first;
    const auto index = [&](std::int64_t i) { return queries[i].index; };
    pack_lanes(buffers.q, buffers.staging, task.q.from(0, first_head), count, index, heads, task.dim, factor);
    for (std::int64_t h = 0; h < heads; ++h) {
      const ForwardHead head(buffers, h);
      QueryBlock block(queries, count, buffers.own);
      visit_root(head, block);
      for (int vector = 0; vector < block.vectors; ++vector) visit_branches(head, block, vector);
      finish_block(head, block, buffers.staging + h * buffers.lane_block, task.lse + first_head + h, task.heads,
                   queries, count, task.dim);
    }
    unpack_lanes(task.out.from(0, first_head), buffers.staging, count, index, heads, task.dim);
  }
}

std::int64_t group_size(const AttentionTask& task, const Sequence& s) {
  return heads_at_a_time(ForwardBuffers(Arena(), s, 1, task.dim).floats, task.heads);
}

std::int64_t forward_scratch(const AttentionTask& task) {
  std::int64_t most = 0;
  task.plan->units(0, 1, [&](const Sequence& s, std::int64_t, std::int64_t) {
    most = std::max(most, ForwardBuffers(Arena(), s, group_size(task, s), task.dim).floats);
  });
  return most;
}

void forward(const AttentionTask& task, int part, int parts, float* scratch) {
  task.plan->units(part, parts, [&](const Sequence& s, std::int64_t first, std::int64_t end) {
    if (s.query_count == 0) return;
    const std::int64_t group = group_size(task, s);
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
