#pragma once
// Groups for another country or another trade, from a log's clicks (data/groups.hpp says what groups are).

#include <array>
#include <cstdint>
#include <vector>

#include "chronotope/data/clicks.hpp"
#include "chronotope/data/groups.hpp"

namespace chronotope {

/// How places are cut.
enum class PlaceCut : std::uint8_t {
  letter,  ///< as the paper did: the most frequent first letter is cut by its second letters, all others are one group.
           ///< Where no click begins with another letter, this is `range`
  range,   ///< ranges of the first two letters: neighbouring cells stay together
};

struct DeriveOptions {
  int hours = 3;     ///< groups of hours, 1 to 24
  int weekdays = 0;  ///< groups of weekdays, 1 to 7; 0: Monday to Friday, Saturday and Sunday, whatever the clicks
  int places = 3;    ///< groups of places, 1 to 32
  PlaceCut cut = PlaceCut::letter;
};

struct DerivedGroups {
  GroupTexts texts;  ///< GroupTable takes them
  /// The clicks counted: by hour, by weekday (Monday first), by first letter x 32 + second letter of the geohash.
  std::array<std::uint64_t, 24> hours{};
  std::array<std::uint64_t, 7> weekdays{};
  std::vector<std::uint64_t> geohash = std::vector<std::uint64_t>(1024);
  std::uint64_t clicks = 0, without_place = 0;
};

/// Counts the clicked samples of the training split, by the hour, weekday and position of their requests, and cuts the counts:
/// hours into runs round the clock whose counts are as equal as can be (least sum of squares; of equal cuts the first from
/// hour 0 on), weekdays into runs round the week of days that are alike (least sum of squared deviations from the run's mean),
/// places at the letters nearest to equal shares. Cells are never divided, so groups of places may be uneven, and are fewer
/// when fewer cells have clicks. O(samples). Throws ConfigError for an option out of range, DataError without clicks.
DerivedGroups derive_groups(const ClickLog& log, const DeriveOptions& options = {});

}  // namespace chronotope
