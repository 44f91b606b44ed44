#pragma once
// Lines of f32 elements for the elementwise primitives: everything is dense, or one value repeated (step 0).

#include <cstdint>

#include "chronotope/backend/concepts.hpp"

namespace chronotope::onednn {

void unary_line(Unary op, float* out, const float* in, std::int64_t n);
void binary_line(Binary op, float* out, const float* a, bool repeat_a, const float* b, bool repeat_b, std::int64_t n);
/// eq or lt, into 0 and 1.
void compare_line(Binary op, std::uint8_t* out, const float* a, bool repeat_a, const float* b, bool repeat_b,
                  std::int64_t n);
void select_line(float* out, const std::uint8_t* cond, const float* a, bool repeat_a, const float* b, bool repeat_b,
                 std::int64_t n);

}  // namespace chronotope::onednn
