#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/elementwise_kernels.cpp"
#include <hwy/foreach_target.h>

#include "elementwise_kernels.hpp"

#include <cmath>

#include "functions.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

template <class F> HWY_INLINE void map(float* out, const float* in, std::int64_t n, F f) {
  for_vectors(n, [=](auto at, std::int64_t i) HWY_ATTR { at.store(f(at.load(in + i)), out + i); });
}

/// Sine or cosine; a vector with an argument beyond the fast reduction goes through <cmath>.
void trigonometric(float* out, const float* in, std::int64_t n, int quarter) {
  for_vectors(n, [=](auto at, std::int64_t i) HWY_ATTR {
    const Vec x = at.load(in + i);
    if (HWY_LIKELY(hn::AllTrue(Floats(), hn::Le(hn::Abs(x), constant(trigonometric_limit))))) {
      at.store(sine(x, quarter), out + i);
      return;
    }
    HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
    hn::Store(x, Floats(), lanes);
    for (std::int64_t j = 0; j < lane_count(); ++j) lanes[j] = quarter == 0 ? std::sin(lanes[j]) : std::cos(lanes[j]);
    at.store(hn::Load(Floats(), lanes), out + i);
  });
}

void unary_line_simd(Unary op, float* out, const float* in, std::int64_t n) {
  switch (op) {
    case Unary::neg: return map(out, in, n, [](Vec x) HWY_ATTR { return hn::Neg(x); });
    case Unary::exp: return map(out, in, n, [](Vec x) HWY_ATTR { return exponential(x); });
    case Unary::log: return map(out, in, n, [](Vec x) HWY_ATTR { return logarithm(x); });
    case Unary::sqrt: return map(out, in, n, [](Vec x) HWY_ATTR { return hn::Sqrt(x); });
    case Unary::recip: return map(out, in, n, [](Vec x) HWY_ATTR { return hn::Div(constant(1.0f), x); });
    case Unary::sin: return trigonometric(out, in, n, 0);
    case Unary::cos: return trigonometric(out, in, n, 1);
    case Unary::tanh: return map(out, in, n, [](Vec x) HWY_ATTR { return hyperbolic_tangent(x); });
    case Unary::abs: return map(out, in, n, [](Vec x) HWY_ATTR { return hn::Abs(x); });
  }
}

/// Loads an operand: dense, or the same value everywhere.
struct Dense {
  const float* p;
  template <class At> HWY_INLINE Vec operator()(At at, std::int64_t i) const { return at.load(p + i); }
};
struct Repeated {
  float value;
  explicit Repeated(const float* p) : value(*p) {}
  template <class At> HWY_INLINE Vec operator()(At, std::int64_t) const { return constant(value); }
};

template <class F> HWY_INLINE void with_operands(const float* a, bool repeat_a, const float* b, bool repeat_b, F f) {
  if (repeat_a && repeat_b) return f(Repeated(a), Repeated(b));
  if (repeat_a) return f(Repeated(a), Dense{b});
  if (repeat_b) return f(Dense{a}, Repeated(b));
  return f(Dense{a}, Dense{b});
}

void binary_line_simd(Binary op, float* out, const float* a, bool repeat_a, const float* b, bool repeat_b,
                      std::int64_t n) {
  with_operands(a, repeat_a, b, repeat_b, [=](auto x, auto y) HWY_ATTR {
    const auto zip = [=](auto f) HWY_ATTR {
      for_vectors(n, [=](auto at, std::int64_t i) HWY_ATTR { at.store(f(x(at, i), y(at, i)), out + i); });
    };
    switch (op) {
      case Binary::add: return zip([](Vec u, Vec v) HWY_ATTR { return hn::Add(u, v); });
      case Binary::sub: return zip([](Vec u, Vec v) HWY_ATTR { return hn::Sub(u, v); });
      case Binary::mul: return zip([](Vec u, Vec v) HWY_ATTR { return hn::Mul(u, v); });
      case Binary::div: return zip([](Vec u, Vec v) HWY_ATTR { return hn::Div(u, v); });
      default: return zip([](Vec u, Vec v) HWY_ATTR { return max_nan(u, v); });
    }
  });
}

void compare_line_simd(Binary op, std::uint8_t* out, const float* a, bool repeat_a, const float* b, bool repeat_b,
                       std::int64_t n) {
  const hn::RebindToSigned<Floats> integers;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  with_operands(a, repeat_a, b, repeat_b, [=](auto x, auto y) HWY_ATTR {
    const auto bits = [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec u = x(at, i), v = y(at, i);
      const auto truth = hn::RebindMask(integers, op == Binary::eq ? hn::Eq(u, v) : hn::Lt(u, v));
      return hn::DemoteTo(bytes, hn::IfThenElseZero(truth, hn::Set(integers, 1)));
    };
    const std::int64_t step = lane_count();
    std::int64_t i = 0;
    for (; i + step <= n; i += step) hn::StoreU(bits(Whole(), i), bytes, out + i);
    if (i == n) return;
    HWY_ALIGN std::uint8_t rest[hn::MaxLanes(Floats())];
    hn::StoreU(bits(Rest{static_cast<std::size_t>(n - i)}, i), bytes, rest);
    for (std::int64_t j = 0; i + j < n; ++j) out[i + j] = rest[j];
  });
}

void select_line_simd(float* out, const std::uint8_t* cond, const float* a, bool repeat_a, const float* b,
                      bool repeat_b, std::int64_t n) {
  const hn::RebindToSigned<Floats> integers;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  with_operands(a, repeat_a, b, repeat_b, [=](auto x, auto y) HWY_ATTR {
    const std::int64_t step = lane_count();
    const auto choose = [=](auto at, const std::uint8_t* c, std::int64_t i) HWY_ATTR {
      const auto wide = hn::PromoteTo(integers, hn::LoadU(bytes, c));
      const auto truth = hn::RebindMask(Floats(), hn::Ne(wide, hn::Zero(integers)));
      at.store(hn::IfThenElse(truth, x(at, i), y(at, i)), out + i);
    };
    std::int64_t i = 0;
    for (; i + step <= n; i += step) choose(Whole(), cond + i, i);
    if (i == n) return;
    HWY_ALIGN std::uint8_t rest[hn::MaxLanes(Floats())] = {};
    for (std::int64_t j = 0; i + j < n; ++j) rest[j] = cond[i + j];
    choose(Rest{static_cast<std::size_t>(n - i)}, rest, i);
  });
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(unary_line_simd);
HWY_EXPORT(binary_line_simd);
HWY_EXPORT(compare_line_simd);
HWY_EXPORT(select_line_simd);

void unary_line(Unary op, float* out, const float* in, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(unary_line_simd)(op, out, in, n);
}

void binary_line(Binary op, float* out, const float* a, bool repeat_a, const float* b, bool repeat_b, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(binary_line_simd)(op, out, a, repeat_a, b, repeat_b, n);
}

void compare_line(Binary op, std::uint8_t* out, const float* a, bool repeat_a, const float* b, bool repeat_b,
                  std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(compare_line_simd)(op, out, a, repeat_a, b, repeat_b, n);
}

void select_line(float* out, const std::uint8_t* cond, const float* a, bool repeat_a, const float* b, bool repeat_b,
                 std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(select_line_simd)(out, cond, a, repeat_a, b, repeat_b, n);
}

}  // namespace chronotope::onednn
#endif
