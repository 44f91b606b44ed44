// Root mean square norm and layer norm over rows.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/norm.cpp"
#include <hwy/foreach_target.h>

#include <cmath>

#include "norm.hpp"
#include "row_sums.hpp"
#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

float inverse_root(float squares, std::int64_t D, double eps) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(squares) / static_cast<double>(D) + eps));
}

void rms_norm_rows(const NormTask& t, std::int64_t begin, std::int64_t end) {
  const std::int64_t D = t.x.columns;
  const float* w = t.w;
  for (std::int64_t r = begin; r < end; ++r) {
    const float* x = t.x.row(r);
    float* y = t.y.row(r);
    const float squares = sum(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec v = at.load(x + i);
      return hn::Mul(v, v);
    });
    const float inv = inverse_root(squares, D, t.eps);
    t.inv[r] = inv;
    const Vec scale = constant(inv);
    for_vectors(D, [=](auto at, std::int64_t i)
                       HWY_ATTR { at.store(hn::Mul(hn::Mul(at.load(x + i), scale), at.load(w + i)), y + i); });
  }
}

// dx = inv (dy w - x inv^2 mean(dy w x)), dw = sum over rows of dy x inv
void rms_norm_backward_rows(const NormTask& t, std::int64_t begin, std::int64_t end, float* dw) {
  const std::int64_t D = t.x.columns;
  const float* w = t.w;
  for (std::int64_t r = begin; r < end; ++r) {
    const float *x = t.x.row(r), *dy = t.dy.row(r);
    float* dx = t.dx.row(r);
    const float dot = sum(D, [=](auto at, std::int64_t i) HWY_ATTR {
      return hn::Mul(hn::Mul(at.load(dy + i), at.load(w + i)), at.load(x + i));
    });
    const float inv = t.inv[r];
    const Vec scale = constant(inv), pull = constant(-dot / static_cast<float>(D) * inv * inv * inv);
    for_vectors(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec vx = at.load(x + i), vdy = hn::Mul(at.load(dy + i), scale);
      at.store(hn::MulAdd(vx, vdy, at.load(dw + i)), dw + i);
      at.store(hn::MulAdd(vx, pull, hn::Mul(vdy, at.load(w + i))), dx + i);
    });
  }
}

void layer_norm_rows(const NormTask& t, std::int64_t begin, std::int64_t end) {
  const std::int64_t D = t.x.columns;
  const float *w = t.w, *b = t.b;
  for (std::int64_t r = begin; r < end; ++r) {
    const float* x = t.x.row(r);
    float* y = t.y.row(r);
    const float mean = sum(D, [=](auto at, std::int64_t i) HWY_ATTR { return at.load(x + i); }) / static_cast<float>(D);
    const Vec centre = constant(mean);
    const float squares = sum(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec v = hn::Sub(at.load(x + i), centre);
      return hn::Mul(v, v);
    });
    const float inv = inverse_root(squares, D, t.eps);
    t.mean[r] = mean;
    t.inv[r] = inv;
    const Vec scale = constant(inv);
    for_vectors(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec v = hn::Mul(hn::Sub(at.load(x + i), centre), scale);
      at.store(hn::MulAdd(v, at.load(w + i), at.load(b + i)), y + i);
    });
  }
}

// With n = (x - mean) inv and g = dy w: dx = inv (g - mean(g) - n mean(g n)), dw = sum of dy n, db = sum of dy
void layer_norm_backward_rows(const NormTask& t, std::int64_t begin, std::int64_t end, float* dw, float* db) {
  const std::int64_t D = t.x.columns;
  const float* w = t.w;
  for (std::int64_t r = begin; r < end; ++r) {
    const float *x = t.x.row(r), *dy = t.dy.row(r);
    float* dx = t.dx.row(r);
    const Vec centre = constant(t.mean[r]), scale = constant(t.inv[r]);
    const float over = 1.0f / static_cast<float>(D);
    const Vec mean_g = constant(
        over * sum(D, [=](auto at, std::int64_t i) HWY_ATTR { return hn::Mul(at.load(dy + i), at.load(w + i)); }));
    const Vec mean_gn = constant(over * sum(D, [=](auto at, std::int64_t i) HWY_ATTR {
                                   const Vec n = hn::Mul(hn::Sub(at.load(x + i), centre), scale);
                                   return hn::Mul(hn::Mul(at.load(dy + i), at.load(w + i)), n);
                                 }));
    for_vectors(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec n = hn::Mul(hn::Sub(at.load(x + i), centre), scale), vdy = at.load(dy + i);
      at.store(hn::MulAdd(vdy, n, at.load(dw + i)), dw + i);
      at.store(hn::Add(vdy, at.load(db + i)), db + i);
      const Vec g = hn::Sub(hn::Mul(vdy, at.load(w + i)), mean_g);
      at.store(hn::Mul(scale, hn::NegMulAdd(n, mean_gn, g)), dx + i);
    });
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(rms_norm_rows);
HWY_EXPORT(rms_norm_backward_rows);
HWY_EXPORT(layer_norm_rows);
HWY_EXPORT(layer_norm_backward_rows);
namespace {

constexpr std::int64_t grain = 4;  // rows

std::optional<NormTask> forward_task(const View& y, const View& inv, const View& x, const View& w, double eps) {
  const auto in = rows_of(x), out = rows_of(y);
  if (!in || !out || !same_extents(*in, *out)) return std::nullopt;
  NormTask task;
  task.x = *in;
  task.y = *out;
  task.w = vector_of(w, in->columns);
  task.inv = vector_of(inv, in->rows);
  task.eps = eps;
  if (!task.w || !task.inv) return std::nullopt;
  return task;
}

std::optional<NormTask> backward_task(const View& dx, const View& dy, const View& x, const View& w, const View& inv) {
  const auto in = rows_of(x), grad = rows_of(dy), out = rows_of(dx);
  if (!in || !grad || !out || !same_extents(*in, *out) || !same_extents(*in, *grad)) return std::nullopt;
  NormTask task;
  task.x = *in;
  task.dy = *grad;
  task.dx = *out;
  task.w = vector_of(w, in->columns);
  task.inv = vector_of(inv, in->rows);
  if (!task.w || !task.inv) return std::nullopt;
  return task;
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_rms_norm(stream& s, const View& y, const View& inv, const View& x, const View& w, double eps) {
  const auto task = forward_task(y, inv, x, w, eps);
  if (!task) return false;
  parallel(s.impl(), task->x.rows, x.elements(), grain, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(rms_norm_rows)(*task, begin, end);
  });
  return true;
}

bool onednn_backend::try_rms_norm_backward(stream& s, const View& dx, const View& dw, const View& dy, const View& x,
                                           const View& w, const View& inv) {
  const auto task = backward_task(dx, dy, x, w, inv);
  const std::int64_t D = task ? task->x.columns : 0;
  float* into = vector_of(dw, D);
  if (!task || !into) return false;
  const double* totals =
      sum_over_rows(s.impl(), task->x.rows, D, x.elements(), [&](std::int64_t begin, std::int64_t end, float* sums) {
        HWY_DYNAMIC_DISPATCH(rms_norm_backward_rows)(*task, begin, end, sums);
      });
  std::copy_n(totals, D, into);
  return true;
}

bool onednn_backend::try_layer_norm(stream& s, const View& y, const View& mean, const View& inv, const View& x,
                                    const View& w, const View& b, double eps) {
  auto task = forward_task(y, inv, x, w, eps);
  if (!task) return false;
  task->b = vector_of(b, task->x.columns);
  task->mean = vector_of(mean, task->x.rows);
  if (!task->b || !task->mean) return false;
  parallel(s.impl(), task->x.rows, x.elements(), grain, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(layer_norm_rows)(*task, begin, end);
  });
  return true;
}

bool onednn_backend::try_layer_norm_backward(stream& s, const View& dx, const View& dw, const View& db, const View& dy,
                                             const View& x, const View& w, const View& mean, const View& inv) {
  auto task = backward_task(dx, dy, x, w, inv);
  if (!task) return false;
  const std::int64_t D = task->x.columns;
  float *into_w = vector_of(dw, D), *into_b = vector_of(db, D);
  task->mean = vector_of(mean, task->x.rows);
  if (!into_w || !into_b || !task->mean) return false;
  const double* totals = sum_over_rows(
      s.impl(), task->x.rows, 2 * D, x.elements(), [&](std::int64_t begin, std::int64_t end, float* sums) {
        HWY_DYNAMIC_DISPATCH(layer_norm_backward_rows)(*task, begin, end, sums, sums + D);
      });
  std::copy_n(totals, D, into_w);
  std::copy_n(totals + D, D, into_b);
  return true;
}

}  // namespace chronotope
#endif
