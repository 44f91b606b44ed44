#pragma once
// Products of the emulated cuBLAS and cuBLASLt: by columns, every matrix inside one block of memory, summed in double.

#include <cublas_v2.h>

#include <algorithm>
#include <bit>
#include <string>
#include <type_traits>
#include <vector>

#include "emulator/device.hpp"

namespace cuda_on_host {

/// The upper half of a float.
struct Bf16 {
  std::uint16_t bits;
  explicit operator double() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// By columns; `transposed` says whether what is multiplied is the transpose.
template <class T> struct Matrices {
  T* data;
  std::int64_t rows, columns, pitch, step;
  bool transposed;
  T& at(std::int64_t batch, std::int64_t i, std::int64_t j) const { return data[batch * step + (transposed ? j + i * pitch : i + j * pitch)]; }

  void check(std::int64_t count, int on, const std::string& which) const {
    for (std::int64_t batch = 0; batch < count; ++batch)
      device().arena.check_inside(data + batch * step, static_cast<std::size_t>((columns - 1) * pitch + rows) * sizeof(T), on, which);
  }
};

/// Rounded to 10 bits behind the point, to nearest even, as operands in tf32 are.
inline float to_tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7F800000u) == 0x7F800000u) return x;
  return std::bit_cast<float>((bits + 0xFFFu + (bits >> 13 & 1)) & ~0x1FFFu);
}

/// c = alpha a b + beta c, then plus a bias for each row.
template <class In, class Out> struct Gemm {
  Matrices<const In> a, b;
  Matrices<Out> c;
  std::int64_t m, n, k, count;
  Out alpha, beta;
  bool tf32;
  const Out* bias = nullptr;

  void run(int on, const std::string& library) const {
    a.check(count, on, library + ", matrix A");
    b.check(count, on, library + ", matrix B");
    c.check(count, on, library + ", matrix C");
    if (bias) device().arena.check_inside(bias, static_cast<std::size_t>(m) * sizeof(Out), on, library + ", bias");
    std::vector<double> columns(static_cast<std::size_t>(m * k)), sums(static_cast<std::size_t>(m));  // A by columns: the innermost loop is along memory
    for (std::int64_t batch = 0; batch < count; ++batch) {
      for (std::int64_t x = 0; x < k; ++x)
        for (std::int64_t i = 0; i < m; ++i) columns[static_cast<std::size_t>(x * m + i)] = read(a, batch, i, x);
      for (std::int64_t j = 0; j < n; ++j) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::int64_t x = 0; x < k; ++x) add(sums, columns.data() + x * m, read(b, batch, x, j));
        for (std::int64_t i = 0; i < m; ++i) store(batch, i, j, static_cast<double>(alpha) * sums[static_cast<std::size_t>(i)]);
      }
    }
  }

 private:
  double read(const Matrices<const In>& from, std::int64_t batch, std::int64_t i, std::int64_t j) const {
    if constexpr (std::is_same_v<In, float>)
      if (tf32) return to_tf32(from.at(batch, i, j));
    return static_cast<double>(from.at(batch, i, j));
  }
  static void add(std::vector<double>& sums, const double* column, double times) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += column[i] * times;
  }
  void store(std::int64_t batch, std::int64_t i, std::int64_t j, double scaled) const {
    Out& to = c.at(batch, i, j);
    to = static_cast<Out>(beta == 0 ? scaled : scaled + static_cast<double>(beta) * static_cast<double>(to));
    if (bias) to += bias[i];
  }
};

/// What a call of either library says of its product.
struct GemmCall {
  struct Side {
    const void* data;
    cublasOperation_t op;
    std::int64_t pitch, step;
  };
  Side a, b, c;
  std::int64_t m, n, k, count;
  cudaDataType_t in, out;
  cublasComputeType_t compute;
  const void *alpha, *beta, *bias = nullptr;

  /// Whether extents, pitches and types are allowed, and matrices of C do not share elements.
  bool valid() const;
  /// Whether there is arithmetic for the types; of a valid call.
  bool supported() const;
  /// Stands for the kernel: in an instantiated graph a product can take the place of those with the same.
  const void* kernel() const;
  /// Copies the scales; what comes back computes.
  std::function<void(int on)> prepared(const std::string& library) const;
};

}  // namespace cuda_on_host
