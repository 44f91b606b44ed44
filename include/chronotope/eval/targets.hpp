#pragma once
// Which rows of a check-in file are predicted, from what, and among which places (protocol: docs/data.md).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// One prediction to make.
struct EvalTarget {
  std::size_t user = 0;  ///< index into CheckinTable::users
  std::size_t row = 0;   ///< index into CheckinTable::rows; its place is the truth
  bool revisit = false;  ///< an earlier row of the user, in whatever split, is at the same place
};

/// The rows with `target` set in `split`, in the order of the table. O(rows + places) time, O(places) memory.
/// Throws DataError when the table contradicts itself (CheckinTable::begin, a place number out of range).
std::vector<EvalTarget> evaluation_targets(const CheckinTable& table, Split split);

/// What may be used to predict the target: all earlier rows of its user, whatever their split, oldest first.
std::span<const Checkin> allowed_history(const CheckinTable& table, const EvalTarget& target);

/// [places], 1 for a candidate: a place that occurs in a training row, be it a target or not. Throws like
/// evaluation_targets.
std::vector<std::uint8_t> training_places(const CheckinTable& table);

/// "train", "validation" or "test".
std::string_view split_name(Split split);

}  // namespace chronotope
