#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/reduce_kernels.cpp"
#include <hwy/foreach_target.h>

#include "reduce_kernels.hpp"

#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

double sum_range_simd(const float* x, std::int64_t n) {
  return long_sum(n, [=](auto at, std::int64_t i) HWY_ATTR { return at.load(x + i); });
}

double sum_squares_simd(const float* x, std::int64_t n) {
  return long_sum(n, [=](auto at, std::int64_t i) HWY_ATTR {
    const Vec v = at.load(x + i);
    return hn::Mul(v, v);
  });
}

void sum_each_row_simd(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                       std::int64_t out_step) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * out_step] = static_cast<float>(sum_range_simd(x + r * stride, n));
}

float largest(const float* x, std::int64_t n) {
  const std::int64_t step = lane_count();
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
  std::int64_t count = n;
  const float* from = x;
  if (n >= step) {
    // The last vector overlaps the one before: reading an element twice does not change a maximum.
    Vec most = hn::LoadU(Floats(), x + n - step);
    for (std::int64_t i = 0; i + step <= n; i += step) most = max_nan(hn::LoadU(Floats(), x + i), most);
    hn::Store(most, Floats(), lanes);
    count = step;
    from = lanes;
  }
  float most = from[0];
  for (std::int64_t i = 1; i < count; ++i) most = from[i] > most || from[i] != from[i] ? from[i] : most;
  return most;
}

void max_each_row_simd(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                       std::int64_t out_step) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * out_step] = largest(x + r * stride, n);
}

void add_rows_simd(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out) {
  constexpr std::int64_t group = 8;  // streams that the processor's prefetcher can follow
  std::int64_t r = 0;
  for (; r + group <= rows; r += group) {
    const float* from = x + r * stride;
    for_vectors(n, [=](auto at, std::int64_t i) HWY_ATTR {
      Vec s = at.load(out + i);
      for (std::int64_t k = 0; k < group; ++k) s = hn::Add(s, at.load(from + k * stride + i));
      at.store(s, out + i);
    });
  }
  for (; r < rows; ++r) {
    const float* from = x + r * stride;
    for_vectors(
        n, [=](auto at, std::int64_t i) HWY_ATTR { at.store(hn::Add(at.load(out + i), at.load(from + i)), out + i); });
  }
}

void max_rows_simd(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * stride;
    for_vectors(
        n, [=](auto at, std::int64_t i) HWY_ATTR { at.store(max_nan(at.load(from + i), at.load(out + i)), out + i); });
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(sum_range_simd);
HWY_EXPORT(sum_squares_simd);
HWY_EXPORT(sum_each_row_simd);
HWY_EXPORT(max_each_row_simd);
HWY_EXPORT(add_rows_simd);
HWY_EXPORT(max_rows_simd);

void sum_each_row(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                  std::int64_t out_step) {
  HWY_DYNAMIC_DISPATCH(sum_each_row_simd)(x, stride, rows, n, out, out_step);
}
void max_each_row(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                  std::int64_t out_step) {
  HWY_DYNAMIC_DISPATCH(max_each_row_simd)(x, stride, rows, n, out, out_step);
}
double sum_range(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_range_simd)(x, n); }
double sum_squares_range(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_squares_simd)(x, n); }
void add_rows(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(add_rows_simd)(x, stride, rows, n, out);
}
void max_rows(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(max_rows_simd)(x, stride, rows, n, out);
}

}  // namespace chronotope::onednn
#endif
