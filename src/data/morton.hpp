#pragma once
// Two numbers with their bits in turn (G. M. Morton, 1966): neighbours in the plane get numbers that are mostly near.

#include <cstdint>

namespace chronotope {

/// Moves bit i to bit 2 i, for the lower 32 bits.
constexpr std::uint64_t spread_bits(std::uint64_t x) {
  x = (x | x << 16) & 0x0000FFFF0000FFFF;
  x = (x | x << 8) & 0x00FF00FF00FF00FF;
  x = (x | x << 4) & 0x0F0F0F0F0F0F0F0F;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}

/// Moves bit 2 i to bit i and drops the others.
constexpr std::uint64_t gather_bits(std::uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0F;
  x = (x | x >> 4) & 0x00FF00FF00FF00FF;
  x = (x | x >> 8) & 0x0000FFFF0000FFFF;
  return (x | x >> 16) & 0x00000000FFFFFFFF;
}

}  // namespace chronotope
