// Rotary position embedding, halves paired.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/rope.cpp"
#include <hwy/foreach_target.h>

#include "rope.hpp"
#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

void rope_tokens(const RopeTask& t, std::int64_t begin, std::int64_t end) {
  const std::int64_t half = t.half;
  const Vec direction = constant(t.inverse ? -1.0f : 1.0f);
  for (std::int64_t token = begin; token < end; ++token) {
    const float *cos = t.cos.row(t.position[token]), *sin = t.sin.row(t.position[token]);
    const float* in = t.x + token * t.token_stride;
    float* out = t.y + token * t.y_token_stride;
    for_vectors(half, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec c = at.load(cos + i), s = hn::Mul(at.load(sin + i), direction);
      for (std::int64_t head = 0; head < t.heads; ++head) {
        const float* x = in + head * t.head_stride + i;
        float* y = out + head * t.y_head_stride + i;
        const Vec x1 = at.load(x), x2 = at.load(x + half);
        at.store(hn::NegMulAdd(x2, s, hn::Mul(x1, c)), y);
        at.store(hn::MulAdd(x1, s, hn::Mul(x2, c)), y + half);
      }
    });
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(rope_tokens);
namespace {

/// Whether the positions can be used as row numbers of the tables.
bool positions_fit(const View& position, std::int64_t tokens, std::int64_t rows) {
  if (position.dtype != DType::i32 || !(position.shape == Shape{tokens})) return false;
  if (tokens > 1 && position.strides[0] != 1) return false;
  const auto* p = position.as<std::int32_t>();
  bool fit = true;
  for (std::int64_t i = 0; i < tokens; ++i) fit &= p[i] >= 0 && p[i] < rows;
  return fit;
}

std::optional<RopeTask> rope_task(const View& y, const View& x, const View& position, const View& cos,
                                  const View& sin) {
  const auto cosines = rows_of(cos), sines = rows_of(sin);
  if (!cosines || !sines || !same_extents(*cosines, *sines) || x.shape.rank() != 3) return std::nullopt;
  if (x.dtype != DType::f32 || y.dtype != DType::f32 || !(y.shape == x.shape) || x.shape[2] != 2 * cosines->columns)
    return std::nullopt;
  if ((x.shape[2] > 1 && (x.strides[2] != 1 || y.strides[2] != 1)) || !positions_fit(position, x.shape[0], cosines->rows)) return std::nullopt;
  RopeTask task;
  task.cos = *cosines;
  task.sin = *sines;
  task.position = position.as<std::int32_t>();
  task.x = x.as<float>();
  task.y = y.as<float>();
  task.heads = x.shape[1];
  task.half = cosines->columns;
  task.token_stride = x.strides[0];
  task.head_stride = x.strides[1];
  task.y_token_stride = y.strides[0];
  task.y_head_stride = y.strides[1];
  return task;
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_rope(stream& s, const View& y, const View& x, const View& position, const View& cos,
                              const View& sin, bool inverse) {
  auto task = rope_task(y, x, position, cos, sin);
  if (!task) return false;
  task->inverse = inverse;
  parallel(s.impl(), x.shape[0], x.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(rope_tokens)(*task, begin, end);
  });
  return true;
}

}  // namespace chronotope
#endif
