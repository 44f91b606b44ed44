// Register-blocked products and packing for attention. Included once per target (foreach_target.h), hence the toggle.
//
// Every product of the forward and backward pass is C[j][lane] += sum_r A(r, j) B[r][lane] with kTile rows j and up to
// kVectors vectors of lanes in registers. B is a block [*, kRow]. Lanes are queries in the forward pass
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

/// Matrices [rows, D], one a head, with rows and columns padded to whole tiles by zeros.
struct Packed {
  float* data = nullptr;
  std::int64_t rows = 0, stride = 0;
  Packed(Arena& arena, std::int64_t heads, std::int64_t row_count, std::int64_t dim)
      : rows(round_up(row_count, kTile)), stride(round_up(dim, kTile)) {
    data = arena.take(heads * rows * stride);
  }
  float* at(std::int64_t row) const { return data + row * stride; }
  Packed head(std::int64_t h) const {
    Packed one = *this;
    one.data = at(h * rows);
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
  /// v[j] += a[j * step] * b
  HWY_INLINE void add_outer(const float* HWY_RESTRICT a, std::int64_t step, const float* HWY_RESTRICT b) {
    Vector row[NV];
#pragma GCC unroll 4
    for (int i = 0; i < NV; ++i) row[i] = hn::Load(lanes, b + i * kLanes);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      const Vector factor = hn::Set(lanes, a[j * step]);
#pragma GCC unroll 4
      for (int i = 0; i < NV; ++i) v[j][i] = hn::MulAdd(factor, row[i], v[j][i]);
    }
  }
};

/// Tile = A[row .. row + kTile][:] B, B [A.stride, kRow].
template <int NV>
HWY_INLINE Tile<NV> dot_products(const Packed& a, std::int64_t row, const float* HWY_RESTRICT b) {
  Tile<NV> c;
  c.zero();
  const float* from = a.at(row);
  for (std::int64_t column = 0; column < a.stride; column += kTile) {
#pragma GCC unroll 8
    for (int r = 0; r < kTile; ++r) c.add_outer(from + column + r, a.stride, b + (column + r) * kRow);
  }
  return c;
}

/// Tile += A^T B with A [rows, kTile] whose rows are `a_stride` apart, those of B `b_stride`.
template <int NV>
HWY_INLINE void accumulate(Tile<NV>& c, const float* HWY_RESTRICT a, std::int64_t a_stride, const float* HWY_RESTRICT b,
                           std::int64_t b_stride, std::int64_t rows) {
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < rows; ++r) c.add_outer(a + r * a_stride, 1, b + r * b_stride);
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

/// Rows row(0) … row(count - 1) of some heads, to the rows from `at` on.
template <class Row>
void pack_rows(const Packed& packed, std::int64_t at, const Heads& x, std::int64_t count, Row&& row, std::int64_t heads,
               std::int64_t dim) {
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      float* to = packed.at(h * packed.rows + at + r);
      scatter_row<kTile>(x.at(row(r), h), dim, [&](std::int64_t i) { return to + i * kTile; });
    }
  }
}

/// Zeros for rows [begin, end) of each head.
inline void clear_rows(const Packed& packed, std::int64_t begin, std::int64_t end, std::int64_t heads) {
  for (std::int64_t h = 0; h < heads; ++h) {
    std::fill_n(packed.at(h * packed.rows + begin), (end - begin) * packed.stride, 0.0f);
  }
}

constexpr int vectors_for(std::int64_t rows) { return static_cast<int>((rows + kLanes - 1) / kLanes); }

/// Rows row(0) … row(rows - 1), rows <= kRow, of some heads times `factor`, transposed, to
/// [heads, round_up(dim, kTile), kRow], padded with zeros up to whole vectors. `staging` has as many elements; there
/// the rows lie in groups of four columns.
template <class Row>
void pack_lanes(float* to, float* staging, const Heads& x, std::int64_t rows, Row&& row, std::int64_t heads,
                std::int64_t dim, float factor) {
  const std::int64_t groups = round_up(dim, kTile) / 4, vectors = vectors_for(rows);
  if (rows % kLanes != 0 || dim % kTile != 0) {
    for (std::int64_t g = 0; g < heads * groups; ++g) std::fill_n(staging + g * kRow * 4, vectors * kLanes * 4, 0.0f);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      scatter_row<4>(x.at(row(r), h), dim, [&](std::int64_t g) { return staging + ((h * groups + g) * kRow + r) * 4; });
    }
  }
  const Vector f = hn::Set(lanes, factor);
  for (std::int64_t g = 0; g < heads * groups; ++g) {
    for (std::int64_t i = 0; i < vectors; ++i) {
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

/// from [round_up(dim, kTile), kRow] times factors [kRow], the first `rows` lanes, into groups of four columns
/// [round_up(dim, kTile) / 4, kRow, 4].
inline void interleave_lanes(float* staging, const float* from, const float* factors, std::int64_t rows,
                             std::int64_t dim) {
  const std::int64_t vectors = vectors_for(rows);
  for (std::int64_t g = 0; g < (dim + 3) / 4; ++g) {
    for (std::int64_t i = 0; i < vectors; ++i) {
      const float* at = from + g * 4 * kRow + i * kLanes;
      const Vector f = hn::Load(lanes, factors + i * kLanes);
      hn::StoreInterleaved4(hn::Mul(hn::Load(lanes, at), f), hn::Mul(hn::Load(lanes, at + kRow), f),
                            hn::Mul(hn::Load(lanes, at + 2 * kRow), f), hn::Mul(hn::Load(lanes, at + 3 * kRow), f),
                            lanes, staging + (g * kRow + i * kLanes) * 4);
    }
  }
}

/// Rows row(0) … row(rows - 1) of some heads from what interleave_lanes() left for each of them.
template <class Row>
void unpack_lanes(const Heads& x, const float* staging, std::int64_t rows, Row&& row, std::int64_t heads,
                  std::int64_t dim) {
  const std::int64_t groups = round_up(dim, kTile) / 4;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      gather_row<4>(x.at(row(r), h), dim, [&](std::int64_t g) { return staging + ((h * groups + g) * kRow + r) * 4; });
    }
  }
}

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
