#pragma once
// Orders drawn from a seed and a counter, equal on every platform.

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "chronotope/core/philox.hpp"

namespace chronotope {

/// Draw `index` of the stream (seed, counter): uniform below n, which is far below 2^64: the bias is not measurable.
inline std::size_t draw_below(std::uint64_t seed, std::uint64_t counter, std::uint64_t index, std::size_t n) {
  const auto word = philox(seed, counter, index);
  return static_cast<std::size_t>((std::uint64_t{word[1]} << 32 | word[0]) % n);
}

/// Fisher & Yates. `first` is the number of the first draw.
template <class T> void shuffle(std::span<T> items, std::uint64_t seed, std::uint64_t counter, std::uint64_t first = 0) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[draw_below(seed, counter, first + i, i)]);
}
template <class T> void shuffle(std::vector<T>& items, std::uint64_t seed, std::uint64_t counter) { shuffle(std::span<T>(items), seed, counter); }

/// Runs of `block` neighbours come in a random order, and 16 runs at a time are mixed: what lies on a disk in the order given is
/// then read in runs. Every order of all items is not possible, which a full shuffle is for. `block` is at least 1.
template <class T> void shuffle_in_blocks(std::vector<T>& items, std::size_t block, std::uint64_t seed, std::uint64_t counter) {
  constexpr std::size_t mixed = 16;
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < items.size(); i += block) begins.push_back(i);
  shuffle(begins, seed, counter);
  std::vector<T> order;
  order.reserve(items.size());
  for (std::size_t i = 0; i < begins.size(); i += mixed) {
    const std::size_t from = order.size();
    for (std::size_t b = i; b < std::min(i + mixed, begins.size()); ++b)
      order.insert(order.end(), items.begin() + static_cast<std::ptrdiff_t>(begins[b]), items.begin() + static_cast<std::ptrdiff_t>(std::min(begins[b] + block, items.size())));
    shuffle(std::span<T>(order).subspan(from), seed, counter, (std::uint64_t{1} << 40) + from);
  }
  items = std::move(order);
}

}  // namespace chronotope
