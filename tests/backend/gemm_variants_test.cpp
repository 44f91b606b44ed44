// Every instruction set of the Eigen product that this machine can run, not only the one that would be chosen.
#ifdef CHRONOTOPE_HAVE_EIGEN
#include "eigen/gemm.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "chronotope/core/philox.hpp"
#include "chronotope/testing/tolerance.hpp"

using namespace chronotope;

namespace {

struct Size {
  std::int64_t m, n, k;
};

template <class T> std::vector<T> numbers(std::int64_t n, std::uint64_t counter) {
  std::vector<T> all(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<T>(philox_uniform(7, counter, i) - 0.5f);
  return all;
}

/// One product with pitches larger than needed; the gap at the end of each output row must stay.
template <class T>
void check_product(eigen::GemmFunction gemm, const Size& size, bool a_columns, bool b_columns, bool accumulate) {
  const auto [m, n, k] = size;
  const std::int64_t lda = (a_columns ? m : k) + 1, ldb = (b_columns ? k : n) + 2, ldc = n + 3;
  const auto a = numbers<T>(lda * (a_columns ? k : m), 1), b = numbers<T>(ldb * (b_columns ? n : k), 2);
  const auto before = numbers<T>(ldc * m, 3);
  auto out = before;
  gemm({out.data(), a.data(), b.data(), m, n, k, ldc, lda, ldb, a_columns, b_columns, sizeof(T) == 8, accumulate});
  int wrong = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      testing::TermSum sum;
      if (accumulate || j >= n) sum.add(before[i * ldc + j]);
      for (std::int64_t l = 0; j < n && l < k; ++l)
        sum.add(static_cast<long double>(a[a_columns ? l * lda + i : i * lda + l]) *
                b[b_columns ? j * ldb + l : l * ldb + j]);
      wrong += !(std::abs(out[i * ldc + j] - sum.total()) <= (j < n ? sum.tolerance<T>() : 0));
    }
  }
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("all usable variants of the Eigen product are right") {
  // Up to 10 terms: the tolerance is for sums that are not simply added up one by one (conformance/suite.hpp).
  for (const auto& variant : eigen::gemm_variants()) {
    if (!variant.usable) continue;
    CAPTURE(variant.name);
    for (const Size& size : {Size{1, 1, 1}, {1, 9, 5}, {9, 1, 5}, {3, 4, 10}, {65, 33, 10}, {40, 70, 9}}) {
      for (int flags = 0; flags < 8; ++flags) {
        check_product<float>(variant.function, size, flags & 1, flags & 2, flags & 4);
        check_product<double>(variant.function, size, flags & 1, flags & 2, flags & 4);
      }
    }
  }
  CHECK(eigen::gemm_variants().begin()->usable);
}
#endif
