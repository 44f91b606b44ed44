// Check-ins as requests: semi-synthetic, nothing of the target seen but the click.
#include "chronotope/data/checkin_requests.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "chronotope/data/city.hpp"
#include "scratch.hpp"

using namespace chronotope;

namespace {

CheckinTable city() {
  CityOptions options;
  options.users = 30;
  options.places = 200;
  return generate_city(options);
}

std::vector<SemiSyntheticRequest> requests_of(const CheckinTable& table, const CheckinRequestOptions& options = {}) {
  std::vector<SemiSyntheticRequest> all;
  semi_synthetic_requests(table, options, [&](const SemiSyntheticRequest& r) { all.push_back(r); });
  return all;
}

}  // namespace

TEST_CASE("checkin requests: each check-in at a known place, from the fourth on, is one click") {
  const CheckinTable table = city();
  std::set<std::int32_t> known;
  for (const Checkin& row : table.rows)
    if (row.split == Split::train) known.insert(row.place);
  const auto all = requests_of(table);
  std::size_t at = 0, own = 0, others = 0, first_shown = 0;
  for (std::size_t user = 0; user < table.users.size(); ++user)
    for (std::size_t row = table.begin[user] + 3; row < table.begin[user + 1]; ++row) {
      const Checkin &visit = table.rows[row], &before = table.rows[row - 1];
      if (!known.contains(visit.place)) continue;
      REQUIRE(at < all.size());
      const LoggedRequest& r = all[at].request;
      CHECK(all[at].split == visit.split);
      CHECK(r.user == table.users[user]);
      CHECK(r.time == visit.utc);
      CHECK(r.offset == 60);
      CHECK(r.user_position == GeoPosition{before.latitude, before.longitude});
      CHECK(r.shown.size() == 11);
      std::set<std::string> places, earlier;
      for (std::size_t i = table.begin[user]; i < row; ++i) earlier.insert(table.places[table.rows[i].place]);
      for (const ShownPlace& shown : r.shown) {
        places.insert(shown.place);
        CHECK(shown.clicked == (shown.place == table.places[visit.place]));
        own += !shown.clicked && earlier.contains(shown.place);
        others += !shown.clicked;
      }
      first_shown += r.shown[0].clicked;
      CHECK(places.size() == r.shown.size());
      ++at;
    }
  CHECK(at == all.size());
  CHECK(own > others / 4);
  CHECK(own < others * 3 / 4);
  CHECK(first_shown > all.size() / 11 / 2);  // the order is drawn
  CHECK(first_shown < all.size() / 11 * 2);
}

TEST_CASE("checkin requests: the seed decides") {
  const CheckinTable table = city();
  CheckinRequestOptions options;
  options.seed = 2;
  const auto first = requests_of(table), again = requests_of(table), other = requests_of(table, options);
  REQUIRE(first.size() == other.size());
  std::size_t differ = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].request == again[i].request);
    differ += first[i].request != other[i].request;
  }
  CHECK(differ > first.size() * 9 / 10);
}

TEST_CASE("checkin requests: few places, and tables that give nothing") {
  const std::string few =
      "u,a,1,2,1000,train\nu,b,1,2,2000,train\nu,a,1,2,3000,train\nu,b,1,2,4000,test\nu,c,1,2,5000,test\n";
  const auto all = requests_of(scratch::read_text(scratch::small_header + few));
  REQUIRE(all.size() == 1);  // c is not known from training
  CHECK(all[0].request.shown.size() == 2);
  CHECK(all[0].split == Split::test);
  CHECK(scratch::error_of([] {
          requests_of(scratch::read_text(scratch::small_header + "u,a,1,2,1000,train\n"));
        }).starts_with("DataError: semi_synthetic_requests: no check-in at a place known"));
  CHECK(scratch::error_of([] {
          requests_of(scratch::read_text(scratch::small_header + "u,a,1,2,1000,test\n"));
        }).starts_with("DataError: semi_synthetic_requests: the table has no training rows"));
}

TEST_CASE("checkin requests: options out of range") {
  const CheckinTable table = city();
  const auto error_with = [&](void (*spoil)(CheckinRequestOptions&)) {
    CheckinRequestOptions options;
    spoil(options);
    return scratch::error_of([&] { requests_of(table, options); });
  };
  CHECK(error_with([](auto& o) { o.shown = 1; }) ==
        "ConfigError: semi_synthetic_requests: shown = 1 is out of range: 2 to 60");
  CHECK(error_with([](auto& o) { o.nearby = 10; }).find("nearby = 10") != std::string::npos);
  CHECK(error_with([](auto& o) { o.decay_km = 0; }).find("decay_km") != std::string::npos);
}
