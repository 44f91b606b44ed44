// exp, log, tanh, sine and cosine of f32 vectors. Included once per target (see foreach_target.h), hence the toggle.
// Infinities, zeros and NaN give what <cmath> gives. Errors stay below 2 units in the last place (measured over the
// whole range in tests/onednn/functions.cpp); the polynomials are Taylor sums over intervals narrow enough for them.

#if defined(CHRONOTOPE_ONEDNN_FUNCTIONS) == defined(HWY_TARGET_TOGGLE)
#ifdef CHRONOTOPE_ONEDNN_FUNCTIONS
#undef CHRONOTOPE_ONEDNN_FUNCTIONS
#else
#define CHRONOTOPE_ONEDNN_FUNCTIONS
#endif

#include <limits>

#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {

/// c[0] + c[1] x + … by Horner's rule.
template <int n> HWY_INLINE Vec polynomial(Vec x, const float (&c)[n]) {
  Vec p = constant(c[n - 1]);
  for (int i = n - 2; i >= 0; --i) p = hn::MulAdd(p, x, constant(c[i]));
  return p;
}

// ln 2 in two parts; the first has so few bits that its product with an exponent is exact also without fused
// operations.
inline constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;

/// v * 2^n for -252 <= n <= 254: two factors, because 2^n itself may be no float.
HWY_INLINE Vec scale_exponent(Vec v, hn::Vec<hn::RebindToSigned<Floats>> n) {
  const hn::RebindToSigned<Floats> integers;
  const auto half = hn::ShiftRight<1>(n), bias = hn::Set(integers, 127);
  const Vec a = hn::BitCast(Floats(), hn::ShiftLeft<23>(hn::Add(half, bias)));
  const Vec b = hn::BitCast(Floats(), hn::ShiftLeft<23>(hn::Add(hn::Sub(n, half), bias)));
  return hn::Mul(hn::Mul(v, a), b);
}

/// e^x; 0 and infinity beyond the range of floats.
HWY_INLINE Vec exponential(Vec x) {
  static constexpr float taylor[] = {
      1.0f, 1.0f, 0.5f, 0x1.555556p-3f, 0x1.555556p-5f, 0x1.111112p-7f, 0x1.6c16c2p-10f, 0x1.a01a02p-13f};
  const hn::RebindToSigned<Floats> integers;
  // Where the result is 0 the products below must not underflow: that costs the processor a hundred cycles.
  const auto vanishes = hn::Lt(x, constant(-104.0f));
  const Vec clamped = hn::IfThenZeroElse(vanishes, hn::Min(x, constant(89.0f)));
  const Vec n = hn::Round(hn::Mul(clamped, constant(0x1.715476p0f)));
  const Vec r = hn::NegMulAdd(n, constant(ln2_low), hn::NegMulAdd(n, constant(ln2_high), clamped));
  const Vec result = scale_exponent(polynomial(r, taylor), hn::ConvertTo(integers, n));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenZeroElse(vanishes, result));
}

/// Natural logarithm: x = m 2^e with m in [0.71, 1.42], ln m = 2 artanh((m - 1) / (m + 1)).
HWY_INLINE Vec logarithm(Vec x) {
  static constexpr float odd[] = {0x1.555556p-1f, 0x1.99999ap-2f, 0x1.24924ap-2f, 0x1.c71c72p-3f, 0x1.745d18p-3f};
  const hn::RebindToSigned<Floats> integers;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto subnormal = hn::Lt(x, constant(0x1p-126f));
  const Vec normal = hn::IfThenElse(subnormal, hn::Mul(x, constant(0x1p24f)), x);
  // Subtracting the bits of sqrt(1/2) leaves in the exponent field the power that brings m into its interval.
  const auto shifted = hn::Sub(hn::BitCast(integers, normal), hn::Set(integers, 0x3f3504f3));
  const auto exponent = hn::ShiftRight<23>(shifted);
  const Vec m = hn::BitCast(Floats(), hn::Sub(hn::BitCast(integers, normal), hn::ShiftLeft<23>(exponent)));
  const Vec e = hn::Add(hn::ConvertTo(Floats(), exponent), hn::IfThenElseZero(subnormal, constant(-24.0f)));
  const Vec f = hn::Sub(m, constant(1.0f)), s = hn::Div(f, hn::Add(f, constant(2.0f))), s2 = hn::Mul(s, s);
  // ln(1 + f) = f - (f^2/2 - s (f^2/2 + s^2 odd(s^2))): f is exact, so only the small correction is rounded.
  const Vec half_square = hn::Mul(constant(0.5f), hn::Mul(f, f));
  const Vec inner = hn::MulAdd(s, hn::MulAdd(s2, polynomial(s2, odd), half_square), hn::Mul(e, constant(ln2_low)));
  Vec result = hn::Add(hn::Mul(e, constant(ln2_high)), hn::Sub(f, hn::Sub(half_square, inner)));
  result = hn::IfThenElse(hn::Eq(x, constant(infinity)), x, result);
  result = hn::IfThenElse(hn::Eq(x, constant(0.0f)), constant(-infinity), result);
  const auto no_number = hn::Or(hn::Lt(x, constant(0.0f)), hn::IsNaN(x));
  return hn::IfThenElse(no_number, constant(std::numeric_limits<float>::quiet_NaN()), result);
}

/// 1 / (1 + e^-x)
HWY_INLINE Vec sigmoid(Vec x) { return hn::Div(constant(1.0f), hn::Add(constant(1.0f), exponential(hn::Neg(x)))); }

/// tanh x = 1 - 2 / (e^2x + 1), and an odd Taylor sum near 0 where that difference would cancel.
HWY_INLINE Vec hyperbolic_tangent(Vec x) {
  static constexpr float odd[] = {-0x1.555556p-2f, 0x1.111112p-3f, -0x1.ba1ba2p-5f,  0x1.664f48p-6f,
                                  -0x1.226e36p-7f, 0x1.d6d3d0p-9f, -0x1.7da364p-10f, 0x1.355824p-11f};
  const Vec size = hn::Abs(x), square = hn::Mul(x, x);
  const Vec small = hn::MulAdd(hn::Mul(size, square), polynomial(square, odd), size);
  const Vec power = exponential(hn::Add(size, size));
  const Vec large = hn::Sub(constant(1.0f), hn::Div(constant(2.0f), hn::Add(power, constant(1.0f))));
  return hn::CopySign(hn::IfThenElse(hn::Lt(size, constant(0.5f)), small, large), x);
}

/// Arguments up to here are reduced below by a three-part pi / 2; larger ones need the exact reduction of <cmath>.
inline constexpr float trigonometric_limit = 8192.0f;

/// sin x for quarter = 0, cos x for quarter = 1, |x| <= trigonometric_limit.
HWY_INLINE Vec sine(Vec x, int quarter) {
  static constexpr float sine_odd[] = {-0x1.555556p-3f, 0x1.111112p-7f, -0x1.a01a02p-13f, 0x1.71de3ap-19f};
  static constexpr float cosine_even[] = {-0.5f, 0x1.555556p-5f, -0x1.6c16c2p-10f, 0x1.a01a02p-16f, -0x1.27e4fcp-22f};
  const hn::RebindToSigned<Floats> integers;
  const Vec n = hn::Round(hn::Mul(x, constant(0x1.45f306p-1f)));
  // pi / 2 in parts of 11, 11, 11 and 24 bits: products with |n| < 2^13 are exact but for the last.
  Vec r = hn::NegMulAdd(n, constant(0x1.92p0f), x);
  r = hn::NegMulAdd(n, constant(0x1.fb4p-12f), r);
  r = hn::NegMulAdd(n, constant(0x1.444p-24f), r);
  r = hn::NegMulAdd(n, constant(0x1.68c234p-39f), r);
  const Vec square = hn::Mul(r, r);
  const Vec s = hn::MulAdd(hn::Mul(r, square), polynomial(square, sine_odd), r);
  const Vec c = hn::MulAdd(square, polynomial(square, cosine_even), constant(1.0f));
  const auto quadrant = hn::Add(hn::ConvertTo(integers, n), hn::Set(integers, quarter));
  const auto odd = hn::MaskFromVec(hn::BitCast(Floats(), hn::Neg(hn::And(quadrant, hn::Set(integers, 1)))));
  const Vec sign = hn::BitCast(Floats(), hn::ShiftLeft<30>(hn::And(quadrant, hn::Set(integers, 2))));
  const Vec result = hn::Xor(hn::IfThenElse(odd, c, s), sign);
  // The reduction loses the sign of -0.
  return quarter == 0 ? hn::IfThenElse(hn::Eq(x, constant(0.0f)), x, result) : result;
}

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
