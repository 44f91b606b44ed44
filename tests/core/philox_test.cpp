#include <doctest/doctest.h>

#include "chronotope/core/philox.hpp"

using namespace chronotope;

// Known answers published with Random123 (kat_vectors, philox4x32, 10 rounds). There a counter is four words; here its
// lower half is the block, its upper half the counter of the stream.
TEST_CASE("philox gives the published known answers") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox(0, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox(~0ull, ~0ull, ~0ull) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) == Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("uniform numbers lie in [0, 1) and take each word of a block in turn") {
  CHECK(philox_uniform(0u) == 0.f);
  CHECK(philox_uniform(0xffffffffu) < 1.f);
  CHECK(philox_uniform(0xffffffffu) == 1.f - 0x1p-24f);
  for (std::uint64_t i = 0; i < 9; ++i) CHECK(philox_uniform(3, 4, i) == philox_uniform(philox(3, 4, i / 4)[i % 4]));
  double mean = 0;
  for (std::uint64_t i = 0; i < 20000; ++i) mean += philox_uniform(1, 2, i) / 20000;
  CHECK(mean == doctest::Approx(0.5).epsilon(0.01));
}
