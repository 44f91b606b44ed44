#pragma once
// Matrix products by Eigen, compiled once for each instruction set and chosen at run time.
//
// Eigen picks vector widths and alignments from compiler flags, but its functions have the same names whatever the
// flags: linked together, the linker keeps one copy of each, and code compiled for 16-byte packets then runs functions,
// or frees memory, of the 64-byte ones (crashes on old machines, heap corruption on new ones). So every variant renames
// the namespace (gemm_kernel.inc), exports a single function, and only plain pointers and integers cross over to it.

#include <cstdint>

namespace chronotope::eigen {

/// out [m, n] (row-major, pitch ldc) = a [m, k] b [k, n], or += with `accumulate`. An operand is row-major with pitch
/// lda, ldb, or column-major with that pitch. m, n, k > 0. One thread; may throw std::bad_alloc.
struct Gemm {
  void* out;
  const void* a;
  const void* b;
  std::int64_t m, n, k;
  std::int64_t ldc, lda, ldb;
  bool a_columns, b_columns;  ///< column-major
  bool wide;                  ///< f64, otherwise f32
  bool accumulate;
};

using GemmFunction = void (*)(const Gemm&);

void gemm_baseline(const Gemm&);
#if defined(__x86_64__)
void gemm_avx2(const Gemm&);
void gemm_avx512(const Gemm&);
#endif

/// A variant and whether this processor can run it.
struct GemmVariant {
  const char* name;
  GemmFunction function;
  bool usable;
};

/// All variants of this build, the plainest first.
struct GemmVariants {
  const GemmVariant* begin_;
  int size_;
  const GemmVariant* begin() const { return begin_; }
  const GemmVariant* end() const { return begin_ + size_; }
};
GemmVariants gemm_variants();

/// The fastest usable one.
GemmFunction best_gemm();

}  // namespace chronotope::eigen
