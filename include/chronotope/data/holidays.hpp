#pragma once
// Days that are holidays, for the holiday factor of STIM's query experts.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace chronotope {

class HolidayCalendar {
 public:
  /// No holidays.
  HolidayCalendar() = default;

  /// ISO dates and ranges of them, both ends included, divided by blanks: "2022-04-05 2022-05-01..2022-05-04". They may
  /// overlap and stand in any order. Throws ConfigError with what cannot be read, or a range that ends before it begins.
  explicit HolidayCalendar(std::string_view dates);

  /// Whether the day of a wall clock (seconds since 1970) is one. O(log ranges).
  bool contains(std::int64_t wall_clock) const;

  /// How many days are.
  std::size_t days() const;

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges_;  // first and last day since 1970-01-01, rising, apart
};

}  // namespace chronotope
