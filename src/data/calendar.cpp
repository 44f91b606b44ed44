#include "chronotope/data/calendar.hpp"

#include <cstdio>

#include "chronotope/core/error.hpp"
#include "csv.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t day_seconds = 86400;
constexpr std::int64_t most_seconds = 30000LL * 366 * day_seconds;
constexpr int most_offset_minutes = 24 * 60;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }
constexpr std::int64_t floor_mod(std::int64_t a, std::int64_t b) { return a - b * floor_div(a, b); }

// Years that begin in March put the leap day last: the months before it then follow the straight line
// (153 m + 2) / 5, and an era of 400 years always has 146,097 days (H. Hinnant, "chrono-compatible low-level date
// algorithms", 2013).
constexpr std::int64_t era_days = 146097;
constexpr std::int64_t epoch_shift = 719468;  // days from 0000-03-01 to 1970-01-01

constexpr std::int64_t days_from_civil(std::int64_t year, int month, int day) {  // month 0 to 11, day from 0
  if (month < 2) --year;
  const std::int64_t era = floor_div(year, 400), year_of_era = floor_mod(year, 400);
  const int month_from_march = (month + 10) % 12;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day;
  return era * era_days + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - epoch_shift;
}

constexpr void civil_from_days(std::int64_t days, CalendarFields& out) {
  const std::int64_t shifted = days + epoch_shift;
  const std::int64_t era = floor_div(shifted, era_days), day_of_era = floor_mod(shifted, era_days);
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (era_days - 1)) / 365;
  const auto day_of_year = static_cast<int>(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  const int month_from_march = (5 * day_of_year + 2) / 153;
  out.day = day_of_year - (153 * month_from_march + 2) / 5;
  out.month = (month_from_march + 2) % 12;
  out.year = static_cast<std::int32_t>(era * 400 + year_of_era + (out.month < 2 ? 1 : 0));
}

constexpr int days_in_month(std::int64_t year, int month) {
  const bool leap = floor_mod(year, 4) == 0 && (floor_mod(year, 100) != 0 || floor_mod(year, 400) == 0);
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 1 && leap ? 29 : days[month];
}

constexpr bool exists(const CalendarFields& f) {
  return f.year >= -30000 && f.year <= 30000 && f.month >= 0 && f.month < 12 && f.day >= 0 &&
         f.day < days_in_month(f.year, f.month) && f.hour >= 0 && f.hour < 24 && f.minute >= 0 && f.minute < 60 &&
         f.second >= 0 && f.second < 60;
}

// Takes parts off the front of a text; stays failed once a part did not match.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool good() const { return good_; }
  void fail() { good_ = false; }
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  void literal(char expected) {
    good_ = good_ && peek() == expected;
    if (good_) rest_.remove_prefix(1);
  }

  int number(std::size_t digits) {
    good_ = good_ && rest_.size() >= digits;
    int value = 0;
    for (std::size_t i = 0; good_ && i < digits; ++i) {
      good_ = rest_[i] >= '0' && rest_[i] <= '9';
      value = 10 * value + (rest_[i] - '0');
    }
    if (good_) rest_.remove_prefix(digits);
    return value;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::optional<int> scan_zone(Scanner& scan) {
  const char sign = scan.peek();
  if (sign == '\0') return std::nullopt;
  scan.literal(sign == 'Z' || sign == '-' ? sign : '+');
  if (sign == 'Z') return 0;
  const int hours = scan.number(2);
  scan.literal(':');
  const int minutes = scan.number(2);
  const int offset = 60 * hours + minutes;
  if (minutes > 59 || offset > most_offset_minutes) scan.fail();
  return sign == '-' ? -offset : offset;
}

}  // namespace

CalendarFields calendar_fields(std::int64_t wall_clock) {
  if (wall_clock < -most_seconds || wall_clock > most_seconds)
    throw DataError("calendar_fields: " + std::to_string(wall_clock) +
                    " seconds are more than 30,000 years from 1970; are they milliseconds?");
  CalendarFields fields;
  const std::int64_t days = floor_div(wall_clock, day_seconds);
  const auto seconds = static_cast<int>(floor_mod(wall_clock, day_seconds));
  civil_from_days(days, fields);
  fields.weekday = static_cast<int>(floor_mod(days + 3, 7));  // 1970-01-01 was a Thursday
  fields.hour = seconds / 3600;
  fields.minute = seconds / 60 % 60;
  fields.second = seconds % 60;
  return fields;
}

std::int64_t wall_clock(const CalendarFields& f) {
  if (!exists(f)) throw DataError("wall_clock: there is no such date or time of day (month and day count from 0)");
  return days_from_civil(f.year, f.month, f.day) * day_seconds + f.hour * 3600 + f.minute * 60 + f.second;
}

IsoTime parse_iso8601(std::string_view text) {
  Scanner scan(text);
  CalendarFields fields;
  fields.year = scan.number(4);
  scan.literal('-');
  fields.month = scan.number(2) - 1;
  scan.literal('-');
  fields.day = scan.number(2) - 1;
  scan.literal('T');
  fields.hour = scan.number(2);
  scan.literal(':');
  fields.minute = scan.number(2);
  if (scan.peek() == ':') {
    scan.literal(':');
    fields.second = scan.number(2);
  }
  IsoTime time;
  time.offset_minutes = scan_zone(scan);
  if (!scan.good() || !scan.done() || !exists(fields))
    throw DataError(shown(text) +
                    " is not a time; write it like 2012-12-24T18:30, with seconds if wanted (:05) and a "
                    "zone if wanted (Z or +01:00)");
  time.local = wall_clock(fields);
  return time;
}

std::string format_iso8601(const IsoTime& time) {
  const CalendarFields f = calendar_fields(time.local);
  const int offset = time.offset_minutes.value_or(0);
  if (f.year < 0 || f.year > 9999 || offset < -most_offset_minutes || offset > most_offset_minutes)
    throw DataError("format_iso8601: year " + std::to_string(f.year) + " or offset of " + std::to_string(offset) +
                    " minutes is out of range: years 0 to 9999, at most 24 h");
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", f.year, f.month + 1, f.day + 1, f.hour, f.minute,
                f.second);
  std::string out = text;
  if (!time.offset_minutes) return out;
  if (offset == 0) return out + "Z";
  const int size = offset < 0 ? -offset : offset;
  std::snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 60, size % 60);
  return out + text;
}

}  // namespace chronotope
