#pragma once
// Orders drawn from a seed and a counter, equal on every platform.

#include <utility>
#include <vector>

#include "chronotope/core/philox.hpp"

namespace chronotope {

/// Draw `index` of the stream (seed, counter): uniform below n, which is far below 2^64: the bias is not measurable.
inline std::size_t draw_below(std::uint64_t seed, std::uint64_t counter, std::uint64_t index, std::size_t n) {
  const auto word = philox(seed, counter, index);
  return static_cast<std::size_t>((std::uint64_t{word[1]} << 32 | word[0]) % n);
}

/// Fisher & Yates.
template <class T> void shuffle(std::vector<T>& items, std::uint64_t seed, std::uint64_t counter) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[draw_below(seed, counter, i, i)]);
}

}  // namespace chronotope
