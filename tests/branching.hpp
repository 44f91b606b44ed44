#pragma once
// Random layouts of sequences that branch, and by their definition which keys a query sees.

#include <cstdint>
#include <random>
#include <vector>

#include "chronotope/ops/attention.hpp"

namespace branching {

using chronotope::Prefix;

struct Layout {
  std::vector<std::int32_t> lengths, rows;
  std::vector<Prefix> prefixes;

  std::vector<std::int32_t> offsets() const {
    std::vector<std::int32_t> ends{0};
    for (std::int32_t n : lengths) ends.push_back(ends.back() + n);
    return ends;
  }
  std::int32_t tokens() const { return offsets().back(); }
  std::size_t segment(std::int32_t row) const {
    std::size_t s = 0;
    for (const auto ends = offsets(); row >= ends[s + 1];) ++s;
    return s;
  }
  bool sees(std::int32_t query, std::int32_t key) const {
    const Prefix before = prefixes.empty() ? Prefix() : prefixes[segment(query)];
    return (segment(query) == segment(key) && key <= query) || (before.begin <= key && key < before.end);
  }
  /// All tokens ask.
  Layout& all_ask() {
    rows.clear();
    for (std::int32_t t = 0; t < tokens(); ++t) rows.push_back(t);
    return *this;
  }
};

/// Roots of up to `longest` tokens, each followed after none or more segments by branches at its end or anywhere in it;
/// some segments are empty, and some tokens ask, at least one.
inline Layout draw(std::mt19937& random, int segments, int longest) {
  const auto below = [&](int n) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(n)); };
  Layout x;
  std::vector<Prefix> roots;
  std::int32_t end = 0;
  for (int s = 0; s < segments; ++s) {
    Prefix before;
    if (!roots.empty() && below(4) > 0) {
      before = roots[static_cast<std::size_t>(below(static_cast<int>(roots.size())))];
      if (below(2) == 0) before.end = before.begin + below(before.length() + 1);
    }
    const std::int32_t length = before.length() > 0 ? below(5) : s == 0 ? 1 + below(longest) : below(longest + 1);
    if (before.length() == 0 && length > 0) roots.push_back({end, end + length});
    end += length;
    x.lengths.push_back(length);
    x.prefixes.push_back(before.length() > 0 ? before : Prefix());
  }
  for (std::int32_t t = 0; t < end; ++t)
    if (below(3) > 0) x.rows.push_back(t);
  if (x.rows.empty()) x.rows.push_back(end - 1);
  return x;
}

}  // namespace branching
