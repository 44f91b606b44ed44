// Click logs: geohashes as numbers, columns by name, and every rule of check_click_log.
#include "chronotope/data/clicks.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "chronotope/data/geohash.hpp"
#include "small_clicks.hpp"

using chronotope::ClickColumns;
using chronotope::geohash_letter;
using chronotope::pack_geohash6;

namespace {

template <class Spoil> std::string error_with(Spoil&& spoil) {
  ClickColumns columns = small_clicks::columns();
  spoil(columns);
  return scratch::error_of([&] { chronotope::make_click_log(std::move(columns)); });
}

void check_error(const std::string& error, const std::string& column, const std::string& rule) {
  CAPTURE(error);
  CHECK(error.starts_with("DataError: click log: " + column + ": "));
  CHECK(error.find(rule) != error.npos);
}

}  // namespace

TEST_CASE("data: six letters of a geohash as a number") {
  const std::uint32_t packed = pack_geohash6("wmpp2u");
  std::string letters;
  for (int i = 0; i < 6; ++i) letters += geohash_letter(packed, i);
  CHECK(letters == "wmpp2u");
  CHECK((packed >> 30) == 1);
  constexpr std::uint32_t by_hand = 28u << 25 | 19u << 20 | 21u << 15 | 21u << 10 | 2u << 5 | 26u;
  CHECK(packed - (1u << 30) == by_hand);
  CHECK(pack_geohash6("wmpp2u123") == packed);
  CHECK(pack_geohash6("WMPP2U") == packed);
  CHECK(pack_geohash6("000000") == 1u << 30);
  for (const char* none : {"", "wmpp2", "wmpp2a", "wmpp2u!", "-99", "wm pp2u"}) CHECK(pack_geohash6(none) == 0);
  CHECK(geohash_letter(0, 0) == '?');
  CHECK(geohash_letter(packed, 6) == '?');
  CHECK(geohash_letter(packed, -1) == '?');
  const auto prefixes = chronotope::geohash_prefixes(52.1, 5.1);
  CHECK(pack_geohash6(chronotope::geohash(52.1, 5.1)) == prefixes[5] + (1u << 30));
}

TEST_CASE("data: click log columns by name") {
  const chronotope::ClickLog log = chronotope::make_click_log(small_clicks::columns());
  CHECK(log.size() == 5);
  CHECK(log.behaviours.size() == 9);
  CHECK(log.id_column("category").rows == 3);
  const std::string error = scratch::error_of([&] { log.id_column("categroy"); });
  CHECK(error == "DataError: the click log has no id column \"categroy\"; did you mean \"category\"?");
}

TEST_CASE("data: what a click log must fulfil") {
  CHECK(error_with([](ClickColumns&) {}) == "");
  check_error(error_with([](auto& c) { c.click[2] = 2; }), "samples, column \"click\"", "row 2: 2 is not 0 or 1");
  check_error(error_with([](auto& c) { c.conversion[4] = 9; }), "samples, column \"conversion\"", "row 4: 9");
  check_error(error_with([](auto& c) { c.conversion.pop_back(); }), "samples, column \"conversion\"", "4 values");
  check_error(error_with([](auto& c) { c.split.pop_back(); }), "samples, column \"split\"", "4 values");
  check_error(error_with([](auto& c) { c.split[0] = static_cast<chronotope::Split>(3); }), "samples, column \"split\"",
              "3");
  check_error(error_with([](auto& c) { c.at.hour[1] = 24; }), "samples, column \"hour\"", "row 1: 24");
  check_error(error_with([](auto& c) { c.behaviours_at.weekday[8] = 7; }), "behaviours, column \"weekday\"",
              "row 8: 7");
  check_error(error_with([](auto& c) { c.behaviours_at.geohash[3] = 77; }), "behaviours, column \"geohash\"",
              "row 3: 77");
  check_error(error_with([](auto& c) { c.at.geohash[3] = 1u << 31; }), "samples, column \"geohash\"", "row 3");
  check_error(error_with([](auto& c) { c.at.time[3] = std::numeric_limits<std::int64_t>::min(); }),
              "samples, column \"time\"", "row 3");
  check_error(error_with([](auto& c) { c.ids[1].values[4] = 10; }), "samples, column \"item\"", "row 4: 10");
  check_error(error_with([](auto& c) { c.behaviour_ids[0].values[4] = -1; }), "behaviours, column \"item\"",
              "row 4: -1");
  check_error(error_with([](auto& c) { c.ids[0].rows = 0; }), "samples, column \"user\"", "0 rows");
  check_error(error_with([](auto& c) { c.ids[0].table = "item"; }), "samples, column \"user\"",
              "table \"item\" has 4 rows");
  check_error(error_with([](auto& c) { c.behaviour_ids[1].rows = 4; }), "behaviours, column \"category\"", "no column");
  check_error(error_with([](auto& c) { c.ids.pop_back(); }), "samples, column \"category\"", "missing");
  check_error(error_with([](auto& c) { c.behaviour_ids.pop_back(); }), "behaviours, column \"category\"", "missing");
  check_error(error_with([](auto& c) { c.numbers[0].name = "user"; }), "samples, column \"user\"", "twice");
  check_error(error_with([](auto& c) { c.numbers[0].values[1] = NAN; }), "samples, column \"distance\"", "row 1");
  check_error(error_with([](auto& c) { c.behaviour_numbers[0].values[1] = INFINITY; }), "behaviours, column \"price\"",
              "row 1");
  check_error(error_with([](auto& c) { c.first.pop_back(); }), "samples, column \"first\"", "4 values");
}

TEST_CASE("data: ranges of behaviours lie inside, in order, before the request") {
  const std::string ranges = "samples, column \"behaviours\"";
  check_error(error_with([](auto& c) { c.last[4] = 10; }), ranges, "row 4: 5 to 10");
  check_error(error_with([](auto& c) { c.first[2] = 6; }), ranges, "row 2: 6 to 5");
  check_error(error_with([](auto& c) { c.first[0] = ~std::uint64_t{0}; }), ranges, "row 0");
  check_error(error_with([](auto& c) { c.last[2] = 6; }), ranges,
              "row 2: behaviour 5 is older");  // runs into the other user
  check_error(error_with([](auto& c) { --c.behaviours_at.time[7], c.behaviours_at.time[7] -= 6000; }), ranges,
              "row 4: behaviour 7");
  check_error(error_with([](auto& c) { c.last[0] = 5, c.at.time[0] -= 1; }), ranges, "row 0: behaviour 4 lies after");
  // Equal times are fine, and so is a list that begins later than the one before or that comes back.
  CHECK(error_with([](auto& c) { c.behaviours_at.time[1] = c.behaviours_at.time[0]; }) == "");
  CHECK(error_with([](auto& c) { c.first = {2, 0, 5, 0, 1}, c.last = {4, 1, 8, 1, 4}; }) == "");
}
