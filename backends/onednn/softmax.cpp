// Softmax over the last axis.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/softmax.cpp"
#include <hwy/foreach_target.h>

#include "functions.hpp"
#include "stream.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

float largest(const float* x, std::int64_t n) {
  const std::int64_t step = lane_count();
  if (n < step) {
    float most = x[0];
    for (std::int64_t i = 1; i < n; ++i) most = x[i] > most ? x[i] : most;
    return most;
  }
  // The last vector overlaps the one before: reading an element twice does not change a maximum.
  Vec most = hn::LoadU(Floats(), x + n - step);
  for (std::int64_t i = 0; i + step <= n; i += step) most = hn::Max(most, hn::LoadU(Floats(), x + i));
  return hn::GetLane(hn::MaxOfLanes(Floats(), most));
}

void softmax_rows(const Rows& y, const Rows& x, std::int64_t begin, std::int64_t end) {
  const std::int64_t D = x.columns;
  for (std::int64_t r = begin; r < end; ++r) {
    const float* in = x.row(r);
    float* out = y.row(r);
    const Vec most = constant(largest(in, D));
    const double total = long_sum(D, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec e = exponential(hn::Sub(at.load(in + i), most));
      at.store(e, out + i);
      return e;
    });
    const Vec over = constant(static_cast<float>(1.0 / total));
    for_vectors(D, [=](auto at, std::int64_t i) HWY_ATTR { at.store(hn::Mul(at.load(out + i), over), out + i); });
  }
}

// dx = y (dy - sum(dy y))
void softmax_backward_rows(const Rows& dx, const Rows& dy, const Rows& y, std::int64_t begin, std::int64_t end) {
  const std::int64_t D = y.columns;
  for (std::int64_t r = begin; r < end; ++r) {
    const float *grad = dy.row(r), *p = y.row(r);
    float* out = dx.row(r);
    const Vec dot = constant(static_cast<float>(
        long_sum(D, [=](auto at, std::int64_t i) HWY_ATTR { return hn::Mul(at.load(grad + i), at.load(p + i)); })));
    for_vectors(D, [=](auto at, std::int64_t i)
                       HWY_ATTR { at.store(hn::Mul(at.load(p + i), hn::Sub(at.load(grad + i), dot)), out + i); });
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(softmax_rows);
HWY_EXPORT(softmax_backward_rows);
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_softmax(stream& s, const View& y, const View& x) {
  const auto in = rows_of(x), out = rows_of(y);
  if (!in || !out || !same_extents(*in, *out)) return false;
  if (in->columns == 0) return true;
  parallel(s.impl(), in->rows, 4 * x.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(softmax_rows)(*out, *in, begin, end);
  });
  return true;
}

bool onednn_backend::try_softmax_backward(stream& s, const View& dx, const View& dy, const View& y) {
  const auto p = rows_of(y), grad = rows_of(dy), out = rows_of(dx);
  if (!p || !grad || !out || !same_extents(*p, *grad) || !same_extents(*p, *out)) return false;
  parallel(s.impl(), p->rows, y.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(softmax_backward_rows)(*out, *grad, *p, begin, end);
  });
  return true;
}

}  // namespace chronotope
#endif
