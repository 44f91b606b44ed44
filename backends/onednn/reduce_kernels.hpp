#pragma once
// Vector loops under the reductions of f32.

#include <cstdint>

namespace chronotope::onednn {

/// out[r * out_step] = sum or maximum of x [rows, n], r in [0, rows); n > 0.
void sum_each_row(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                  std::int64_t out_step);
void max_each_row(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out,
                  std::int64_t out_step);
/// Sum of a dense range; parts of it are summed in float, the parts in double.
double sum_range(const float* x, std::int64_t n);
double sum_squares_range(const float* x, std::int64_t n);
/// out [n] += sum of, or out = the larger of out and, the rows of x [rows, n].
void add_rows(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out);
void max_rows(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t n, float* out);

}  // namespace chronotope::onednn
