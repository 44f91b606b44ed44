#pragma once
// From the number of an element to where it lies in each of several views of one shape.

#include "cpu/strided.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

/// First item of a thread in a grid of one axis, and the distance to its next.
__device__ inline std::int64_t first_item() { return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ inline std::int64_t item_step() { return std::int64_t{gridDim.x} * blockDim.x; }

/// Division of numbers below 2^31 by a constant, as a multiplication (Granlund & Montgomery, PLDI 1994, figure 4.1).
struct Divider {
  std::uint32_t divisor = 1, magic = 1, shift = 0;

  static Divider by(std::uint32_t divisor) {
    Divider d{divisor, 0, 0};
    while ((std::uint64_t{1} << d.shift) < divisor) ++d.shift;
    d.magic = static_cast<std::uint32_t>((((std::uint64_t{1} << d.shift) - divisor) << 32) / divisor + 1);
    return d;
  }
  __device__ std::uint32_t of(std::uint32_t n) const {
    const auto high = static_cast<std::uint32_t>((std::uint64_t{n} * magic) >> 32);
    return (high + n) >> shift;
  }
};

/// The merged axes of N operands, for kernels; elements are numbered in row-major order.
template <int N> struct Walk {
  int rank = 1;
  bool small = true;  ///< all numbers fit Divider
  std::int64_t elements = 0;
  std::int64_t extent[max_rank] = {};
  std::int64_t stride[N][max_rank] = {};
  Divider divider[max_rank];

  Walk() = default;
  explicit Walk(const cpu::Loop<N>& loop) : rank(loop.rank), elements(loop.empty ? 0 : 1) {
    for (int axis = 0; axis < rank; ++axis) {
      extent[axis] = loop.extent[axis];
      elements *= extent[axis];
      for (int o = 0; o < N; ++o) stride[o][axis] = loop.stride[o][axis];
    }
    small = elements < (std::int64_t{1} << 31);
    for (int axis = 0; small && elements > 0 && axis < rank; ++axis)
      divider[axis] = Divider::by(static_cast<std::uint32_t>(extent[axis]));
  }

  /// Offsets, in elements, of element i in each operand.
  __device__ void locate(std::int64_t i, std::int64_t (&at)[N]) const {
    for (int o = 0; o < N; ++o) at[o] = 0;
    for (int axis = rank - 1; axis > 0; --axis) {
      const std::int64_t above = small ? divider[axis].of(static_cast<std::uint32_t>(i)) : i / extent[axis];
      const std::int64_t index = i - above * extent[axis];
      for (int o = 0; o < N; ++o) at[o] += index * stride[o][axis];
      i = above;
    }
    for (int o = 0; o < N; ++o) at[o] += i * stride[o][0];
  }
};

/// Whether all operands lie densely in row-major order.
template <int N> bool is_dense(const cpu::Loop<N>& loop) {
  if (!loop.merged_to_line()) return false;
  for (int o = 0; o < N; ++o)
    if (loop.step(o) != 1 && loop.line() > 1) return false;
  return true;
}

}  // namespace chronotope::cuda
