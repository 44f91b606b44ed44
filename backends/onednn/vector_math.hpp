// Vector functions of the Highway kernels. Included once per target (see foreach_target.h), hence the toggle.

#if defined(CHRONOTOPE_ONEDNN_VECTOR_MATH) == defined(HWY_TARGET_TOGGLE)
#ifdef CHRONOTOPE_ONEDNN_VECTOR_MATH
#undef CHRONOTOPE_ONEDNN_VECTOR_MATH
#else
#define CHRONOTOPE_ONEDNN_VECTOR_MATH
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 2^x for x < 128, relative error 2 units in the last place; exactly 1 at 0, exactly 0 from -127 down, NaN for NaN.
/// Polynomial: minimax of the relative error on [-1/2, 1/2] with p(0) = 1, 2.6e-9 (own Remez run).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = hn::Max(hn::Set(d, -127.0f), x);  // in this order a NaN in x survives
  const V magic = hn::Set(d, 0x1.8p23f);  // adding it rounds to an integer, found in the low bits of the sum
  const V rounded = hn::Add(x, magic);
  const V r = hn::Sub(x, hn::Sub(rounded, magic));
  V p = hn::Set(d, 0.00015594677545826587f);
  p = hn::MulAdd(p, r, hn::Set(d, 0.0013406643904890147f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.009617692974904094f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.05550310550996302f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.2402265278287598f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.6931472149680392f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, rounded));
  return hn::Mul(p, hn::BitCast(d, hn::Add(exponent, hn::Set(di, 127 << 23))));
}

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
