#include "chronotope/data/holidays.hpp"

#include <algorithm>
#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "split_text.hpp"

namespace chronotope {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& rule) { throw ConfigError("holidays: \"" + std::string(text) + "\" " + rule); }

std::int64_t day_of(std::int64_t wall_clock) {
  constexpr std::int64_t day = 86'400;
  return wall_clock / day - (wall_clock % day < 0);
}

std::int64_t read_day(std::string_view date) {
  try {
    return day_of(parse_iso8601(std::string(date) + "T00:00").local);
  } catch (const DataError&) {
    refuse(date, "is not a date; write 2022-05-01, or 2022-05-01..2022-05-04 for a range");
  }
}

std::pair<std::int64_t, std::int64_t> read_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  const std::int64_t first = read_day(text.substr(0, dots)), last = dots == text.npos ? first : read_day(text.substr(dots + 2));
  if (last < first) refuse(text, "ends before it begins");
  return {first, last};
}

}  // namespace

HolidayCalendar::HolidayCalendar(std::string_view dates) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const std::string_view text : split_text(dates, ' '))
    if (!text.empty()) all.push_back(read_range(text));
  std::sort(all.begin(), all.end());
  for (const auto& range : all) {
    if (!ranges_.empty() && range.first <= ranges_.back().second + 1) ranges_.back().second = std::max(ranges_.back().second, range.second);
    else ranges_.push_back(range);
  }
}

bool HolidayCalendar::contains(std::int64_t wall_clock) const {
  const std::int64_t day = day_of(wall_clock);
  const auto ends_before = [](const auto& range, std::int64_t d) { return range.second < d; };
  const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), day, ends_before);
  return found != ranges_.end() && found->first <= day;
}

std::size_t HolidayCalendar::days() const {
  std::size_t sum = 0;
  for (const auto& [first, last] : ranges_) sum += static_cast<std::size_t>(last - first + 1);
  return sum;
}

}  // namespace chronotope
