// Backward attention. Probabilities are computed again from lse (Dao et al., FlashAttention, 2022, algorithm 4):
//   P = exp(scale q k^T - lse), dV = P^T dO, dS = P (dO v^T - delta), dQ = scale dS k, dK = scale dS^T q,
//   delta = sum(dO out).
// A block of kRow keys lies across the vector lanes and visits all queries that see it: dK and dV stay in the cache as
// [D, kRow] and only dQ, whose sum runs over the lanes, needs the other orientation. Keys of branches come after those
// of their root, a vector of them at a time, for few queries see them.
// Every sum is one chain in the order of keys or of queries; pairs that do not see each other add exact zeros.

// Lane counts must be known when compiling: tiles are arrays of vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/attention_backward.cpp"
#include <hwy/foreach_target.h>

#include "attention.hpp"
#include "attention_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

/// Scratch memory of one thread, for some heads of one sequence: their queries, and a block of kRow keys.
struct BackwardBuffers {
  Packed q, grad_out;
  std::int64_t queries, stride, lane_block;  ///< padded; D rounded up to vectors; floats of [D rounded up, kRow]
  std::int32_t *none, *seen;                 ///< [queries]: zeros, keys of the root
  std::int32_t *own_begin, *own_end;         ///< [queries]: keys of a branch
  float *lse, *delta, *grad_q;               ///< a head: [queries] base 2, [queries], [queries, stride]
  float *k_lanes, *v_lanes, *k_rows;         ///< a head: block, block, [kRow, stride]
  float *grad_k, *grad_v, *p, *ds;           ///< block, block, [kStep, kRow] twice
  float *staging, *staging_v;                ///< a head: block
  std::int64_t floats;

  BackwardBuffers(Arena arena, std::int64_t query_count, std::int64_t heads, std::int64_t dim)
      : q(arena, heads, query_count, dim), grad_out(arena, heads, query_count, dim), queries(q.rows),
        stride(round_up(dim, kLanes)), lane_block(q.stride * kRow) {
    for (std::int32_t** list : {&none, &seen, &own_begin, &own_end}) *list = arena.take_as<std::int32_t>(queries);
    for (float** list : {&lse, &delta}) *list = arena.take(heads * queries);
    grad_q = arena.take(heads * queries * stride);
    for (float** block : {&k_lanes, &v_lanes, &staging, &staging_v}) *block = arena.take(heads * lane_block);
    k_rows = arena.take(heads * kRow * stride);
    for (float** block : {&grad_k, &grad_v}) *block = arena.take(lane_block);
    for (float** block : {&p, &ds}) *block = arena.take(kStep * kRow);
    floats = arena.used();
  }
};

/// The keys that each query sees: from … to - 1.
struct Window {
  const std::int32_t *from, *to;
};

/// Packed operands of one head, and which keys are at hand.
struct BackwardHead {
  Packed q, grad_out;
  std::int64_t stride;
  bool own;  ///< those of branches
  Window window;
  const float *lse, *delta, *k_lanes, *v_lanes, *k_rows;
  float *grad_q, *grad_k, *grad_v, *p, *ds;

  BackwardHead(const BackwardBuffers& b, std::int64_t h, bool own)
      : q(b.q.head(h)), grad_out(b.grad_out.head(h)), stride(b.stride), own(own),
        window(own ? Window{b.own_begin, b.own_end} : Window{b.none, b.seen}), lse(b.lse + h * b.queries),
        delta(b.delta + h * b.queries), k_lanes(b.k_lanes + h * b.lane_block), v_lanes(b.v_lanes + h * b.lane_block),
        k_rows(b.k_rows + h * kRow * b.stride), grad_q(b.grad_q + h * b.queries * b.stride), grad_k(b.grad_k),
        grad_v(b.grad_v), p(b.p), ds(b.ds) {
    std::fill_n(grad_k, b.lane_block, 0.0f);
    std::fill_n(grad_v, b.lane_block, 0.0f);
  }
};

float dot(const float* a, const float* b, std::int64_t n) {
  float sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < n; ++i) sums[i % 8] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

void pack_queries(const AttentionTask& task, const BackwardBuffers& b, const Sequence& s, std::int64_t first_head,
                  std::int64_t heads) {
  const Heads out = task.out.from(0, first_head), grad_out = task.grad_out.from(0, first_head);
  const auto index = [&](std::int64_t i) { return s.queries[i].index; };
  pack_rows(b.q, 0, task.q.from(0, first_head), s.query_count, index, heads, task.dim);
  pack_rows(b.grad_out, 0, grad_out, s.query_count, index, heads, task.dim);
  clear_rows(b.q, s.query_count, b.queries, heads);
  clear_rows(b.grad_out, s.query_count, b.queries, heads);
  for (std::int64_t i = 0; i < b.queries; ++i) {
    const bool real = i < s.query_count;  // rows of padding: q = dO = 0, so that they add nothing
    const Query& query = s.queries[real ? i : s.query_count - 1];
    b.none[i] = 0;
    b.seen[i] = query.seen;
    b.own_begin[i] = query.own_begin;
    b.own_end[i] = query.own_end;
    for (std::int64_t h = 0; h < heads; ++h) {
      b.lse[h * b.queries + i] = real ? task.lse[query.index * task.heads + first_head + h] * kLog2E : 0.0f;
      b.delta[h * b.queries + i] = real ? dot(grad_out.at(query.index, h), out.at(query.index, h), task.dim) : 0.0f;
    }
  }
  std::fill_n(b.grad_q, heads * b.queries * b.stride, 0.0f);
}

/// The tokens token(0) … token(count - 1).
template <class Token>
void pack_keys(const AttentionTask& task, const BackwardBuffers& b, Token&& token, std::int64_t count,
               std::int64_t first_head, std::int64_t heads) {
  const Heads k = task.k.from(0, first_head);
  pack_lanes(b.k_lanes, b.staging, k, count, token, heads, task.dim, task.scale * kLog2E);
  pack_lanes(b.v_lanes, b.staging, task.v.from(0, first_head), count, token, heads, task.dim, 1.0f);
  for (std::int64_t h = 0; h < heads; ++h) {
    float* to = b.k_rows + h * kRow * b.stride;
    for (std::int64_t r = 0; r < count; ++r, to += b.stride) {
      const float* from = k.at(token(r), h);
      for (std::int64_t c = 0; c < task.dim; ++c) to[c] = from[c] * task.scale;
      std::fill_n(to + task.dim, b.stride - task.dim, 0.0f);
    }
    std::fill_n(to, (vectors_for(count) * kLanes - count) * b.stride, 0.0f);
  }
}

/// scores -> probabilities of queries i … i + kTile for keys first …
template <int NV>
HWY_INLINE void probabilities(Tile<NV>& scores, const BackwardHead& b, std::int64_t i, std::int64_t first) {
  const hn::RebindToSigned<Lanes> di;
  const bool masked = b.own || first + NV * kLanes > b.window.to[i];
#pragma GCC unroll 8
  for (int j = 0; j < kTile; ++j) {
    const Vector lse = hn::Set(lanes, b.lse[i + j]);
    const auto from = hn::Set(di, b.window.from[i + j]), to = hn::Set(di, b.window.to[i + j]);
#pragma GCC unroll 4
    for (int n = 0; n < NV; ++n) {
      Vector x = hn::Sub(scores.v[j][n], lse);
      if (masked) {
        const auto key = hn::Iota(di, static_cast<std::int32_t>(first + n * kLanes));
        const auto seen = hn::RebindMask(lanes, hn::AndNot(hn::Gt(from, key), hn::Gt(to, key)));
        x = hn::IfThenElse(seen, x, hn::Set(lanes, -128.0f));
      }
      scores.v[j][n] = exp2(lanes, x);
    }
  }
}

/// dO v^T -> dS
template <int NV>
HWY_INLINE void score_gradients(Tile<NV>& c, const float* p, const float* delta) {
#pragma GCC unroll 8
  for (int j = 0; j < kTile; ++j) {
    const Vector d = hn::Set(lanes, delta[j]);
#pragma GCC unroll 4
    for (int n = 0; n < NV; ++n) {
      c.v[j][n] = hn::Mul(hn::Load(lanes, p + j * kRow + n * kLanes), hn::Sub(c.v[j][n], d));
    }
  }
}

/// grad_q [kTile, NV vectors] += dS k
template <int NV>
HWY_INLINE void add_query_columns(float* grad_q, const float* ds, const float* k, std::int64_t stride,
                                  std::int64_t keys) {
  Tile<NV> c;
  c.load(grad_q, stride);
#pragma GCC unroll 2
  for (std::int64_t key = 0; key < keys; ++key) c.add_outer(ds + key, kRow, k + key * stride);
  c.store(grad_q, stride);
}

HWY_INLINE void add_query_gradient(const BackwardHead& b, std::int64_t i, const float* ds, std::int64_t keys) {
  float* grad_q = b.grad_q + i * b.stride;
  for (std::int64_t c = 0, left = b.stride / kLanes; left > 0;) {
    const std::int64_t n = left == 4 ? 2 : std::min<std::int64_t>(left, kVectors);
    switch (n) {
      case 3: add_query_columns<3>(grad_q + c, ds, b.k_rows + c, b.stride, keys); break;
      case 2: add_query_columns<2>(grad_q + c, ds, b.k_rows + c, b.stride, keys); break;
      default: add_query_columns<1>(grad_q + c, ds, b.k_rows + c, b.stride, keys);
    }
    c += n * kLanes;
    left -= n;
  }
}

/// grad [D, kRow] += rows [begin, end) of a, transposed, times weights [end - begin, kRow]
template <int NV>
HWY_INLINE void add_key_gradient(float* grad, const Packed& a, const float* weights, std::int64_t begin,
                                 std::int64_t end) {
  for (std::int64_t column = 0; column < a.stride; column += kTile) {
    Tile<NV> c;
    c.load(grad + column * kRow, kRow);
    accumulate(c, a.at(begin) + column, a.stride, weights, kRow, end - begin);
    c.store(grad + column * kRow, kRow);
  }
}

/// Queries [begin, end), of which none sees keys past first + NV * kLanes.
template <int NV>
HWY_NOINLINE void visit_queries(const BackwardHead& b, std::int64_t begin, std::int64_t end, std::int64_t first) {
  for (std::int64_t i = begin; i < end; i += kTile) {
    float *p = b.p + (i - begin) * kRow, *ds = b.ds + (i - begin) * kRow;
    Tile<NV> c = dot_products<NV>(b.q, i, b.k_lanes);
    probabilities<NV>(c, b, i, first);
    c.store(p, kRow);
    c = dot_products<NV>(b.grad_out, i, b.v_lanes);
    score_gradients<NV>(c, p, b.delta + i);
    c.store(ds, kRow);
    add_query_gradient(b, i, ds, NV * kLanes);
  }
  add_key_gradient<NV>(b.grad_v, b.grad_out, b.p, begin, end);
  add_key_gradient<NV>(b.grad_k, b.q, b.ds, begin, end);
}

/// Vectors of keys from `first` on that some query of the tile at i sees; at most `most`.
std::int64_t seen_vectors(const BackwardHead& b, std::int64_t i, std::int64_t first, std::int64_t most) {
  return std::min<std::int64_t>((b.window.to[i + kTile - 1] - 1 - first) / kLanes + 1, most);
}

/// Keys [first, first + count) of the root.
void visit_all_queries(const BackwardHead& b, std::int64_t first, std::int64_t count) {
  const std::int64_t vectors = vectors_for(count);
  const std::int32_t* to = b.window.to;
  const std::int64_t query = std::upper_bound(to, to + b.q.rows, first) - to;
  for (std::int64_t i = query / kTile * kTile, end; i < b.q.rows; i = end) {
    const std::int64_t n = seen_vectors(b, i, first, vectors);
    end = i + kTile;
    while (end < b.q.rows && end - i < kStep && seen_vectors(b, end, first, vectors) == n) end += kTile;
    switch (n) {
      case 3: visit_queries<3>(b, i, end, first); break;
      case 2: visit_queries<2>(b, i, end, first); break;
      default: visit_queries<1>(b, i, end, first);
    }
  }
}

/// Whether some query of the tile at i sees one of the branches' keys [first, first + count).
bool sees(const BackwardHead& b, std::int64_t i, std::int64_t first, std::int64_t count) {
  bool any = false;
  for (std::int64_t j = i; j < i + kTile; ++j) any |= b.window.from[j] < first + count && b.window.to[j] > first;
  return any;
}

/// Keys [first, first + count) of branches, count <= kLanes, of which queries [begin, end) may see some.
void visit_queries_of_branches(const BackwardHead& b, std::int64_t begin, std::int64_t end, std::int64_t first,
                               std::int64_t count) {
  for (std::int64_t i = begin / kTile * kTile, next; i < end; i = next) {
    next = i + kTile;
    if (!sees(b, i, first, count)) continue;
    while (next < end && next - i < kStep && sees(b, next, first, count)) next += kTile;
    visit_queries<1>(b, i, next, first);
  }
}

/// Gradients of `count` keys, token(0) … token(count - 1), of some heads; visit(head) lets all queries see them.
template <class Token, class Visit>
void backward_keys(const AttentionTask& task, const BackwardBuffers& b, Token&& token, std::int64_t count,
                   std::int64_t first_head, std::int64_t heads, bool own, Visit&& visit) {
  alignas(64) float scale[kRow], one[kRow];
  std::fill_n(scale, kRow, task.scale);
  std::fill_n(one, kRow, 1.0f);
  pack_keys(task, b, token, count, first_head, heads);
  for (std::int64_t h = 0; h < heads; ++h) {
    const BackwardHead head(b, h, own);
    visit(head);
    interleave_lanes(b.staging + h * b.lane_block, head.grad_k, scale, count, task.dim);
    interleave_lanes(b.staging_v + h * b.lane_block, head.grad_v, one, count, task.dim);
  }
  unpack_lanes(task.grad_k.from(0, first_head), b.staging, count, token, heads, task.dim);
  unpack_lanes(task.grad_v.from(0, first_head), b.staging_v, count, token, heads, task.dim);
}

void backward_heads(const AttentionTask& task, const Sequence& s, std::int64_t first_head, std::int64_t heads,
                    float* scratch) {
  const BackwardBuffers b(Arena(scratch), s.query_count, heads, task.dim);
  pack_queries(task, b, s, first_head, heads);
  for (std::int64_t key = 0; key < s.visible; key += kRow) {
    const std::int64_t count = std::min(kRow, s.visible - key);
    backward_keys(task, b, [&](std::int64_t r) { return s.token + key + r; }, count, first_head, heads, false,
                  [&](const BackwardHead& head) { visit_all_queries(head, key, count); });
  }
  for (std::int64_t key = 0; key < s.own_count; key += kLanes) {
    const std::int64_t count = std::min(kLanes, s.own_count - key);
    const std::int64_t first = s.own[key].query, last = s.own[key + count - 1].query;
    std::int64_t end = last + 1;  // past the queries of the last key's branch
    while (end < s.query_count && s.queries[end].own_begin == s.queries[last].own_begin) ++end;
    backward_keys(task, b, [&](std::int64_t r) { return s.own[key + r].token; }, count, first_head, heads, true,
                  [&](const BackwardHead& head) { visit_queries_of_branches(head, first, end, key, count); });
  }
  for (std::int64_t i = 0; i < s.query_count; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const float* from = b.grad_q + (h * b.queries + i) * b.stride;
      gather_row<kTile>(task.grad_q.at(s.queries[i].index, first_head + h), task.dim,
                        [&](std::int64_t c) { return from + c * kTile; });
    }
  }
}

std::int64_t group_size(const AttentionTask& task, std::int64_t queries) {
  return heads_at_a_time(BackwardBuffers(Arena(), queries, 1, task.dim).floats, task.heads);
}

std::int64_t backward_scratch(const AttentionTask& task) {
  std::int64_t most = 0;
  task.plan->units(0, 1, [&](const Sequence& s, std::int64_t, std::int64_t) {
    most = std::max(most, BackwardBuffers(Arena(), s.query_count, group_size(task, s.query_count), task.dim).floats);
  });
  return most;
}

void zero_unseen_keys(const AttentionTask& task, std::int64_t first_head, std::int64_t end) {
  for (const std::int32_t token : task.plan->unseen()) {
    for (std::int64_t h = first_head; h < end; ++h) {
      std::fill_n(task.grad_k.at(token, h), task.dim, 0.0f);
      std::fill_n(task.grad_v.at(token, h), task.dim, 0.0f);
    }
  }
}

void backward(const AttentionTask& task, int part, int parts, float* scratch) {
  zero_unseen_keys(task, task.heads * part / parts, task.heads * (part + 1) / parts);
  task.plan->units(part, parts, [&](const Sequence& s, std::int64_t first, std::int64_t end) {
    if (s.query_count == 0) return;
    const std::int64_t group = group_size(task, s.query_count);
    for (; first < end; first += group) backward_heads(task, s, first, std::min(group, end - first), scratch);
  });
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {

HWY_EXPORT(backward_scratch);
HWY_EXPORT(backward);

std::int64_t attention_backward_scratch(const AttentionTask& task) {
  return HWY_DYNAMIC_DISPATCH(backward_scratch)(task);
}

void attention_backward(const AttentionTask& task, int part, int parts, float* scratch) {
  HWY_DYNAMIC_DISPATCH(backward)(task, part, parts, scratch);
}

}  // namespace chronotope::onednn
#endif
