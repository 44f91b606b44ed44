#pragma once
// Counter-based random numbers (Philox 4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// The value of element i of a stream depends on (seed, counter, i) alone, so every backend draws the same bits.

#include <array>
#include <cstdint>

namespace chronotope {

/// The four 32-bit words of block `block` of the stream (seed, counter).
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t counter, std::uint64_t block) {
  std::array<std::uint32_t, 4> c{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                                 static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32)};
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

/// Word -> uniform number in [0, 1) with 24 random bits, exact in f32.
constexpr float philox_uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Element `i` of the uniform stream (seed, counter): word i % 4 of block i / 4.
constexpr float philox_uniform(std::uint64_t seed, std::uint64_t counter, std::uint64_t i) {
  return philox_uniform(philox(seed, counter, i / 4)[i % 4]);
}

}  // namespace chronotope
