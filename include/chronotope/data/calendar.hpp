#pragma once
// Wall clocks: seconds since 1970-01-01 00:00 on the local clock, their calendar fields and ISO 8601 text.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chronotope {

/// Calendar fields of a wall clock (proleptic Gregorian calendar), ranges as embedding tables want them.
struct CalendarFields {
  std::int32_t year = 1970;
  int month = 0;    ///< 0 to 11, January 0
  int day = 0;      ///< 0 to 30, the first 0
  int weekday = 0;  ///< 0 to 6, Monday 0
  int hour = 0;     ///< 0 to 23
  int minute = 0;   ///< 0 to 59
  int second = 0;   ///< 0 to 59
};

/// Any time from year -30,000 to 30,000, before 1970 as well. Throws DataError beyond.
CalendarFields calendar_fields(std::int64_t wall_clock);

/// The wall clock of year, month, day, hour, minute and second; the weekday is not looked at.
/// Throws DataError if a field is out of range or the month has no such day.
std::int64_t wall_clock(const CalendarFields& fields);

/// A parsed ISO 8601 time.
struct IsoTime {
  std::int64_t local = 0;             ///< the wall clock as written
  std::optional<int> offset_minutes;  ///< local time minus UTC; none if the text names no zone

  /// Seconds since 1970-01-01 UTC; a text without zone is taken as UTC.
  std::int64_t utc() const { return local - 60 * std::int64_t{offset_minutes.value_or(0)}; }
};

/// Reads "2012-12-24T18:30", optionally with seconds ":05" and a zone: "Z", "+01:00" or "-05:00".
/// Four-digit years. Throws DataError that shows the text and what is expected.
IsoTime parse_iso8601(std::string_view text);

/// "2012-12-24T18:30:05", followed by "Z" (offset 0) or "+hh:mm" if an offset is given.
/// Throws DataError for years outside 0 to 9999 or an offset beyond 24 h.
std::string format_iso8601(const IsoTime& time);

}  // namespace chronotope
