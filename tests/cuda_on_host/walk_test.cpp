// The arithmetic of kernels that no test is large enough to reach.
#include <doctest/doctest.h>

#include <vector>

#include "cuda/walk.hpp"

using namespace chronotope;
using cuda::Divider;
using cuda::Walk;

TEST_CASE("division by multiplication is exact below 2^31") {
  std::vector<std::uint32_t> divisors{1, 3, 7, 10, 12345, 0x7FFFFFFF};
  for (int bit = 1; bit < 31; ++bit)
    for (const int beside : {-1, 0, 1}) divisors.push_back(static_cast<std::uint32_t>((1 << bit) + beside));
  for (const std::uint32_t d : divisors) {
    const Divider divider = Divider::by(d);
    for (const std::uint32_t quotient : {0u, 1u, 2u, 1000u, 0x7FFFFFFFu / d})
      for (const int beside : {-1, 0, 1}) {
        const std::int64_t n = std::int64_t{quotient} * d + beside;
        if (n < 0 || n > 0x7FFFFFFF) continue;
        CAPTURE(d);
        CAPTURE(n);
        CHECK(divider.of(static_cast<std::uint32_t>(n)) == n / d);
      }
    CHECK(divider.of(0x7FFFFFFF) == 0x7FFFFFFF / d);
  }
}

TEST_CASE("more than 2^31 elements are found by 64-bit division") {
  cpu::Loop<2> loop;
  loop.push(5, {7'000'000'000, 1});
  loop.push(3'000'000'000, {2, 5});
  loop.finish();
  const Walk<2> walk(loop);
  CHECK_FALSE(walk.small);
  CHECK(walk.elements == 15'000'000'000);
  std::int64_t at[2];
  walk.locate(3 * std::int64_t{3'000'000'000} + 2'999'999'999, at);
  CHECK(at[0] == 3 * std::int64_t{7'000'000'000} + 2 * std::int64_t{2'999'999'999});
  CHECK(at[1] == 3 + 5 * std::int64_t{2'999'999'999});
}
