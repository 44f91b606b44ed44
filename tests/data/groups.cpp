// Groups: the paper's example by hand, the syntax, gaps and overlaps, groups derived from a log, holidays.
#include "chronotope/data/groups.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "chronotope/core/philox.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/derive_groups.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "chronotope/data/geohash.hpp"
#include "chronotope/data/holidays.hpp"
#include "small_clicks.hpp"

using chronotope::GroupTable;
using chronotope::GroupTexts;
using chronotope::HolidayCalendar;
using chronotope::pack_geohash6;

namespace {

std::string error_with(const GroupTexts& texts) {
  return scratch::error_of([&] { GroupTable{texts}; });
}

void check_error(const GroupTexts& texts, const std::string& start, const std::string& rule) {
  const std::string error = error_with(texts);
  CAPTURE(error);
  CHECK(error.starts_with("ConfigError: groups, " + start));
  CHECK(error.find(rule) != error.npos);
}

int place(const GroupTable& table, const std::string& letters) { return table.geohash(pack_geohash6(letters + "pp2u")); }

/// A log whose training clicks are at these hours of Monday to Sunday and in these cells, one sample a click.
struct Click {
  int hour, weekday;
  const char* cell;
};

chronotope::ClickLog log_of(const std::vector<Click>& clicks) {
  using chronotope::FeaturePart;
  chronotope::ClickColumns c;
  c.behaviour_ids = {{"item", "item", FeaturePart::item, 2, {}}, {"category", "category", FeaturePart::item, 2, {}}};
  c.ids = c.behaviour_ids;
  c.ids.push_back({"user", "user", FeaturePart::user, 2, {}});
  const auto add = [&](const Click& click, bool clicked, chronotope::Split split) {
    c.click.push_back(clicked);
    c.split.push_back(split);
    c.at.add(0, click.hour, click.weekday, pack_geohash6(click.cell));
    for (auto& ids : c.ids) ids.values.push_back(1);
    c.first.push_back(0), c.last.push_back(0);
  };
  for (const Click& click : clicks) add(click, true, chronotope::Split::train);
  add({0, 0, "000000"}, false, chronotope::Split::train);  // none of these counts
  add({0, 0, "000000"}, true, chronotope::Split::validation);
  add({0, 0, "000000"}, true, chronotope::Split::test);
  return chronotope::make_click_log(std::move(c));
}

}  // namespace

TEST_CASE("data: the paper's groups, and its example") {
  const GroupTable table;
  CHECK(table.groups(0) == 3);
  CHECK(table.groups(1) == 2);
  CHECK(table.groups(2) == 3);
  // Tuesday 12:00 at wmpp2u: midday, weekday, w followed by k to z.
  const auto tuesday = chronotope::calendar_fields(chronotope::parse_iso8601("2022-03-08T12:00").local);
  CHECK(table.hour(tuesday.hour) == 1);
  CHECK(table.weekday(tuesday.weekday) == 0);
  CHECK(table.geohash(pack_geohash6("wmpp2u")) == 2);
  // The borders, by hand.
  const int hours[24] = {2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2};
  for (int hour = 0; hour < 24; ++hour) CHECK(table.hour(hour) == hours[hour]);
  for (int day = 0; day < 7; ++day) CHECK(table.weekday(day) == (day > 4));
  for (const char* cell : {"00", "vz", "x0", "dr", "zz"}) CHECK(place(table, cell) == 0);
  for (const char* cell : {"w0", "w9", "wb", "wj"}) CHECK(place(table, cell) == 1);
  for (const char* cell : {"wk", "wm", "wz"}) CHECK(place(table, cell) == 2);
  CHECK(table.geohash(0) == -1);  // not known: in no group
  CHECK(table.geohash(pack_geohash6("000000")) == 0);  // the first cell is not "not known"
}

TEST_CASE("data: the groups planted in generated logs are the paper's") {
  const GroupTable table;
  for (int hour = 0; hour < 24; ++hour) CHECK(table.hour(hour) == chronotope::hour_group(hour));
  for (int day = 0; day < 7; ++day) CHECK(table.weekday(day) == chronotope::week_group(day));
  int differ = 0;
  for (std::uint32_t code = 0; code < 1024; ++code) {
    const std::uint32_t packed = 1u << 30 | code << 20 | code;
    differ += table.geohash(packed) != chronotope::geohash_group(packed);
  }
  CHECK(differ == 0);
}

TEST_CASE("data: what a config can write") {
  const GroupTable table({"6-9,12,17-20 21-5 10-11,13-16", " fri-mon  tue-thu", "d 0-8,90-k 9m-y,9z,b-c !0-d"});
  CHECK(table.groups(0) == 3);
  for (const int hour : {6, 9, 12, 17, 20}) CHECK(table.hour(hour) == 0);
  for (const int hour : {21, 23, 0, 5}) CHECK(table.hour(hour) == 1);
  for (const int hour : {10, 11, 13, 16}) CHECK(table.hour(hour) == 2);
  CHECK(table.groups(1) == 2);
  for (const int day : {4, 5, 6, 0}) CHECK(table.weekday(day) == 0);
  for (const int day : {1, 2, 3}) CHECK(table.weekday(day) == 1);
  CHECK(table.groups(2) == 4);
  for (const char* cell : {"d0", "dr", "dz"}) CHECK(place(table, cell) == 0);
  for (const char* cell : {"00", "8z", "90", "9k"}) CHECK(place(table, cell) == 1);
  for (const char* cell : {"9m", "9y", "9z", "b0", "cz"}) CHECK(place(table, cell) == 2);
  for (const char* cell : {"e0", "w5", "zz"}) CHECK(place(table, cell) == 3);
  const GroupTable one({"5-4", "sun-sat", "0-z"});  // one group of everything
  for (int m = 0; m < 3; ++m) CHECK(one.groups(m) == 1);
}

TEST_CASE("data: gaps and overlaps are named") {
  GroupTexts t;
  check_error({"3-10 11-16 17-1", t.weekdays, t.geohash}, "hours \"3-10 11-16 17-1\": ", "2 lies in no group");
  check_error({"3-11 11-16 17-2", t.weekdays, t.geohash}, "hours ", "11 lies in both \"3-11\" and \"11-16\"");
  check_error({"", t.weekdays, t.geohash}, "hours \"\": ", "0 lies in no group");
  check_error({t.hours, "mon-fri sat", t.geohash}, "weekdays ", "sun lies in no group");
  check_error({t.hours, "mon-fri fri-sun", t.geohash}, "weekdays ", "fri lies in both \"mon-fri\" and \"fri-sun\"");
  check_error({t.hours, t.weekdays, "!w w0-j wm-z"}, "geohash ", "\"wk\" lies in no group");
  check_error({t.hours, t.weekdays, "!w w0-k wk-z"}, "geohash ", "\"wk\" lies in both \"w0-k\" and \"wk-z\"");
  check_error({t.hours, t.weekdays, "!w w0-j wk-z 9q"}, "geohash ", "\"9q\" lies in both \"!w\" and \"9q\"");
}

TEST_CASE("data: pieces that cannot be read are shown") {
  GroupTexts t;
  for (const char* bad : {"24", "3-24", "3-", "-3", "-", "3--5", "a", "3-10,", ",3", "0x1", "3-4-5"})
    check_error({std::string(bad) + " 0-23", t.weekdays, t.geohash}, "hours ", "cannot be read; write an hour");
  for (const char* bad : {"monday", "mon-", "0", "mon-fri-sun", "Mon"})
    check_error({t.hours, std::string(bad) + " mon-sun", t.geohash}, "weekdays ", "cannot be read; write a day");
  for (const char* bad : {"!", "a", "i", "w0-a", "z-9", "wz-0", "w-", "-w", "w0j", "w0-jk", "!!w", "w,"})
    check_error({t.hours, t.weekdays, std::string(bad) + " 0-z"}, "geohash ", "cannot be read; write a letter");
}

TEST_CASE("data: groups derived from clicks") {
  std::vector<Click> clicks;
  // The paper's distribution of places: half begin with w, and half of these go on with 0 to j.
  for (const char* cell : {"w0pp2u", "w9pp2u", "wbpp2u", "wjpp2u", "wkpp2u", "wmpp2u", "wtpp2u", "wzpp2u"}) clicks.push_back({12, 0, cell});
  for (const char* cell : {"00pp2u", "drpp2u", "dqpp2u", "drpp2u", "x0pp2u", "xnpp2u", "ybpp2u"}) clicks.push_back({20, 5, cell});
  clicks.push_back({20, 5, ""});
  const auto derived = chronotope::derive_groups(log_of(clicks));
  CHECK(derived.texts.weekdays == "mon-fri sat-sun");
  CHECK(derived.texts.geohash == "!w w0-j wk-z");
  CHECK(derived.clicks == 16);
  CHECK(derived.without_place == 1);
  CHECK(derived.hours[12] == 8);
  CHECK(derived.hours[20] == 8);
  CHECK(derived.hours[0] == 0);
  CHECK(derived.weekdays == std::array<std::uint64_t, 7>{8, 0, 0, 0, 0, 8, 0});
  CHECK(derived.geohash[12 * 32 + 23] == 2);  // dr
  CHECK(std::accumulate(derived.geohash.begin(), derived.geohash.end(), std::uint64_t{0}) == 15);
  const auto ranges = [&](int places) {
    return chronotope::derive_groups(log_of(clicks), {.places = places, .cut = chronotope::PlaceCut::range}).texts.geohash;
  };
  CHECK(ranges(1) == "0-z");
  CHECK(ranges(2) == "0-v,w0-b wc-z,x-z");  // 7 and 8
  CHECK(ranges(4) == "0-d e-v,w0-b wc-t wu-z,x-z");  // 4, 3, 4 and 4; the first could be cut anywhere from ds to w0
}

TEST_CASE("data: groups of a log from one city") {
  std::vector<Click> clicks(97, {12, 0, "dr5ru7"});
  clicks.push_back({12, 0, "dqpp2u"});
  const auto cut = [&](chronotope::DeriveOptions options) { return chronotope::derive_groups(log_of(clicks), options).texts.geohash; };
  CHECK(cut({}) == "0-c,d0-q dr-z,e-z");  // no other first letter; nothing but dq and dr to be cut between
  clicks.push_back({12, 0, "9qpp2u"});
  CHECK(cut({}) == "!d d0-q dr-z");
  CHECK(cut({.places = 2}) == "!d d");
  CHECK(cut({.places = 1}) == "0-z");
  CHECK(cut({.cut = chronotope::PlaceCut::range}) == "0-c,d0-q dr-z,e-z");
  CHECK(cut({.places = 5, .cut = chronotope::PlaceCut::range}) == "0-c,d0-q dr-z,e-z");
  for (Click& click : clicks) click.cell = "";
  CHECK(cut({}) == "0-z");
}

TEST_CASE("data: hours and weekdays are cut round the circle") {
  std::vector<Click> clicks;
  for (int hour = 0; hour < 24; ++hour) clicks.push_back({hour, 0, ""});
  const auto texts = [&](chronotope::DeriveOptions options) { return chronotope::derive_groups(log_of(clicks), options).texts; };
  CHECK(texts({}).hours == "0-7 8-15 16-23");
  CHECK(texts({.hours = 1}).hours == "0-23");
  CHECK(texts({.hours = 24}).hours.starts_with("0 1 2 3 "));
  clicks.clear();
  const int days[] = {10, 11, 10, 9, 20, 21, 10};  // a weekend of Friday and Saturday
  for (int day = 0; day < 7; ++day) clicks.insert(clicks.end(), static_cast<std::size_t>(days[day]), Click{0, day, ""});
  CHECK(texts({.weekdays = 2}).weekdays == "fri-sat sun-thu");
  CHECK(texts({.weekdays = 7}).weekdays == "mon tue wed thu fri sat sun");
  CHECK(texts({}).weekdays == "mon-fri sat-sun");
}

TEST_CASE("data: derived hours are the most even ones, and derived groups can always be read") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::vector<Click> clicks;
    std::uint64_t counter = 0;
    const auto below = [&](std::uint32_t n) { return static_cast<int>(chronotope::philox(seed, 0, counter++)[0] % n); };
    std::vector<std::string> cells;
    for (int i = 0; i < 200; ++i) cells.push_back(chronotope::geohash(below(160) - 80, below(300) - 150, 6));
    for (const std::string& cell : cells) clicks.push_back({std::min(below(24), below(30)), below(7), cell.c_str()});
    const chronotope::DeriveOptions options{3, below(8), 1 + below(32), below(2) ? chronotope::PlaceCut::range : chronotope::PlaceCut::letter};
    const auto derived = chronotope::derive_groups(log_of(clicks), options);
    CAPTURE(derived.texts.geohash);
    const GroupTable table(derived.texts);
    CHECK(table.groups(0) == 3);
    CHECK(table.groups(1) == (options.weekdays ? options.weekdays : 2));
    CHECK(table.groups(2) <= options.places);
    const auto cost = [&](auto group_of) {
      std::array<double, 3> sums{};
      for (int hour = 0; hour < 24; ++hour) sums[static_cast<std::size_t>(group_of(hour))] += static_cast<double>(derived.hours[static_cast<std::size_t>(hour)]);
      return sums[0] * sums[0] + sums[1] * sums[1] + sums[2] * sums[2];
    };
    double best = 1e9;
    for (int a = 0; a < 22; ++a)
      for (int b = a + 1; b < 23; ++b)
        for (int c = b + 1; c < 24; ++c) best = std::min(best, cost([&](int hour) { return hour < a || hour >= c ? 2 : hour < b ? 0 : 1; }));
    CHECK(cost([&](int hour) { return table.hour(hour); }) == best);
  }
}

TEST_CASE("data: what groups cannot be derived from") {
  const auto error = [](chronotope::DeriveOptions options, const std::vector<Click>& clicks) {
    return scratch::error_of([&] { chronotope::derive_groups(log_of(clicks), options); });
  };
  const std::vector<Click> one{{0, 0, "dr5ru7"}};
  CHECK(error({}, one) == "");
  CHECK(error({}, {}) == "DataError: derive_groups: the log has no clicked samples in its training split");
  CHECK(error({.hours = 0}, one) == "ConfigError: derive_groups: hours = 0 is out of range: 1 to 24");
  CHECK(error({.hours = 25}, one).starts_with("ConfigError: derive_groups: hours = 25"));
  CHECK(error({.weekdays = 8}, one).starts_with("ConfigError: derive_groups: weekdays = 8"));
  CHECK(error({.places = 33}, one).starts_with("ConfigError: derive_groups: places = 33"));
}

TEST_CASE("data: holidays") {
  const auto at = [](const char* text) { return chronotope::parse_iso8601(text).local; };
  const HolidayCalendar calendar("2022-05-02..2022-05-04  2022-04-05 2022-05-01 2022-05-03 1969-12-31");
  CHECK(calendar.days() == 6);
  for (const char* on : {"2022-04-05T00:00", "2022-04-05T23:59:59", "2022-05-01T00:00", "2022-05-03T12:00", "2022-05-04T23:59:59", "1969-12-31T23:59:59"})
    CHECK(calendar.contains(at(on)));
  for (const char* off : {"2022-04-04T23:59:59", "2022-04-06T00:00", "2022-04-30T23:59:59", "2022-05-05T00:00", "1970-01-01T00:00", "1969-12-30T23:59:59"})
    CHECK_FALSE(calendar.contains(at(off)));
  CHECK(HolidayCalendar("").days() == 0);
  CHECK_FALSE(HolidayCalendar().contains(0));
  const auto error = [](const char* text) { return scratch::error_of([&] { HolidayCalendar{text}; }); };
  CHECK(error("2022-02-28 2022-02-30") == "ConfigError: holidays: \"2022-02-30\" is not a date; write 2022-05-01, or 2022-05-01..2022-05-04 for a range");
  CHECK(error("2022-05-02..2022-05-01") == "ConfigError: holidays: \"2022-05-02..2022-05-01\" ends before it begins");
  for (const char* bad : {"2022-5-1", "1st of May", "2022-05-01..", "..2022-05-01", "2022-05-01-2022-05-02", "2022-05-01T00:00", "2022-05-01\t2022-05-02"})
    CHECK(error(bad).starts_with("ConfigError: holidays: "));
}
