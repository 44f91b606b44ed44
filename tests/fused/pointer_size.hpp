#pragma once
// Relations of a history pointer's pairs, made up.

#include <algorithm>
#include <vector>

#include "chronotope/core/philox.hpp"

namespace chronotope::test {

struct PointerSize {
  std::int64_t sequences, heads, queries, keys;
  std::vector<std::int32_t> rows;  ///< of each table
};

/// Some bins of [0, rows), the first and the last among them; one of four sequences has a single one.
inline std::vector<std::int32_t> some_bins(std::int64_t sequences, std::int64_t pairs, std::int32_t rows, std::uint64_t seed) {
  std::vector<std::int32_t> bins;
  for (std::int64_t i = 0; i < sequences * pairs; ++i) {
    const double at = static_cast<double>(philox_uniform(seed, 5, static_cast<std::uint64_t>(i)));
    bins.push_back(i / pairs % 4 == 3 ? rows - 1 : std::min(rows - 1, static_cast<std::int32_t>(at * rows)));
  }
  return bins;
}

}  // namespace chronotope::test
