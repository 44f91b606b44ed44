#pragma once
// From rows in any order of users to a CheckinTable; shared by the reader and the generated city.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// Numbers strings in the order of their first appearance.
class Interner {
 public:
  std::int32_t add(std::string_view text);
  std::size_t size() const { return texts_.size(); }
  const std::string& text(std::int32_t number) const { return texts_[static_cast<std::size_t>(number)]; }

  /// Hands over the strings in ascending order; rank[i] is the place of the string that had number i.
  std::vector<std::string> take_sorted(std::vector<std::int32_t>& rank);

 private:
  std::deque<std::string> texts_;  // a deque keeps its elements in place, so the keys can point into them
  std::unordered_map<std::string_view, std::int32_t> numbers_;
};

/// A check-in whose place and category are numbers of the builder's interners.
struct Draft {
  std::int32_t user = 0;
  bool starts_trajectory = false;
  Checkin checkin;  // .trajectory is filled in by build()
};

/// Collects rows; within a user they must come in time order.
class CheckinBuilder {
 public:
  CheckinBuilder();

  Interner users, places, categories;
  std::vector<Draft> rows;

  /// Sorts the vocabularies, groups the rows by user, numbers the trajectories. Leaves the builder empty.
  CheckinTable build();
};

/// Seconds between two check-ins of a user beyond which a new trajectory begins.
inline constexpr std::int64_t trajectory_gap = 24 * 3600;

/// Marks as targets: in train all rows but the first of a trajectory, otherwise the last row of a trajectory.
void mark_default_targets(CheckinTable& table);

}  // namespace chronotope
