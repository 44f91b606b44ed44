// SwiGLU: the gate's sigmoid linear unit times the other half.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/swiglu.cpp"
#include <hwy/foreach_target.h>

#include "functions.hpp"
#include "stream.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

void swiglu_rows(const Rows& y, const Rows& gate_up, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r) {
    const float *gate = gate_up.row(r), *up = gate + y.columns;
    float* out = y.row(r);
    for_vectors(y.columns, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec g = at.load(gate + i);
      const Vec silu = hn::Div(g, hn::Add(constant(1.0f), exponential(hn::Neg(g))));
      at.store(hn::Mul(silu, at.load(up + i)), out + i);
    });
  }
}

// With s = sigmoid(gate): dup = dy gate s, dgate = dy up s (1 + gate (1 - s))
void swiglu_backward_rows(const Rows& grad, const Rows& dy, const Rows& gate_up, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r) {
    const float *gate = gate_up.row(r), *up = gate + dy.columns, *from = dy.row(r);
    float *grad_gate = grad.row(r), *grad_up = grad_gate + dy.columns;
    for_vectors(dy.columns, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec g = at.load(gate + i), one = constant(1.0f), s = sigmoid(g), pull = hn::Mul(at.load(from + i), s);
      at.store(hn::Mul(pull, g), grad_up + i);
      const Vec slope = hn::MulAdd(g, hn::Sub(one, s), one);
      at.store(hn::Mul(hn::Mul(pull, at.load(up + i)), slope), grad_gate + i);
    });
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(swiglu_rows);
HWY_EXPORT(swiglu_backward_rows);
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_swiglu(stream& s, const View& y, const View& gate_up) {
  const auto out = rows_of(y), in = rows_of(gate_up);
  if (!out || !in || in->rows != out->rows || in->columns != 2 * out->columns) return false;
  parallel(s.impl(), out->rows, 4 * y.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(swiglu_rows)(*out, *in, begin, end);
  });
  return true;
}

bool onednn_backend::try_swiglu_backward(stream& s, const View& dgate_up, const View& dy, const View& gate_up) {
  const auto grad = rows_of(dgate_up), from = rows_of(dy), in = rows_of(gate_up);
  if (!grad || !from || !in || !same_extents(*grad, *in)) return false;
  if (in->rows != from->rows || in->columns != 2 * from->columns) return false;
  parallel(s.impl(), from->rows, 6 * dy.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(swiglu_backward_rows)(*grad, *from, *in, begin, end);
  });
  return true;
}

}  // namespace chronotope
#endif
