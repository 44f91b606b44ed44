#pragma once
// Optional fused operations. A backend may have any of them; each forward hook comes with its backward.
//  * absent          -> the operation is composed from primitives, decided at compile time;
//  * returns false   -> composed at run time (this shape, dtype or stride is not covered; nothing was written);
//  * returns true    -> done.
// The composition in ops/ is the specification and the oracle; primitives_only<B> hides the hooks so tests can compare.
//
// Conventions: outputs are contiguous and uninitialised; gradients are overwritten, never accumulated into;
// inputs are f32 or f64 and may be strided unless the hook declines them. R is rows, T packed tokens, Q query rows,
// H heads, D width, P classes.

#include <cstdint>
#include <span>

#include "chronotope/core/shape.hpp"

namespace chronotope {

/// How segments lie in a packed token axis, and which tokens ask. Attention is causal inside a segment:
/// query row r of segment s sees keys prefix[s][0] … prefix[s][1] - 1 and offsets[s] … r.
struct AttentionLayout {
  View offsets;      ///< [S + 1] i32, ascending, from 0 to T
  View query_rows;   ///< [Q] i32, strictly ascending packed rows of the queries; Q = T when every token asks
  View prefix = {};  ///< [S, 2] i32, {0, 0} or the first rows of an earlier segment that has {0, 0}; no data: all have {0, 0}
};

/// One AdamW step (Loshchilov & Hutter 2019); Adam (Kingma & Ba 2015) is weight_decay = 0.
///   g' = grad_scale * g;  m = beta1 m + (1 - beta1) g';  v = beta2 v + (1 - beta2) g'^2
///   p = p - lr * weight_decay * p - lr * (m / correction1) / (sqrt(v / correction2) + eps)
struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  double correction1;  ///< 1 - beta1^t
  double correction2;  ///< 1 - beta2^t
  double grad_scale;   ///< clipping and accumulation
};

/// A parameter, its two moments and its gradient.
struct AdamViews {
  View p, m, v, g;
};

/// What is forgotten after the time x, in units of S / (1 + n I) after the n-th review.
enum class CurveForm : std::uint8_t {
  exponential,  ///< e^-x
  power,        ///< (1 + c x)^m, m < 0
  logarithm     ///< a - b ln(x + c)
};

/// A forgetting curve but for the constants that can be trained.
struct CurveShape {
  CurveForm form = CurveForm::exponential;
  double power_c = 1, power_m = -0.5;
  double log_a = 1, log_b = 0.2, log_c = 1;
  bool logistic = false;  ///< a logistic function after the scaling
};

/// The trained ones, each [M]: see ops/forgetting.hpp.
struct CurveConstants {
  View r_init, r_final, s, i;
};

/// B samples of k behaviours and which of them are reviews, for M materials: see ops/forgetting.hpp.
struct ReviewViews {
  View valid;   ///< [B, k] u8
  View review;  ///< [B, M, k] u8
  View time;    ///< [B, k]
};

/// What an interest unit reads, or the gradients of that (without `valid`): see ops/hmin.hpp.
struct HminViews {
  View query;           ///< [B, Q, D]
  View keys;            ///< [B, k, D]
  View mask;            ///< [B, M, k]
  View valid;           ///< [B, k] u8
  View temperature;     ///< [1]
  View weight1, bias1;  ///< [H F, D], [H F]
  View weight2, bias2;  ///< [H, O, F], [H, O]
};

/// A relation of S sequences' M askers and N keys, or the gradient of its table: see ops/pointer.hpp.
struct RelationViews {
  View table;  ///< [bins, K]
  View bins;   ///< [S, M, N] i32
};

// rms_norm (Zhang & Sennrich 2019): y = x * inv * w, inv = 1 / sqrt(mean(x^2) + eps)
//   try_rms_norm(s, y [R, D], inv [R], x [R, D], w [D], eps)
//   try_rms_norm_backward(s, dx, dw, dy, x, w, inv)
// layer_norm (Ba et al. 2016): y = (x - mean) * inv * w + b
//   try_layer_norm(s, y [R, D], mean [R], inv [R], x [R, D], w [D], b [D], eps)
//   try_layer_norm_backward(s, dx, dw, db, dy, x, w, mean, inv)
// softmax over the last axis
//   try_softmax(s, y [R, D], x [R, D])
//   try_softmax_backward(s, dx, dy, y)
// rope (Su et al. 2021), halves paired: y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin; inverse turns back (the backward); y may be x
//   try_rope(s, y [T, H, D], x [T, H, D], position [T] i32, cos [L, D/2], sin [L, D/2], bool inverse)
// swiglu (Shazeer 2020): y = silu(gate) * up, gate_up [R, 2F] holds gate then up
//   try_swiglu(s, y [R, F], gate_up [R, 2F])
//   try_swiglu_backward(s, dgate_up, dy, gate_up)
// attention, packed and causal, no [T x T] kept
//   try_attention(s, out [Q, H, D], lse [Q, H], q [Q, H, D], k [T, H, D], v [T, H, D], layout, scale)
//   try_attention_backward(s, dq, dk, dv, dout, q, k, v, out, lse, layout, scale)
// linear_cross_entropy: nll_i = -log softmax(w h_i)[target_i] without ever holding all logits
//   try_linear_cross_entropy(s, nll [Q], lse [Q], h [Q, D], w [P, D], target [Q] i32)
//   try_linear_cross_entropy_backward(s, dh, dw, dnll [Q], h, w, target, lse)
// linear: y = x w^T + bias, and max(y, 0) when relu; the backward passes what lies at y > 0
//   try_linear(s, y [R, N], x [R, K], w [N, K], bias [N], bool relu); a bias without data: none, and nothing is recorded; then
//   the bits of a row should depend on that row and w alone
//   try_linear_backward(s, dx, dw, db, dy, x, w, y, bool relu); dx without data: not wanted. Without relu y is not read
// linear_grouped: y_r = w x_r + bias[group_r]; a backend that has it takes the same x and w in try_linear_backward
//   try_linear_grouped(s, y [R, N], x [R, K], w [N, K], bias [G, N], group [R] i32)
// forgetting mask of STIM, from review flags to the scaled curve; no [B, M, k, reviews] anywhere
//   try_forgetting_mask(s, mask [B, M, k], points, constants, shape)
//   try_forgetting_mask_backward(s, gradients of the constants, dmask, points, constants, shape)
// interest unit of STIM, from queries, keys and masks to interests; no [B, Q M, k] kept
//   try_hmin(s, out [B, Q M, H O], inputs)
//   try_hmin_backward(s, gradients, dout, inputs)
// pointer_scores: out = scale content + bias_scale sum over relations of table[bins], from content [S, K, M, N]
//   try_pointer_scores(s, out [S, K, M, N], content [S, K, M, N], std::span<const RelationViews>, double scale, double bias_scale)
//   try_pointer_scores_backward(s, dcontent, dout, std::span<const RelationViews> gradients, double scale, double bias_scale)
// dropout: y = x * keep / (1 - p), keep_i = philox_uniform(seed, counter, i) >= p; the backward is the same call on dy
//   try_dropout(s, y, x, double p, uint64 seed, uint64 counter)
// sum_squares: out [] = sum of x^2 (gradient norms)
//   try_sum_squares(s, out, x)
// adamw, in place, one pass over memory; all four of one shape and contiguous
//   try_adamw(s, p, m, v, g, const AdamStep&)
// adamw of many parameters at once, as adamw of each
//   try_adamw_many(s, std::span<const AdamViews>, const AdamStep&)
// adamw on rows `ids` (unique) of p, m, v [N, D] with gradients g [U, D]
//   try_adamw_rows(s, p, m, v, ids [U] i32, g, const AdamStep&)

/// The hooks once more, for code that handles all of them alike (any_backend, tests):
/// X(name, (parameters after the stream), (their names)).
#define CHRONOTOPE_FUSED_HOOKS(X)                                                                                     \
  X(rms_norm, (const View& y, const View& inv, const View& x, const View& w, double eps), (y, inv, x, w, eps))        \
  X(rms_norm_backward, (const View& dx, const View& dw, const View& dy, const View& x, const View& w, const View& inv), \
    (dx, dw, dy, x, w, inv))                                                                                          \
  X(layer_norm, (const View& y, const View& mean, const View& inv, const View& x, const View& w, const View& b,       \
    double eps), (y, mean, inv, x, w, b, eps))                                                                        \
  X(layer_norm_backward, (const View& dx, const View& dw, const View& db, const View& dy, const View& x,              \
    const View& w, const View& mean, const View& inv), (dx, dw, db, dy, x, w, mean, inv))                             \
  X(softmax, (const View& y, const View& x), (y, x))                                                                  \
  X(softmax_backward, (const View& dx, const View& dy, const View& y), (dx, dy, y))                                   \
  X(rope, (const View& y, const View& x, const View& position, const View& cos, const View& sin, bool inverse),       \
    (y, x, position, cos, sin, inverse))                                                                              \
  X(swiglu, (const View& y, const View& gate_up), (y, gate_up))                                                       \
  X(swiglu_backward, (const View& dgate_up, const View& dy, const View& gate_up), (dgate_up, dy, gate_up))            \
  X(attention, (const View& out, const View& lse, const View& q, const View& k, const View& v,                        \
    const AttentionLayout& layout, double scale), (out, lse, q, k, v, layout, scale))                                 \
  X(attention_backward, (const View& dq, const View& dk, const View& dv, const View& dout, const View& q,             \
    const View& k, const View& v, const View& out, const View& lse, const AttentionLayout& layout, double scale),     \
    (dq, dk, dv, dout, q, k, v, out, lse, layout, scale))                                                             \
  X(linear_cross_entropy, (const View& nll, const View& lse, const View& h, const View& w, const View& target),       \
    (nll, lse, h, w, target))                                                                                         \
  X(linear_cross_entropy_backward, (const View& dh, const View& dw, const View& dnll, const View& h, const View& w,   \
    const View& target, const View& lse), (dh, dw, dnll, h, w, target, lse))                                          \
  X(linear, (const View& y, const View& x, const View& w, const View& bias, bool relu), (y, x, w, bias, relu))        \
  X(linear_backward, (const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,   \
    const View& y, bool relu), (dx, dw, db, dy, x, w, y, relu))                                                       \
  X(linear_grouped, (const View& y, const View& x, const View& w, const View& bias, const View& group),               \
    (y, x, w, bias, group))                                                                                           \
  X(forgetting_mask, (const View& mask, const ReviewViews& points, const CurveConstants& constants,                   \
    const CurveShape& shape), (mask, points, constants, shape))                                                       \
  X(forgetting_mask_backward, (const CurveConstants& gradients, const View& dmask, const ReviewViews& points,         \
    const CurveConstants& constants, const CurveShape& shape), (gradients, dmask, points, constants, shape))          \
  X(hmin, (const View& out, const HminViews& inputs), (out, inputs))                                                  \
  X(hmin_backward, (const HminViews& gradients, const View& dout, const HminViews& inputs), (gradients, dout, inputs)) \
  X(pointer_scores, (const View& out, const View& content, std::span<const RelationViews> relations, double scale,     \
    double bias_scale), (out, content, relations, scale, bias_scale))                                                 \
  X(pointer_scores_backward, (const View& dcontent, const View& dout, std::span<const RelationViews> gradients,       \
    double scale, double bias_scale), (dcontent, dout, gradients, scale, bias_scale))                                 \
  X(dropout, (const View& y, const View& x, double p, std::uint64_t seed, std::uint64_t counter),                     \
    (y, x, p, seed, counter))                                                                                         \
  X(sum_squares, (const View& out, const View& x), (out, x))                                                          \
  X(adamw, (const View& p, const View& m, const View& v, const View& g, const AdamStep& step), (p, m, v, g, step))    \
  X(adamw_many, (std::span<const AdamViews> all, const AdamStep& step), (all, step))                                  \
  X(adamw_rows, (const View& p, const View& m, const View& v, const View& ids, const View& g, const AdamStep& step),  \
    (p, m, v, ids, g, step))

}  // namespace chronotope
