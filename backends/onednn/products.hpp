// Products of narrow matrices in registers: what networks of a few dozen units need, where packing both operands costs
// more than it saves. Every element of a result is one chain of multiply-adds over the inner extent in ascending order,
// so a row's bits depend neither on the rows beside it nor on how rows are divided.
// Included once per target (see foreach_target.h), hence the toggle.

#if defined(CHRONOTOPE_ONEDNN_PRODUCTS) == defined(HWY_TARGET_TOGGLE)
#ifdef CHRONOTOPE_ONEDNN_PRODUCTS
#undef CHRONOTOPE_ONEDNN_PRODUCTS
#else
#define CHRONOTOPE_ONEDNN_PRODUCTS
#endif

#include <algorithm>

#include "simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {

inline constexpr int product_lanes = static_cast<int>(hn::MaxLanes(Floats()));
/// 6 * product_vectors sums, product_vectors of B and one of A fit 32 registers of AVX-512, 16 elsewhere.
inline constexpr int product_vectors = product_lanes >= 16 ? 4 : 2;
inline constexpr std::int64_t product_width = product_vectors * product_lanes;  ///< columns of a panel of packed()

/// The left side: element (r, j) lies at data[r * row + j * column].
struct Left {
  const float* data;
  std::int64_t row, column;
};

/// The right side: row j, dense.
struct Right {
  const float* data;
  std::int64_t stride;
};

// Where results begin and end: begin(at, r, c) is the vector that the products are added to, end(at, v, r, c) takes the
// sum; c is the first column of the vector.

/// C = A B, rows of C `stride` apart.
struct Stored {
  float* data;
  std::int64_t stride;
  template <class At> HWY_INLINE Vec begin(At, std::int64_t, std::int64_t) const { return constant(0); }
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const { at.store(v, data + r * stride + c); }
};

/// C += A B.
struct Added {
  float* data;
  std::int64_t stride;
  template <class At> HWY_INLINE Vec begin(At at, std::int64_t r, std::int64_t c) const { return at.load(data + r * stride + c); }
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const { at.store(v, data + r * stride + c); }
};

/// C = A B + bias.
struct Biased {
  float* data;
  std::int64_t stride;
  const float* bias;
  HWY_INLINE Biased from_column(std::int64_t c) const { return {data + c, stride, bias + c}; }
  template <class At> HWY_INLINE Vec begin(At at, std::int64_t, std::int64_t c) const { return at.load(bias + c); }
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const { at.store(v, data + r * stride + c); }
};

/// C = max(A B + bias, 0); NaN stays.
struct Rectified : Biased {
  HWY_INLINE Rectified from_column(std::int64_t c) const { return {Biased::from_column(c)}; }
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const {
    at.store(max_nan(v, constant(0)), data + r * stride + c);
  }
};

/// Rows [r, r + NR) and NV vectors from column c of A B, with n products a sum; `at` is how the last vector is reached.
template <int NR, int NV, class Out, class At>
HWY_INLINE void product_tile(const Left& a, const Right& b, std::int64_t n, const Out& out, std::int64_t r, std::int64_t c, At at) {
  constexpr Whole whole;
  Vec sums[NR][NV];
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      if (v + 1 < NV) sums[i][v] = out.begin(whole, r + i, c + v * product_lanes);
      else sums[i][v] = out.begin(at, r + i, c + v * product_lanes);
    }
  const float* left = a.data + r * a.row;
  for (std::int64_t j = 0; j < n; ++j) {
    const float* from = b.data + j * b.stride + c;
    Vec right[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      if (v + 1 < NV) right[v] = whole.load(from + v * product_lanes);
      else right[v] = at.load(from + v * product_lanes);
    }
#pragma GCC unroll 6
    for (int i = 0; i < NR; ++i) {
      const Vec factor = constant(left[i * a.row + j * a.column]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sums[i][v] = hn::MulAdd(factor, right[v], sums[i][v]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      if (v + 1 < NV) out.end(whole, sums[i][v], r + i, c + v * product_lanes);
      else out.end(at, sums[i][v], r + i, c + v * product_lanes);
    }
}

template <int NV, class Out, class At>
HWY_INLINE void product_columns(std::int64_t rows, const Left& a, const Right& b, std::int64_t n, const Out& out, std::int64_t c, At at) {
  std::int64_t r = 0;
  for (; r + 6 <= rows; r += 6) product_tile<6, NV>(a, b, n, out, r, c, at);
  if (r + 3 <= rows) {
    product_tile<3, NV>(a, b, n, out, r, c, at);
    r += 3;
  }
  for (; r < rows; ++r) product_tile<1, NV>(a, b, n, out, r, c, at);
}

/// A [rows, n] times B [n, columns] into `out`.
template <class Out>
void product(std::int64_t rows, std::int64_t columns, std::int64_t n, const Left& a, const Right& b, const Out& out) {
  constexpr std::int64_t lanes = product_lanes;
  std::int64_t c = 0;
  for (; c + product_width <= columns; c += product_width)
    product_columns<product_vectors>(rows, a, b, n, out, c, Whole());
  if (product_vectors > 2 && c + 2 * lanes <= columns) {
    product_columns<2>(rows, a, b, n, out, c, Whole());
    c += 2 * lanes;
  }
  if (c + lanes <= columns) {
    product_columns<1>(rows, a, b, n, out, c, Whole());
    c += lanes;
  }
  if (c < columns) product_columns<1>(rows, a, b, n, out, c, Rest{static_cast<std::size_t>(columns - c)});
}

/// w [N, K] as right sides [K, product_width] for a product with its transpose, one panel after another, padded with 0.
/// Takes panel_floats(N) * K floats.
HWY_INLINE std::int64_t panel_floats(std::int64_t N) { return (N + product_width - 1) / product_width * product_width; }

inline void pack_panels(const float* w, std::int64_t N, std::int64_t K, float* packed) {
  for (std::int64_t first = 0; first < N; first += product_width) {
    float* panel = packed + first * K;
    const std::int64_t width = HWY_MIN(product_width, N - first);
    if (width < product_width) std::fill_n(panel, K * product_width, 0.0f);
    constexpr std::int64_t block = 64;  // rows of the panel that stay in the cache while columns are filled in
    for (std::int64_t begin = 0; begin < K; begin += block) {
      for (std::int64_t i = 0; i < width; ++i) {
        const float* row = w + (first + i) * K;
        for (std::int64_t k = begin; k < HWY_MIN(K, begin + block); ++k) panel[k * product_width + i] = row[k];
      }
    }
  }
}

/// A [rows, K] times the transpose of what pack_panels() packed, into `out`.
template <class Out>
HWY_INLINE void product_transposed(std::int64_t rows, std::int64_t N, std::int64_t K, const Left& a, const float* packed, const Out& out) {
  for (std::int64_t first = 0; first < N; first += product_width)
    product(rows, HWY_MIN(product_width, N - first), K, a, Right{packed + first * K, product_width}, out.from_column(first));
}

/// Scalar products of NR rows of `a`, `stride` apart, with b: to out[i * step].
template <int NR>
HWY_INLINE void dot_rows(const float* a, std::int64_t stride, const float* b, std::int64_t n, float* out, std::int64_t step) {
  Vec sums[NR];
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i) sums[i] = constant(0);
  for_vectors(n, [&](auto at, std::int64_t j) HWY_ATTR {
    const Vec right = at.load(b + j);
#pragma GCC unroll 6
    for (int i = 0; i < NR; ++i) sums[i] = hn::MulAdd(at.load(a + i * stride + j), right, sums[i]);
  });
#pragma GCC unroll 6
  for (int i = 0; i < NR; ++i) out[i * step] = sum_lanes(sums[i]);
}

/// The same for any number of rows.
HWY_INLINE void dots(std::int64_t rows, const float* a, std::int64_t stride, const float* b, std::int64_t n, float* out, std::int64_t step) {
  std::int64_t r = 0;
  for (; r + 5 <= rows; r += 5) dot_rows<5>(a + r * stride, stride, b, n, out + r * step, step);
  for (; r < rows; ++r) dot_rows<1>(a + r * stride, stride, b, n, out + r * step, step);
}

}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
