#pragma once
// Which cell of each counting predictor a sample falls into.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope::counting {

/// One predictor's cells of all rows of a split.
struct Cells {
  std::string name;
  std::size_t count = 0;             ///< cells there are
  std::size_t above = 0;             ///< hours: cell / above is the cell of the part before; 0 for a part of its own
  std::vector<std::uint32_t> of_row;  ///< [rows of the split]
};

/// For each number column of the log the bounds of `parts` parts of equally many of `rows`, equal bounds once. From at most
/// 100,000 rows, evenly spread. O(columns x rows log rows).
std::vector<std::vector<float>> number_bounds(const ClickLog& log, std::span<const std::uint64_t> rows, std::size_t parts);

/// The cells of all parts in their order (eval/click_counters.hpp). O(parts x rows + behaviours).
/// Throws DataError for tables with so many rows that cells cannot be numbered, or another number of number columns.
std::vector<Cells> cells_of(const ClickLog& log, std::span<const std::uint64_t> rows, const std::vector<std::vector<float>>& bounds);

}  // namespace chronotope::counting
