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
/// Every hour, weekday and pair of letters must lie in exactly one group.
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
  /// How many groups a material has.
  int groups(std::int64_t material) const { return counts_[static_cast<std::size_t>(material)]; }

  int hour(int hour) const { return hours_[static_cast<std::size_t>(hour)]; }           ///< of 0 to 23
  int weekday(int weekday) const { return weekdays_[static_cast<std::size_t>(weekday)]; }  ///< of 0 (Monday) to 6
  /// Of a place as pack_geohash6 packs it; -1 for 0: what is not known is in no group.
  int geohash(std::uint32_t packed) const { return packed == 0 ? -1 : geohash_[packed >> 20 & 1023]; }

 private:
  GroupTexts texts_;
  std::array<int, review_materials> counts_{};
  std::array<std::int16_t, 24> hours_;
  std::array<std::int16_t, 7> weekdays_;
  std::array<std::int16_t, 1024> geohash_;  // first letter x 32 + second letter
};

/// Which earlier behaviours are review points.
enum class ReviewRule : std::uint8_t {
  groups,     ///< those in the request's group
  identical,  ///< those of the same hour, the same weekday, the same geohash of six letters (the paper's ablation N2)
  none,       ///< none (N1)
};

}  // namespace chronotope
