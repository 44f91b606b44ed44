#pragma once
// Cases for memory and random numbers.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "chronotope/core/philox.hpp"
#include "testing/elementwise.hpp"

namespace chronotope::testing {

/// A block of bytes there and back, the host copy overwritten in between.
inline void round_trip(Suite& suite, std::size_t bytes) {
  Case c(suite, "memory: upload and download of " + std::to_string(bytes) + " bytes");
  c.call([&] {
    std::vector<unsigned char> sent(bytes), got(bytes + 1, 0x5A);
    for (auto& byte : sent) byte = static_cast<unsigned char>(suite.random());
    const auto kept = sent;
    void* const memory = suite.target.allocate(bytes);
    void* const other = suite.target.allocate(bytes);
    if (reinterpret_cast<std::uintptr_t>(memory) % 64 != 0) c.fail("memory is not aligned to 64 bytes");
    suite.target.upload(memory, sent.data(), bytes);
    std::fill(sent.begin(), sent.end(), static_cast<unsigned char>(0));
    suite.target.upload(other, sent.data(), bytes);
    suite.target.synchronize();
    suite.target.download(got.data(), memory, bytes);
    if (!std::equal(kept.begin(), kept.end(), got.begin())) c.fail("bytes came back changed");
    if (got.back() != 0x5A) c.fail("download wrote past the end");
    suite.target.deallocate(memory);
    suite.target.deallocate(other);
  });
}

inline void memory_cases(Suite& suite) {
  for (const std::size_t bytes : {1, 3, 63, 64, 65, 4096, 1000003}) round_trip(suite, bytes);
  Case c(suite, "memory: allocate 2^62 bytes");
  try {
    suite.target.deallocate(suite.target.allocate(std::size_t{1} << 62));
    c.fail("threw nothing, wanted BackendError");
  } catch (const BackendError&) {
  } catch (const std::exception& e) {
    c.fail("wanted BackendError, but threw: " + std::string(e.what()));
  }
}

inline void uniform_cases(Suite& suite) {
  const std::uint64_t big = (std::uint64_t{0x89ABCDEF} << 32) + 0x12345678;
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) {
      for (const auto& [seed, counter] :
           {std::pair<std::uint64_t, std::uint64_t>{0, 0}, {1, 2}, {big, ~big}, {suite.random(), suite.random()}}) {
        for (const Shape& shape : common_shapes()) {
          for (const auto& layout : suite.layouts(1, 0)) {
            Operand<T> out(suite.target, shape, layout[0]);
            Case c(suite, "uniform seed " + std::to_string(seed) + " counter " + std::to_string(counter), out);
            if (c.call([&, s = seed, n = counter] { suite.target.uniform(out.view(), s, n); }))
              c.expect(out, [&, s = seed, n = counter](std::int64_t i) {
                return exactly(static_cast<T>(philox_uniform(s, n, static_cast<std::uint64_t>(i))));
              });
          }
        }
      }
    }
  });
}

}  // namespace chronotope::testing
