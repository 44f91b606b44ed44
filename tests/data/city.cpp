// The generated city: the same everywhere, and shaped as check-in data is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/city.hpp"
#include "chronotope/data/geohash.hpp"
#include "scratch.hpp"

using chronotope::CheckinTable;
using chronotope::CityOptions;
using chronotope::Split;

namespace {

// FNV-1a over everything in the rows; positions by their bits.
std::uint64_t fingerprint(const CheckinTable& table) {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&](std::int64_t value) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (static_cast<std::uint64_t>(value) >> 8 * i & 255)) * 0x100000001B3;
  };
  for (const auto& r : table.rows) {
    for (const char letter : table.places[r.place] + table.categories[r.category]) add(letter);
    add(std::llround(r.latitude * 1e6));
    add(std::llround(r.longitude * 1e6));
    add(r.utc);
    add(r.local);
    add(static_cast<int>(r.split) * 2 + r.target);
    add(r.trajectory);
  }
  return hash;
}

std::string error_with(void (*spoil)(CityOptions&)) {
  CityOptions options;
  spoil(options);
  return scratch::error_of([&] { chronotope::generate_city(options); });
}

}  // namespace

TEST_CASE("data: the city is the same on every platform") {
  CHECK(fingerprint(chronotope::generate_city()) == 18038918304820996947u);
  CityOptions other;
  other.seed = 2;
  other.latitude = -33.87;
  other.longitude = 151.2;
  other.utc_offset_minutes = 600;
  CHECK(fingerprint(chronotope::generate_city(other)) == 5065985936841663674u);
}

TEST_CASE("data: the city obeys the rules of check-in tables and of the protocol") {
  const CheckinTable table = chronotope::generate_city();
  CHECK(table.users.front() == "u0001");
  CHECK(table.users.size() == 150);
  CHECK(table.categories.front() == "");
  std::set<std::size_t> train_users;
  std::set<int> train_places;
  std::int64_t ends[3] = {}, starts[3] = {INT64_MAX, INT64_MAX, INT64_MAX};
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    const chronotope::Checkin* before = nullptr;
    for (const auto& row : table.history(user)) {
      const bool starts_trajectory = !before || row.utc - before->utc > 86400;
      CHECK((!before || row.utc >= before->utc));
      CHECK(starts_trajectory == (!before || row.trajectory != before->trajectory));
      if (row.split == Split::train) {
        CHECK(row.target == !starts_trajectory);
        if (row.target) train_users.insert(user), train_places.insert(row.place);
      }
      auto& start = starts[static_cast<int>(row.split)];
      auto& end = ends[static_cast<int>(row.split)];
      start = std::min(start, row.utc);
      end = std::max(end, row.utc);
      before = &row;
    }
  }
  CHECK(ends[0] <= starts[1]);
  CHECK(ends[1] <= starts[2]);
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    const auto rows = table.history(user);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].split == Split::train) continue;
      const bool last = i + 1 == rows.size() || rows[i + 1].trajectory != rows[i].trajectory;
      CHECK(rows[i].target == (last && train_users.count(user) && train_places.count(rows[i].place)));
    }
  }
}

TEST_CASE("data: the statistics of the city are those of check-in data") {
  const CityOptions options;
  const CheckinTable table = chronotope::generate_city(options);
  CHECK(table.rows.size() > 11'500);
  CHECK(table.rows.size() < 12'500);
  CHECK(table.places.size() > 600);
  CHECK(table.categories.size() == 17);
  std::map<std::string, std::array<int, 24>> hours;
  std::vector<int> visits(table.places.size());
  int targets = 0, revisits = 0;
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    std::set<int> known;
    for (const auto& row : table.history(user)) {
      ++hours[table.categories[row.category]][chronotope::calendar_fields(row.local).hour];
      ++visits[row.place];
      const bool counts = row.split == Split::test && row.target;
      targets += counts;
      revisits += counts && known.count(row.place);
      known.insert(row.place);
      CHECK(chronotope::distance_km(row.latitude, row.longitude, options.latitude, options.longitude) < 9);
    }
  }
  CHECK(targets > 120);
  CHECK(revisits > 0.70 * targets);
  CHECK(revisits < 0.85 * targets);
  const auto between = [&](const std::string& category, int from, int to) {
    int sum = 0, all = 0;
    for (int h = 0; h < 24; ++h) all += hours[category][h], sum += h >= from && h < to ? hours[category][h] : 0;
    return static_cast<double>(sum) / all;
  };
  CHECK(between("Office", 6, 18) > 0.8);
  CHECK(between("Sandwich Place", 10, 15) > 0.5);
  CHECK(between("Italian Restaurant", 17, 24) > 0.6);
  CHECK(between("Nightclub", 6, 18) < 0.2);
  std::sort(visits.rbegin(), visits.rend());
  int top = 0;
  for (std::size_t i = 0; i < visits.size() / 10; ++i) top += visits[i];
  CHECK(top > 0.3 * static_cast<double>(table.rows.size()));  // a tenth of the places has a large part of the visits
}

TEST_CASE("data: small and wide cities") {
  CityOptions options;
  options.users = 1;
  options.places = 50;
  options.days = 14;
  options.checkins_per_user = 5;
  for (options.seed = 0; options.seed < 50; ++options.seed) CHECK(chronotope::generate_city(options).rows.size() >= 3);
  options.users = 20;
  options.days = 30;
  options.checkins_per_user = 30;
  CHECK(chronotope::generate_city(options).rows.size() > 300);
}

TEST_CASE("data: options of the city out of range") {
  CHECK(error_with([](CityOptions& o) { o.users = 0; }) ==
        "ConfigError: generate_city: users = 0 is out of range: 1 to 100000");
  CHECK(error_with([](CityOptions& o) { o.places = 49; }).find("places = 49 is out of range: 50") != std::string::npos);
  CHECK(error_with([](CityOptions& o) { o.checkins_per_user = 301; }).find("5 to 300") != std::string::npos);
  CHECK(error_with([](CityOptions& o) { o.days = 4000; }).starts_with("ConfigError: "));
  CHECK(error_with([](CityOptions& o) { o.utc_offset_minutes = 2000; }).starts_with("ConfigError: "));
  CHECK(error_with([](CityOptions& o) { o.latitude = 85; }).starts_with("ConfigError: "));
  CHECK(error_with([](CityOptions& o) {
          o.longitude = std::numeric_limits<double>::quiet_NaN();
        }).starts_with("ConfigError: "));
}
