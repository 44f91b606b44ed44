// Check-ins as clicks: who is asked about what, nothing of the target seen, and the search for near places against all.
#include "chronotope/data/checkin_clicks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/city.hpp"
#include "chronotope/data/geohash.hpp"
#include "data/place_tree.hpp"
#include "small_clicks.hpp"

using chronotope::CheckinTable;
using chronotope::ClickLog;
using chronotope::Split;

namespace {

CheckinTable city() {
  chronotope::CityOptions options;
  options.users = 30;
  options.places = 200;
  return chronotope::generate_city(options);
}

/// Samples of one click each: first is the click.
std::vector<std::vector<std::size_t>> impressions(const ClickLog& log) {
  std::vector<std::vector<std::size_t>> out;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log.click[i]) out.emplace_back();
    out.back().push_back(i);
  }
  return out;
}

}  // namespace

TEST_CASE("data: the places of the highest weight are found as by looking at all") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<>(low, high)(random); };
  for (const double spread : {0.05, 3.0, 180.0}) {
    std::vector<chronotope::WeightedPlace> places;
    for (int i = 0; i < 700; ++i) {
      // Around the date line near the pole, or everywhere; some places twice.
      const double latitude = std::clamp(80 + uniform(-spread, spread), -90.0, 90.0);
      const double longitude = std::remainder(180 + uniform(-spread, spread), 360);
      places.push_back(i % 9 == 8 ? places.back()
                                  : chronotope::WeightedPlace{latitude, longitude, std::log(1. + random() % 50)});
    }
    const chronotope::PlaceTree tree(places, 2);
    for (int query = 0; query < 30; ++query) {
      const double latitude = places[query].latitude, longitude = std::remainder(places[query].longitude + .01, 360);
      std::vector<std::pair<double, int>> all;
      for (int i = 0; i < 700; ++i)
        all.emplace_back(-(places[i].log_weight -
                           chronotope::distance_km(latitude, longitude, places[i].latitude, places[i].longitude) / 2),
                         i);
      std::sort(all.begin(), all.end());
      const auto best = tree.best(latitude, longitude, 60);
      REQUIRE(best.size() == 60);
      for (int i = 0; i < 60; ++i) CHECK(best[i].place == all[i].second);
    }
  }
  CHECK(chronotope::PlaceTree({{1, 2, 0}}, 2).best(1, 2, 60).size() == 1);
  CHECK(chronotope::PlaceTree({}, 2).best(1, 2, 60).empty());
}

TEST_CASE("data: check-ins as clicks, sample by sample") {
  const CheckinTable table = city();
  const ClickLog log = chronotope::checkins_as_clicks(table);
  CHECK(log.semi_synthetic);
  CHECK(log.conversion.empty());
  CHECK(log.behaviours.size() == table.rows.size());
  std::set<std::int32_t> trained;
  for (const auto& row : table.rows)
    if (row.split == Split::train) trained.insert(row.place);
  CHECK(log.id_column("item").rows == static_cast<int>(trained.size()) + 1);

  const auto all = impressions(log);
  std::size_t next = 0;
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    for (std::size_t row = table.begin[user] + 3; row < table.begin[user + 1]; ++row) {
      const auto& target = table.rows[row];
      if (!trained.contains(target.place)) continue;
      REQUIRE(next < all.size());
      const auto& samples = all[next++];
      CHECK(samples.size() == 5);
      std::set<std::int32_t> items;
      for (const std::size_t i : samples) {
        items.insert(log.id_column("item").values[i]);
        CHECK(log.first[i] == table.begin[user]);
        CHECK(log.last[i] == row);
        CHECK(log.split[i] == target.split);
        CHECK(log.at.time[i] == target.local);
        CHECK(log.at.hour[i] == chronotope::calendar_fields(target.local).hour);
        // Where the request was made is known from the row before, never from the target.
        const auto& before = table.rows[row - 1];
        CHECK(log.at.geohash[i] == chronotope::pack_geohash6(chronotope::geohash(before.latitude, before.longitude)));
      }
      CHECK(items.size() == 5);
      CHECK(!items.contains(0));
      CHECK(*log.id_column("item").values.begin() > 0);
      const auto rank = std::distance(trained.begin(), trained.find(target.place)) + 1;
      CHECK(log.id_column("item").values[samples.front()] == rank);
    }
  }
  CHECK(next == all.size());
}

TEST_CASE("data: check-ins as clicks know training rows only") {
  // u2 and its place, category and cell appear in test only; the last row of u1 is at a place unknown in training.
  std::string rows = "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name\n";
  for (int i = 0; i < 4; ++i) rows += "u1,a,10,20," + std::to_string(1000 + i) + ",train,x\n";
  rows += "u1,b,10.01,20,1004,train,y\nu1,c,50,60,1005,test,z\nu1,a,10,20,1006,test,x\n";
  for (int i = 0; i < 4; ++i) rows += "u2,a,10,20," + std::to_string(2000 + i) + ",test,x\n";
  chronotope::CheckinClicksOptions options;
  options.negatives = 1;
  const ClickLog log = chronotope::checkins_as_clicks(scratch::read_text(rows), options);
  CHECK(log.size() == 8);  // rows 4, 5 and 7 of u1, row 4 of u2, one negative each
  CHECK(log.id_column("user").rows == 2);
  CHECK(log.id_column("item").rows == 3);
  CHECK(log.id_column("category").rows == 3);
  CHECK(log.id_column("geohash").rows == 3);
  const auto user = log.id_column("user").values, item = log.id_column("item").values;
  CHECK(std::vector(user.begin(), user.end()) == std::vector<std::int32_t>{1, 1, 1, 1, 1, 1, 0, 0});
  CHECK(std::vector(item.begin(), item.end()) == std::vector<std::int32_t>{1, 2, 2, 1, 1, 2, 1, 2});
  CHECK(log.behaviours.ids[0].values[5] == 0);
  CHECK(log.behaviours.ids[1].values[5] == 0);
  CHECK(log.behaviours.ids[2].values[5] == 0);
  CHECK(log.id_column("request_geohash").values[4] == 0);  // the row before was at the unknown place
  CHECK(log.numbers[0].values[0] == 0);
  CHECK(log.numbers[0].values[1] == doctest::Approx(std::log1p(1.1119508)));
  CHECK(log.numbers[1].values[0] == doctest::Approx(std::log1p(4.) / 5));
}

TEST_CASE("data: what is shown follows seed, popularity and distance") {
  const CheckinTable table = city();
  chronotope::CheckinClicksOptions options;
  const ClickLog log = chronotope::checkins_as_clicks(table, options),
                 again = chronotope::checkins_as_clicks(table, options);
  CHECK(small_clicks::same(log, again));
  options.seed = 2;
  const ClickLog other = chronotope::checkins_as_clicks(table, options);
  CHECK(small_clicks::same(log.at, other.at));
  CHECK(!small_clicks::same(log.ids, other.ids));
  const auto mean_distance = [](const ClickLog& of) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < of.size(); ++i)
      if (!of.click[i]) sum += of.numbers[0].values[i], ++count;
    return sum / count;
  };
  options.decay_km = .3;
  CHECK(mean_distance(chronotope::checkins_as_clicks(table, options)) < .8 * mean_distance(log));
  options.decay_km = 2;
  options.nearby = 5;  // always the same five, less the click
  CHECK(chronotope::checkins_as_clicks(table, options).size() <= log.size());
  options.negatives = 0;
  options.nearby = 1;
  const ClickLog clicks = chronotope::checkins_as_clicks(table, options);
  CHECK(std::count(clicks.click.begin(), clicks.click.end(), 0) == 0);
}

TEST_CASE("data: draws have the frequencies of their weights") {
  // Two places at the same spot as the user, one three times as popular: shown three times as often.
  std::string rows = "user_id,poi_id,latitude,longitude,utc_timestamp,split\n";
  for (int i = 0; i < 1500; ++i) rows += "u,p,10,20," + std::to_string(10'000 + i) + ",train\n";
  for (int i = 0; i < 300; ++i) rows += "v,q,10,20," + std::to_string(10'000 + i) + ",train\n";
  for (int i = 0; i < 100; ++i) rows += "v,r,10,20," + std::to_string(20'000 + i) + ",train\n";
  chronotope::CheckinClicksOptions options;
  options.negatives = 1;
  const ClickLog log = chronotope::checkins_as_clicks(scratch::read_text(rows), options);
  int q = 0, r = 0;
  for (std::size_t i = 1; i < 2 * 1497; i += 2) (log.id_column("item").values[i] == 2 ? q : r) += 1;
  CHECK(q + r == 1497);
  CHECK(std::abs(q / 1497. - .75) < 4 * std::sqrt(.75 * .25 / 1497));
}

TEST_CASE("data: wall clocks that go back, and options out of range") {
  std::string rows = "user_id,poi_id,latitude,longitude,utc_timestamp,split,timezone_offset_minutes\n";
  for (const char* row :
       {"10000,train,540", "20000,train,-300", "30000,train,540", "40000,train,-300", "90000,train,-300"})
    rows += std::string("u,p,1,2,") + row + "\n";
  const ClickLog log = chronotope::checkins_as_clicks(scratch::read_text(rows));
  const auto time = log.behaviours.at.time;
  CHECK(std::vector(time.begin(), time.end()) == std::vector<std::int64_t>{42400, 42400, 62400, 62400, 72000});
  CHECK(log.behaviours.at.hour[1] == 0);  // 20000 s less five hours
  chronotope::CheckinClicksOptions bad;
  bad.nearby = 4;
  const CheckinTable table = city();
  CHECK(scratch::error_of([&] { chronotope::checkins_as_clicks(table, bad); }).starts_with("ConfigError: "));
  bad = {};
  bad.decay_km = 0;
  CHECK(scratch::error_of([&] { chronotope::checkins_as_clicks(table, bad); }).find("decay_km") != std::string::npos);
  CHECK(scratch::error_of([] { chronotope::checkins_as_clicks({}); }).starts_with("DataError: "));
  const CheckinTable few = scratch::read_text(scratch::small_header + "u,p,1,2,1000,train\n");
  CHECK(scratch::error_of([&] { chronotope::checkins_as_clicks(few); }).find("three earlier") != std::string::npos);
}
