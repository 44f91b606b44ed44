#pragma once
// Sums over rows, reproducible for a given number of threads.

#include <algorithm>

#include "stream.hpp"

namespace chronotope::onednn {

/// Sums of this many rows are floats, the rest is double: the error stays small however many rows there are.
inline constexpr std::int64_t row_block = 16;

/// Adds kernel's sums over the rows [begin, end) to totals [width], `block` rows in floats at a time; `sums` [width] is
/// memory to work in.
template <class Kernel> void add_row_sums(std::int64_t begin, std::int64_t end, std::int64_t block, std::int64_t width, double* totals,
                                          float* sums, Kernel&& kernel) {
  for (; begin < end; begin += block) {
    std::fill_n(sums, width, 0.0f);
    kernel(begin, std::min(end, begin + block), sums);
    for (std::int64_t i = 0; i < width; ++i) totals[i] += static_cast<double>(sums[i]);
  }
}

/// Runs kernel(begin, end, sums, part) over all rows on threads, at most `block` rows a call, where the kernel adds to
/// `sums` [width] and `part` numbers the thread, and returns the totals [width], which lie in Slot::partial. `elements` is
/// the work, as in parallel().
template <class Kernel>
const double* sum_over_blocks(Impl& impl, std::int64_t rows, std::int64_t block, std::int64_t width, std::int64_t elements, Kernel&& kernel) {
  constexpr std::int64_t grain = 4;
  const std::int64_t parts = std::max(1, part_count(impl, rows, grain)), stride = (width + 15) / 16 * 16;
  double* totals = impl.doubles(Slot::partial, 2 * stride * parts);
  auto* sums = reinterpret_cast<float*>(totals + stride * parts);
  std::fill_n(totals, stride * parts, 0.0);
  parallel(impl, rows, elements, grain, [&](std::int64_t begin, std::int64_t end, int part) {
    add_row_sums(begin, end, block, width, totals + stride * part, sums + stride * part,
                 [&](std::int64_t first, std::int64_t last, float* into) { kernel(first, last, into, part); });
  });
  for (std::int64_t part = 1; part < parts; ++part) {
    for (std::int64_t i = 0; i < width; ++i) totals[i] += totals[stride * part + i];
  }
  return totals;
}

/// The same with kernel(begin, end, sums) and blocks of row_block rows.
template <class Kernel>
const double* sum_over_rows(Impl& impl, std::int64_t rows, std::int64_t width, std::int64_t elements, Kernel&& kernel) {
  return sum_over_blocks(impl, rows, row_block, width, elements,
                         [&](std::int64_t begin, std::int64_t end, float* sums, int) { kernel(begin, end, sums); });
}

}  // namespace chronotope::onednn
