#include "chronotope/data/calendar.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "scratch.hpp"

using namespace chronotope;

namespace {

void check_date(std::int64_t seconds, int year, int month, int day, int weekday, int hour) {
  const CalendarFields f = calendar_fields(seconds);
  CAPTURE(seconds);
  CHECK(f.year == year);
  CHECK(f.month + 1 == month);
  CHECK(f.day + 1 == day);
  CHECK(f.weekday == weekday);
  CHECK(f.hour == hour);
  CHECK(wall_clock(f) == seconds);
}

}  // namespace

TEST_CASE("data: known dates") {
  check_date(0, 1970, 1, 1, 3, 0);
  check_date(-1, 1969, 12, 31, 2, 23);
  check_date(951'782'400, 2000, 2, 29, 1, 0);
  check_date(951'868'800, 2000, 3, 1, 2, 0);
  check_date(1'356'373'800, 2012, 12, 24, 0, 18);
  check_date(1'330'516'799, 2012, 2, 29, 2, 11);
  check_date(4'107'542'400, 2100, 3, 1, 0, 0);
  check_date(4'107'542'399, 2100, 2, 28, 6, 23);
  check_date(-2'203'891'200, 1900, 3, 1, 3, 0);
  check_date(-2'208'988'800, 1900, 1, 1, 0, 0);
  check_date(-62'167'219'200, 0, 1, 1, 5, 0);
  check_date(-62'167'219'201, -1, 12, 31, 4, 23);
}

TEST_CASE("data: every day of 800 years follows the one before") {
  CalendarFields before = calendar_fields(-13'000'000'000 / 86400 * 86400);
  int leap_days = 0;
  for (std::int64_t day = -13'000'000'000 / 86400 + 1, end = day + 2 * 146'097; day < end; ++day) {
    const CalendarFields now = calendar_fields(day * 86400);
    const bool next_day = now.year == before.year && now.month == before.month && now.day == before.day + 1;
    const bool next_month =
        now.year == before.year && now.month == before.month + 1 && now.day == 0 && before.day >= 27;
    const bool next_year = now.year == before.year + 1 && now.month == 0 && before.month == 11 && before.day == 30;
    REQUIRE((next_day || (next_month && now.day == 0) || (next_year && now.day == 0)));
    REQUIRE(now.weekday == (before.weekday + 1) % 7);
    leap_days += now.month == 1 && now.day == 28;
    before = now;
  }
  CHECK(leap_days == 2 * 97);
}

TEST_CASE("data: ISO 8601 text") {
  CHECK(parse_iso8601("2012-12-24T18:30").local == 1'356'373'800);
  CHECK_FALSE(parse_iso8601("2012-12-24T18:30").offset_minutes);
  CHECK(parse_iso8601("2012-12-24T18:30:05").utc() == 1'356'373'805);
  CHECK(parse_iso8601("2012-12-24T18:30Z").offset_minutes == 0);
  const IsoTime east = parse_iso8601("2012-12-24T18:30:05+01:00"), west = parse_iso8601("2012-12-24T18:30-05:30");
  CHECK(east.local == 1'356'373'805);
  CHECK(east.utc() == 1'356'373'805 - 3600);
  CHECK(west.utc() == 1'356'373'800 + 19'800);
  CHECK(parse_iso8601("1969-12-31T23:59:59").local == -1);
  for (const std::string text :
       {"2012-12-24T18:30:05", "2012-12-24T18:30:05Z", "1900-02-28T00:00:00-05:30", "0000-01-01T00:00:00+14:00"})
    CHECK(format_iso8601(parse_iso8601(text)) == text);
}

TEST_CASE("data: text that is no time") {
  for (const std::string text : {"",
                                 "2012",
                                 "2012-12-24",
                                 "2012-12-24 18:30",
                                 "2012-13-24T18:30",
                                 "2012-00-24T18:30",
                                 "2012-02-30T18:30",
                                 "2013-02-29T18:30",
                                 "1900-02-29T18:30",
                                 "2012-12-24T24:00",
                                 "2012-12-24T18:60",
                                 "2012-12-24T18:30:60",
                                 "2012-12-24T18:30:5",
                                 "2012-12-24T18:30z",
                                 "2012-12-24T18:30+1:00",
                                 "2012-12-24T18:30+01:60",
                                 "2012-12-24T18:30+25:00",
                                 "2012-12-24T18:30+01:00 ",
                                 "2012-12-24T18:3O",
                                 "-012-12-24T18:30",
                                 "2012-12-24T18:30Z0"}) {
    const std::string error = scratch::error_of([&] { parse_iso8601(text); });
    CAPTURE(text);
    CHECK(error.starts_with("DataError: '" + text + "' is not a time; write it like 2012-12-24T18:30"));
  }
}

TEST_CASE("data: times out of range") {
  using scratch::error_of;
  CHECK(error_of([] { calendar_fields(std::numeric_limits<std::int64_t>::min()); }).starts_with("DataError: "));
  CHECK(error_of([] { calendar_fields(std::numeric_limits<std::int64_t>::max()); }).starts_with("DataError: "));
  CHECK(error_of([] { format_iso8601({-62'167'219'201, {}}); }).starts_with("DataError: "));
  CHECK(error_of([] { format_iso8601({0, 1441}); }).starts_with("DataError: "));
  CHECK(error_of([] { wall_clock({.year = 2013, .month = 1, .day = 28}); }).starts_with("DataError: "));
}
