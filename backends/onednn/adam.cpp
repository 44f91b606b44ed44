// AdamW in one pass over memory.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/adam.cpp"
#include <hwy/foreach_target.h>

#include "adam.hpp"
#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

void adam_step(float* p, float* m, float* v, const float* g, std::int64_t n, const AdamConstants& step) {
  const Vec grad_scale = constant(step.grad_scale), beta1 = constant(step.beta1), rest1 = constant(step.rest1);
  const Vec beta2 = constant(step.beta2), rest2 = constant(step.rest2), decay = constant(step.decay);
  const Vec rate = constant(step.rate), correction2 = constant(step.correction2), eps = constant(step.eps);
  for_vectors(n, [=](auto at, std::int64_t i) HWY_ATTR {
    const Vec grad = hn::Mul(at.load(g + i), grad_scale);
    const Vec mean = hn::MulAdd(beta1, at.load(m + i), hn::Mul(rest1, grad));
    const Vec square = hn::MulAdd(beta2, at.load(v + i), hn::Mul(rest2, hn::Mul(grad, grad)));
    at.store(mean, m + i);
    at.store(square, v + i);
    const Vec size = hn::Add(hn::Sqrt(hn::Mul(square, correction2)), eps), old = at.load(p + i);
    at.store(hn::Add(old, hn::MulAdd(decay, old, hn::Div(hn::Mul(rate, mean), size))), p + i);
  });
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(adam_step);
namespace {

/// The id at i, -1 where it is outside [0, rows).
std::int64_t row_at(const View& ids, std::int64_t i, std::int64_t rows) {
  const std::int64_t id = ids.as<std::int32_t>()[i * ids.strides[0]];
  return id < rows ? id : -1;
}

bool ids_fit(const View& ids, std::int64_t rows) {
  for (std::int64_t i = 0; i < ids.shape[0]; ++i) {
    if (row_at(ids, i, rows) < 0) return false;
  }
  return true;
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

namespace {

bool covers_adamw(const AdamViews& x) {
  for (const View* view : {&x.p, &x.m, &x.v, &x.g}) {
    if (!is_dense(*view) || !(view->shape == x.p.shape)) return false;
  }
  return true;
}

}  // namespace

bool onednn_backend::try_adamw_many(stream& s, std::span<const AdamViews> all, const AdamStep& step) {
  for (const AdamViews& x : all) {
    if (!covers_adamw(x)) return false;
  }
  for (const AdamViews& x : all) try_adamw(s, x.p, x.m, x.v, x.g, step);
  return true;
}

bool onednn_backend::try_adamw(stream& s, const View& p, const View& m, const View& v, const View& g,
                               const AdamStep& step) {
  if (!covers_adamw({p, m, v, g})) return false;
  const AdamConstants constants(step);
  parallel(s.impl(), p.elements(), p.elements(), 64, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(adam_step)
    (p.as<float>() + begin, m.as<float>() + begin, v.as<float>() + begin, g.as<float>() + begin, end - begin,
     constants);
  });
  return true;
}

bool onednn_backend::try_adamw_rows(stream& s, const View& p, const View& m, const View& v, const View& ids,
                                    const View& g, const AdamStep& step) {
  const auto param = rows_of(p), mean = rows_of(m), square = rows_of(v), grad = rows_of(g);
  if (!param || !mean || !square || !grad || !same_extents(*param, *mean) || !same_extents(*param, *square))
    return false;
  if (grad->columns != param->columns || ids.dtype != DType::i32 || !(ids.shape == Shape{grad->rows})) return false;
  if (!ids_fit(ids, param->rows)) return false;
  const AdamConstants constants(step);
  parallel(s.impl(), grad->rows, g.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = row_at(ids, i, param->rows);
      HWY_DYNAMIC_DISPATCH(adam_step)
      (param->row(row), mean->row(row), square->row(row), grad->row(i), param->columns, constants);
    }
  });
  return true;
}

}  // namespace chronotope
#endif
