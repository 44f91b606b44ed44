// Strided, batched products of f32: matrices are described to gemm as they lie where that is possible, otherwise
// copied; a batch that shares its right side and lies row behind row becomes one tall product.

#include <atomic>
#include <optional>
#include <utility>

#include "chronotope/core/error.hpp"
#include "cpu/loops.hpp"
#include "gemm.hpp"

namespace chronotope {
namespace {

using onednn::Impl;
using onednn::Slot;

/// Products of this many multiplications (some 150 µs) are left to the threads together, smaller ones one to a thread.
constexpr double large_product = 1 << 24;

/// The matrix in the last two axes as gemm takes it: rows `ld` apart, or columns when transposed.
struct Layout {
  bool transposed = false;
  std::int64_t ld = 0;
};

std::optional<Layout> layout_of(const View& v) {
  const std::int64_t rows = v.shape[-2], columns = v.shape[-1];
  const std::int64_t row = v.strides[v.shape.rank() - 2], column = v.strides[v.shape.rank() - 1];
  if ((column == 1 || columns == 1) && (row >= columns || rows == 1)) return Layout{false, std::max(row, columns)};
  if ((row == 1 || rows == 1) && (column >= rows || columns == 1)) return Layout{true, std::max(column, rows)};
  return std::nullopt;
}

/// A dense copy in scratch memory; repeated matrices of a broadcast batch are copied once.
View dense_copy(onednn_backend::stream& s, Slot slot, const View& v) {
  View once = v;
  for (int i = 0; i < v.shape.rank() - 2; ++i) {
    if (v.strides[i] == 0) once.shape[i] = 1;
  }
  View copy = contiguous_view(s.impl().floats(slot, once.elements()), DType::f32, once.shape);
  onednn_backend::copy(s, copy, once);
  for (int i = 0; i < v.shape.rank() - 2; ++i) {
    if (v.strides[i] == 0) copy.strides[i] = 0;
  }
  copy.shape = v.shape;
  return copy;
}

/// Where gemm cannot take the matrices as they lie, replaces the view by a copy.
Layout prepare(onednn_backend::stream& s, Slot slot, View& v) {
  if (const auto layout = layout_of(v)) return *layout;
  v = dense_copy(s, slot, v);
  return {false, v.shape[-1]};
}

struct Product {
  std::int64_t M, N, K;
  float beta;
  const float *a, *b;
  float* out;
  Layout la, lb;
  std::int64_t ldc;
};

struct Batch {
  int rank = 0;
  std::int64_t count = 1;
  std::int64_t extent[max_rank], a[max_rank], b[max_rank], out[max_rank];

  Product at(std::int64_t i, Product p) const {
    for (int axis = rank - 1; axis >= 0; --axis) {
      const std::int64_t index = i % extent[axis];
      i /= extent[axis];
      p.a += index * a[axis];
      p.b += index * b[axis];
      p.out += index * out[axis];
    }
    return p;
  }
};

/// The batch axes; those over which b is the same and the rows of a and out go on are taken into M.
Batch take_batch(Product& p, const View& out, const View& a, const View& b) {
  Batch batch;
  bool tall = !p.la.transposed;
  for (int i = out.shape.rank() - 3; i >= 0; --i) {
    const std::int64_t n = out.shape[i];
    if (n == 1) continue;
    if (tall && b.strides[i] == 0 && a.strides[i] == p.M * p.la.ld && out.strides[i] == p.M * p.ldc) {
      p.M *= n;
      continue;
    }
    tall = false;
    batch.extent[batch.rank] = n;
    batch.a[batch.rank] = a.strides[i];
    batch.b[batch.rank] = b.strides[i];
    batch.out[batch.rank++] = out.strides[i];
    batch.count *= n;
  }
  return batch;
}

void multiply_large(Impl& impl, const Product& p) {
  onednn::gemm(impl, p.la.transposed, p.lb.transposed, p.M, p.N, p.K, 1.0f, p.a, p.la.ld, p.b, p.lb.ld, p.beta, p.out,
               p.ldc);
}

bool multiply_small(const Product& p) {
  return onednn::gemm_serial(p.la.transposed, p.lb.transposed, p.M, p.N, p.K, 1.0f, p.a, p.la.ld, p.b, p.lb.ld, p.beta,
                             p.out, p.ldc);
}

void multiply(Impl& impl, const Product& p, const Batch& batch) {
  const double work = static_cast<double>(p.M) * static_cast<double>(p.N) * static_cast<double>(p.K);
  if (batch.count < impl.threads || work >= large_product) {
    for (std::int64_t i = 0; i < batch.count; ++i) multiply_large(impl, batch.at(i, p));
    return;
  }
  std::atomic<bool> good{true};
  // A multiplication costs about a 32nd of an addition that waits for memory.
  const auto elements = static_cast<std::int64_t>(work * static_cast<double>(batch.count) / 32);
  onednn::parallel(impl, batch.count, elements, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (!multiply_small(batch.at(i, p))) good = false;
    }
  });
  if (!good) throw BackendError("[matmul] oneDNN refused a product of a batch");
}

View transposed(View v) {
  const int last = v.shape.rank() - 1;
  std::swap(v.shape[last], v.shape[last - 1]);
  std::swap(v.strides[last], v.strides[last - 1]);
  return v;
}

}  // namespace

void onednn_backend::matmul(stream& s, const View& out, const View& a, const View& b, double beta) {
  if (out.dtype != DType::f32 || out.elements() == 0 || a.shape[-1] == 0) return cpu::matmul(out, a, b, beta);
  const auto layout = layout_of(out);
  if (layout && layout->transposed) return matmul(s, transposed(out), transposed(b), transposed(a), beta);
  if (!layout) {
    const View dense = contiguous_view(s.impl().floats(Slot::matmul_out, out.elements()), DType::f32, out.shape);
    if (beta != 0) copy(s, dense, out);
    matmul(s, dense, a, b, beta);
    return copy(s, out, dense);
  }
  View left = a, right = b;
  const Layout la = prepare(s, Slot::matmul_a, left), lb = prepare(s, Slot::matmul_b, right);
  Product p{out.shape[-2],
            out.shape[-1],
            a.shape[-1],
            static_cast<float>(beta),
            left.as<float>(),
            right.as<float>(),
            out.as<float>(),
            la,
            lb,
            layout->ld};
  const Batch batch = take_batch(p, out, left, right);
  multiply(s.impl(), p, batch);
}

}  // namespace chronotope
