#pragma once
// f32 matrices as bf16, for products: packed, so that rows begin at multiples of 16 bytes, which tensor cores load at once.

#include "chronotope/core/shape.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

/// Where the bf16 elements of matrices lie, whose last axis is dense. Axes before the last two that repeat are there once.
struct Bf16Layout {
  explicit Bf16Layout(const View& matrices);

  View from;               ///< what is converted
  Strides strides{};       ///< of the axes before the last two, in elements of bf16
  std::int64_t pitch = 0;  ///< of rows
  std::size_t bytes = 0;
};

/// To nearest even. A NaN stays one.
void to_bf16(const Queue&, void* to, const Bf16Layout& layout);

}  // namespace chronotope::cuda
