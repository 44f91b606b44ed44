// Register-blocked products and packing for attention. Included once per target (see foreach_target.h), hence the toggle.
//
// Every product of the forward and backward pass is C[j][lane] += sum_r A(r, j) B[r][lane] with kTile rows j and up to
// kVectors vectors of lanes in registers. B is a block [*, kRow]; A lies in panels. Lanes are queries in the forward pass
// and keys in the backward pass, so any head width fills the vectors.

#if defined(CHRONOTOPE_ONEDNN_ATTENTION_KERNELS) == defined(HWY_TARGET_TOGGLE)
#ifdef CHRONOTOPE_ONEDNN_ATTENTION_KERNELS
#undef CHRONOTOPE_ONEDNN_ATTENTION_KERNELS
#else
#define CHRONOTOPE_ONEDNN_ATTENTION_KERNELS
#endif

#include <hwy/highway.h>

#include <cstring>

#include "attention_units.hpp"
#include "vector_math.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::ScalableTag<float>;
using Vector = hn::Vec<Lanes>;
inline constexpr Lanes lanes{};
inline constexpr std::int64_t kLanes = hn::MaxLanes(Lanes());
inline constexpr int kVectors = 3;
inline constexpr std::int64_t kRow = kVectors * kLanes;
/// kTile * kVectors sums, kVectors of B and one of A fit 32 registers of AVX-512, 16 elsewhere.
inline constexpr int kTile = kLanes >= 16 ? 8 : 4;
inline constexpr std::int64_t kStep = 64;  ///< rows of B in one go: a [kStep, kRow] block stays in the L1 cache

inline constexpr float kLog2E = 1.44269504f, kLn2 = 0.69314718f;

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// Matrices [rows, D], one a head, in panels of kTile columns: element (r, c) at [c / kTile][r][c % kTile]; padding is zero.
struct Panels {
  float* data = nullptr;
  std::int64_t rows = 0, stride = 0, count = 0;
  /// `stride` keeps equal rows of neighbouring panels out of one set of the L1 cache.
  Panels(Arena& arena, std::int64_t heads, std::int64_t row_count, std::int64_t dim)
      : rows(round_up(row_count, kTile)), stride(round_up(rows, 64) + 2), count(round_up(dim, kTile) / kTile) {
    data = arena.take(heads * count * stride * kTile);
  }
  float* at(std::int64_t panel, std::int64_t row) const { return data + (panel * stride + row) * kTile; }
  Panels head(std::int64_t h) const {
    Panels one = *this;
    one.data = at(h * count, 0);
    return one;
  }
};

template <int NV>
struct Tile {
  Vector v[kTile][NV];

  HWY_INLINE void zero() {
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) v[j][i] = hn::Zero(lanes);
  }
  HWY_INLINE void load(const float* from, std::int64_t stride) {
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) v[j][i] = hn::Load(lanes, from + j * stride + i * kLanes);
  }
  HWY_INLINE void store(float* to, std::int64_t stride) const {
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j)
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) hn::Store(v[j][i], lanes, to + j * stride + i * kLanes);
  }
  /// v[j] += a[j * AJ] * b
  template <int AJ>
  HWY_INLINE void add_outer(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b) {
    Vector row[NV];
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) row[i] = hn::Load(lanes, b + i * kLanes);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      const Vector factor = hn::Set(lanes, a[j * AJ]);
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) v[j][i] = hn::MulAdd(factor, row[i], v[j][i]);
    }
  }
};

/// Tile = A[row .. row + kTile][:] B, B [count * kTile, kRow].
template <int NV>
HWY_INLINE Tile<NV> dot_products(const Panels& a, std::int64_t row, const float* HWY_RESTRICT b) {
  Tile<NV> c;
  c.zero();
  for (std::int64_t p = 0; p < a.count; ++p, b += kTile * kRow) {
    const float* block = a.at(p, row);
#pragma GCC unroll 8
    for (int r = 0; r < kTile; ++r) c.template add_outer<kTile>(block + r, b + r * kRow);
  }
  return c;
}

/// Tile += A(0 .. rows, j) B with A at a[r * AR + j * AJ], B with rows `stride` apart.
template <int NV, int AR, int AJ>
HWY_INLINE void accumulate(Tile<NV>& c, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::int64_t stride,
                           std::int64_t rows) {
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < rows; ++r) c.template add_outer<AJ>(a + r * AR, b + r * stride);
}

/// `dim` floats in pieces of N: the piece i of `row` goes to to(i), the last one filled up with zeros.
template <int N, class To>
HWY_INLINE void scatter_row(const float* row, std::int64_t dim, To&& to) {
  const std::int64_t whole = dim / N;
  for (std::int64_t i = 0; i < whole; ++i) std::memcpy(to(i), row + i * N, N * sizeof(float));
  if (whole * N == dim) return;
  float* last = to(whole);
  for (std::int64_t c = 0; c < N; ++c) last[c] = whole * N + c < dim ? row[whole * N + c] : 0.0f;
}

/// The way back.
template <int N, class From>
HWY_INLINE void gather_row(float* row, std::int64_t dim, From&& from) {
  const std::int64_t whole = dim / N;
  for (std::int64_t i = 0; i < whole; ++i) std::memcpy(row + i * N, from(i), N * sizeof(float));
  for (std::int64_t c = whole * N; c < dim; ++c) row[c] = from(whole)[c - whole * N];
}

/// Rows [0, rows) of some heads into panels with zero rows up to `panels.rows`.
inline void pack_panels(const Panels& panels, const Heads& x, std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      scatter_row<kTile>(x.at(r, h), dim, [&](std::int64_t p) { return panels.at(h * panels.count + p, r); });
    }
  }
  for (std::int64_t p = 0; p < heads * panels.count; ++p) {
    std::fill_n(panels.at(p, rows), (panels.rows - rows) * kTile, 0.0f);
  }
}

/// Rows [0, rows), rows <= kRow, of some heads times `factor`, transposed: to [heads, round_up(dim, kTile), kRow], padded
/// with zeros. `staging` has as many elements as `to`; there the rows lie in groups of four columns.
inline void pack_lanes(float* to, float* staging, const Heads& x, std::int64_t rows, std::int64_t heads,
                       std::int64_t dim, float factor) {
  const std::int64_t groups = round_up(dim, kTile) / 4;
  if (rows < kRow || dim % kTile != 0) std::fill_n(staging, heads * groups * 4 * kRow, 0.0f);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      scatter_row<4>(x.at(r, h), dim, [&](std::int64_t g) { return staging + ((h * groups + g) * kRow + r) * 4; });
    }
  }
  const Vector f = hn::Set(lanes, factor);
  for (std::int64_t g = 0; g < heads * groups; ++g) {
    for (int i = 0; i < kVectors; ++i) {
      Vector a, b, c, d;
      hn::LoadInterleaved4(lanes, staging + (g * kRow + i * kLanes) * 4, a, b, c, d);
      float* at = to + g * 4 * kRow + i * kLanes;
      hn::Store(hn::Mul(a, f), lanes, at);
      hn::Store(hn::Mul(b, f), lanes, at + kRow);
      hn::Store(hn::Mul(c, f), lanes, at + 2 * kRow);
      hn::Store(hn::Mul(d, f), lanes, at + 3 * kRow);
    }
  }
}

/// from [round_up(dim, kTile), kRow] times factors [kRow], into groups of four columns [round_up(dim, kTile) / 4, kRow, 4].
inline void interleave_lanes(float* staging, const float* from, const float* factors, std::int64_t dim) {
  for (std::int64_t g = 0; g < (dim + 3) / 4; ++g) {
    for (int i = 0; i < kVectors; ++i) {
      const float* at = from + g * 4 * kRow + i * kLanes;
      const Vector f = hn::Load(lanes, factors + i * kLanes);
      hn::StoreInterleaved4(hn::Mul(hn::Load(lanes, at), f), hn::Mul(hn::Load(lanes, at + kRow), f),
                            hn::Mul(hn::Load(lanes, at + 2 * kRow), f), hn::Mul(hn::Load(lanes, at + 3 * kRow), f),
                            lanes, staging + (g * kRow + i * kLanes) * 4);
    }
  }
}

/// Rows [0, rows) of some heads from what interleave_lanes() left for each of them.
inline void unpack_lanes(const Heads& x, const float* staging, std::int64_t rows, std::int64_t heads,
                         std::int64_t dim) {
  const std::int64_t groups = round_up(dim, kTile) / 4;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      gather_row<4>(x.at(r, h), dim, [&](std::int64_t g) { return staging + ((h * groups + g) * kRow + r) * 4; });
    }
  }
}

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
