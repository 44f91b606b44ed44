#pragma once
// Groups of hours, weekdays and places: a behaviour in the request's group is a review point of STIM ("Temporal and Spatial
// Grouping": hours in three parts of the day, weekdays and weekend, places by the first two letters of their geohash).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chronotope {

/// What review points are found for, in this order: hour, week, geohash.
inline constexpr std::int64_t review_materials = 3;

/// Groups as a config writes them: groups divided by blanks, each of one or more pieces joined by commas.
///   hours    "17-2" (over midnight) or "12"; 0 to 23
///   weekdays "fri-mon" or "sat"; mon tue wed thu fri sat sun
///   geohash  by the first two letters, in the order 0-9 b-h j k m n p-z: "d" (all that begin with d), "9-d" (with 9 to d),
///            "dr", "w0-j" (w followed by 0 to j); "!" in front of a piece: all others
/// Every hour, weekday and pair of letters must lie in exactly one group. Instead of groups also
///   "identical"  every hour, weekday or geohash of six letters by itself (the paper's ablation N2)
///   "none"       no group at all: no review points of that material (N1)
struct GroupTexts {
  std::string hours = "3-10 11-16 17-2", weekdays = "mon-fri sat-sun", geohash = "!w w0-j wk-z";  // the paper's
  bool operator==(const GroupTexts&) const = default;
};

/// Tables of group numbers, counted from 0 in the order of the texts. Look-ups are O(1).
class GroupTable {
 public:
  /// Throws ConfigError with the text and the piece that cannot be read, or the first value that lies in no group or in two,
  /// and these groups.
  explicit GroupTable(GroupTexts texts = {});

  const GroupTexts& texts() const { return texts_; }
  /// How many groups a material has; of "identical" geohashes as many as there are first two letters.
  int groups(std::int64_t material) const { return counts_[static_cast<std::size_t>(material)]; }

  // -1 is in no group.
  int hour(int hour) const { return hours_[static_cast<std::size_t>(hour)]; }              ///< of 0 to 23
  int weekday(int weekday) const { return weekdays_[static_cast<std::size_t>(weekday)]; }  ///< of 0 (Monday) to 6
  /// Of a place as pack_geohash6 packs it; -1 for 0, a place that is not known.
  int geohash(std::uint32_t packed) const {
    if (packed == 0) return -1;
    return whole_geohash_ ? static_cast<int>(packed) : geohash_[packed >> 20 & 1023];
  }

 private:
  GroupTexts texts_;
  std::array<int, review_materials> counts_{};
  std::array<std::int16_t, 24> hours_;
  std::array<std::int16_t, 7> weekdays_;
  std::array<std::int16_t, 1024> geohash_;  // first letter x 32 + second letter
  bool whole_geohash_ = false;
};

}  // namespace chronotope
