// Philox on vectors of blocks: the bits of core/philox.hpp. Uniform numbers and dropout.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/random.cpp"
#include <hwy/foreach_target.h>

#include <cmath>

#include "chronotope/core/philox.hpp"
#include "cpu/loops.hpp"
#include "simd.hpp"
#include "stream.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_SCALAR

using Words = hn::RebindToUnsigned<Floats>;
using WordVec = hn::Vec<Words>;

/// High and low words of the products of all lanes with one factor.
HWY_INLINE void multiply(WordVec x, WordVec factor, WordVec& high, WordVec& low) {
  const hn::RepartitionToWide<Words> wide;
  const auto even = hn::MulEven(x, factor);
  const auto odd = hn::MulEven(hn::BitCast(Words(), hn::ShiftRight<32>(hn::BitCast(wide, x))), factor);
  high = hn::OddEven(hn::BitCast(Words(), odd), hn::BitCast(Words(), hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(Words(), hn::ShiftLeft<32>(odd)), hn::BitCast(Words(), even));
}

/// One block of the stream in each lane.
struct PhiloxLanes {
  std::uint64_t seed, counter;

  HWY_INLINE void draw(WordVec low, WordVec high, WordVec (&out)[4]) const {
    const auto word = [](std::uint64_t x) HWY_ATTR { return hn::Set(Words(), static_cast<std::uint32_t>(x)); };
    const WordVec factor0 = word(0xD2511F53u), factor1 = word(0xCD9E8D57u);
    WordVec c0 = low, c1 = high, c2 = word(counter), c3 = word(counter >> 32);
    WordVec key0 = word(seed), key1 = word(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      WordVec high0, low0, high1, low1;
      multiply(c0, factor0, high0, low0);
      multiply(c2, factor1, high1, low1);
      c0 = hn::Xor(hn::Xor(high1, c1), key0);
      c2 = hn::Xor(hn::Xor(high0, c3), key1);
      c1 = low1;
      c3 = low0;
      key0 = hn::Add(key0, word(0x9E3779B9u));
      key1 = hn::Add(key1, word(0xBB67AE85u));
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
  }
};

/// f(words, i) with the vector of words for elements i, i + 1, … where `begin` is a multiple of 4; words past `end`
/// too.
template <class F>
HWY_INLINE void for_words(std::uint64_t seed, std::uint64_t counter, std::int64_t begin, std::int64_t end, F&& f) {
  const PhiloxLanes philox_lanes{seed, counter};
  const Words words;
  const auto step = lane_count();
  const WordVec iota = hn::Iota(words, 0);
  HWY_ALIGN std::uint32_t buffer[4 * hn::MaxLanes(Words())];
  for (std::int64_t i = begin; i < end; i += 4 * step) {
    const auto block = static_cast<std::uint64_t>(i / 4);
    const WordVec base = hn::Set(words, static_cast<std::uint32_t>(block)), low = hn::Add(base, iota);
    const WordVec carry = hn::VecFromMask(words, hn::Lt(low, base));  // all ones: subtracting them adds 1
    const WordVec high = hn::Sub(hn::Set(words, static_cast<std::uint32_t>(block >> 32)), carry);
    WordVec out[4];
    philox_lanes.draw(low, high, out);
    hn::StoreInterleaved4(out[0], out[1], out[2], out[3], words, buffer);
    for (int part = 0; part < 4; ++part) f(hn::Load(words, buffer + part * step), i + part * step);
  }
}

/// f for a vector that may reach past the end.
template <class F> HWY_INLINE void at_vector(std::int64_t i, std::int64_t end, F&& f) {
  if (i + lane_count() <= end) f(Whole());
  else if (i < end) f(Rest{static_cast<std::size_t>(end - i)});
}

void uniform_range(float* out, std::int64_t begin, std::int64_t end, std::uint64_t seed, std::uint64_t counter) {
  const hn::RebindToSigned<Floats> integers;
  for_words(seed, counter, begin, end, [=](WordVec words, std::int64_t i) HWY_ATTR {
    const auto bits = hn::BitCast(integers, hn::ShiftRight<8>(words));
    const Vec value = hn::Mul(hn::ConvertTo(Floats(), bits), constant(0x1p-24f));
    at_vector(i, end, [=](auto at) HWY_ATTR { at.store(value, out + i); });
  });
}

/// Element i is kept when its 24 bits are at least `least`.
void dropout_range(float* y, const float* x, std::int64_t begin, std::int64_t end, std::int32_t least, float scale,
                   std::uint64_t seed, std::uint64_t counter) {
  const hn::RebindToSigned<Floats> integers;
  for_words(seed, counter, begin, end, [=](WordVec words, std::int64_t i) HWY_ATTR {
    const auto bits = hn::BitCast(integers, hn::ShiftRight<8>(words));
    const auto dropped = hn::Lt(bits, hn::Set(integers, least));
    const Vec factor = hn::IfThenZeroElse(hn::RebindMask(Floats(), dropped), constant(scale));
    at_vector(i, end, [=](auto at) HWY_ATTR { at.store(hn::Mul(at.load(x + i), factor), y + i); });
  });
}

#else

// One lane: the plain functions.
void uniform_range(float* out, std::int64_t begin, std::int64_t end, std::uint64_t seed, std::uint64_t counter) {
  for (std::int64_t i = begin; i < end; ++i) out[i] = philox_uniform(seed, counter, static_cast<std::uint64_t>(i));
}

void dropout_range(float* y, const float* x, std::int64_t begin, std::int64_t end, std::int32_t least, float scale,
                   std::uint64_t seed, std::uint64_t counter) {
  const float limit = static_cast<float>(least) * 0x1p-24f;
  for (std::int64_t i = begin; i < end; ++i) {
    y[i] = x[i] * (philox_uniform(seed, counter, static_cast<std::uint64_t>(i)) >= limit ? scale : 0.0f);
  }
}

#endif

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(uniform_range);
HWY_EXPORT(dropout_range);
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

void onednn_backend::uniform(stream& s, const View& out, std::uint64_t seed, std::uint64_t counter) {
  if (!is_dense(out)) return cpu::uniform(out, seed, counter);
  parallel(s.impl(), out.elements(), 2 * out.elements(), 1024, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(uniform_range)(out.as<float>(), begin, end, seed, counter);
  });
}

bool onednn_backend::try_dropout(stream& s, const View& y, const View& x, double p, std::uint64_t seed,
                                 std::uint64_t counter) {
  if (!is_dense(y) || !is_dense(x) || !(y.shape == x.shape) || !(p >= 0 && p < 1)) return false;
  // uniform = bits / 2^24 >= p exactly when bits >= ceil(2^24 p).
  const auto least = static_cast<std::int32_t>(std::ceil(p * 0x1p24));
  const auto scale = static_cast<float>(1 / (1 - p));
  parallel(s.impl(), y.elements(), 2 * y.elements(), 1024, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(dropout_range)(y.as<float>(), x.as<float>(), begin, end, least, scale, seed, counter);
  });
  return true;
}

}  // namespace chronotope
#endif
