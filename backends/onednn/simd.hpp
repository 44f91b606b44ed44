// Vector helpers of the f32 kernels. Included once per target (see foreach_target.h), hence the toggle.

#if defined(CHRONOTOPE_ONEDNN_SIMD) == defined(HWY_TARGET_TOGGLE)
#ifdef CHRONOTOPE_ONEDNN_SIMD
#undef CHRONOTOPE_ONEDNN_SIMD
#else
#define CHRONOTOPE_ONEDNN_SIMD
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

HWY_INLINE Vec constant(float x) { return hn::Set(Floats(), x); }
HWY_INLINE std::int64_t lane_count() { return static_cast<std::int64_t>(hn::Lanes(Floats())); }

/// A whole vector of elements.
struct Whole {
  HWY_INLINE Vec load(const float* p) const { return hn::LoadU(Floats(), p); }
  HWY_INLINE void store(Vec v, float* p) const { hn::StoreU(v, Floats(), p); }
  HWY_INLINE Vec zero_rest(Vec v) const { return v; }
};

/// The last n elements, fewer than a vector; lanes beyond them are loaded as 0 and never stored.
struct Rest {
  std::size_t n;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_INLINE Vec load(const float* p) const {
    HWY_ALIGN float lanes[hn::MaxLanes(Floats())] = {};
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return hn::Load(Floats(), lanes);
  }
  HWY_INLINE void store(Vec v, float* p) const {
    HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
    hn::Store(v, Floats(), lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
#else
  HWY_INLINE Vec load(const float* p) const { return hn::MaskedLoad(hn::FirstN(Floats(), n), Floats(), p); }
  HWY_INLINE void store(Vec v, float* p) const { hn::BlendedStore(v, hn::FirstN(Floats(), n), Floats(), p); }
#endif
  HWY_INLINE Vec zero_rest(Vec v) const { return hn::IfThenElseZero(hn::FirstN(Floats(), n), v); }
};

/// f(at, i) for each vector of [0, n): `at` is Whole or Rest.
template <class F> HWY_INLINE void for_vectors(std::int64_t n, F&& f) {
  const std::int64_t step = lane_count();
  std::int64_t i = 0;
  for (; i + step <= n; i += step) f(Whole(), i);
  if (i < n) f(Rest{static_cast<std::size_t>(n - i)}, i);
}

HWY_INLINE float sum_lanes(Vec v) { return hn::GetLane(hn::SumOfLanes(Floats(), v)); }

/// Sum over [0, n) of the vectors f(at, i): four running sums hide the latency of an addition. Which of them an element goes to follows from
/// its number alone: zeros behind the others do not change a bit.
template <class F> HWY_INLINE float sum(std::int64_t n, F&& f) {
  const std::int64_t step = lane_count();
  const Whole whole;
  Vec s0 = constant(0), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    s0 = hn::Add(s0, f(whole, i));
    s1 = hn::Add(s1, f(whole, i + step));
    s2 = hn::Add(s2, f(whole, i + 2 * step));
    s3 = hn::Add(s3, f(whole, i + 3 * step));
  }
  const auto add = [&](Vec s, std::int64_t at) HWY_ATTR {
    if (at + step <= n) return hn::Add(s, f(whole, at));
    if (at >= n) return s;
    const Rest rest{static_cast<std::size_t>(n - at)};
    return hn::Add(s, rest.zero_rest(f(rest, at)));
  };
  s0 = add(s0, i), s1 = add(s1, i + step), s2 = add(s2, i + 2 * step), s3 = add(s3, i + 3 * step);
  return sum_lanes(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

/// The same for long sums: after 32 terms in each of the running sums it goes on in double.
template <class F> HWY_INLINE double long_sum(std::int64_t n, F&& f) {
  const std::int64_t block = 4 * 32 * lane_count();
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += block) {
    total += static_cast<double>(
        sum(HWY_MIN(block, n - begin), [&](auto at, std::int64_t i) HWY_ATTR { return f(at, begin + i); }));
  }
  return total;
}

/// The larger of each lane, NaN where either is.
HWY_INLINE Vec max_nan(Vec a, Vec b) { return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b); }

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
