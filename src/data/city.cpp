#include "chronotope/data/city.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "checkin_builder.hpp"
#include "chronotope/core/error.hpp"
#include "city_model.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t day_seconds = 86400;
using invented::first_day;
constexpr int most_a_day = 6;

template <class Number> void check(const char* name, Number value, Number least, Number most) {
  if (value >= least && value <= most) return;  // so that NaN fails
  throw ConfigError("generate_city: " + std::string(name) + " = " + std::to_string(value) +
                    " is out of range: " + std::to_string(least) + " to " + std::to_string(most));
}

void check(const CityOptions& o) {
  check("users", o.users, 1, 100'000);
  check("places", o.places, 50, 100'000);
  check("days", o.days, 14, 3650);
  check("checkins_per_user", o.checkins_per_user, 5, o.days);
  check("latitude", o.latitude, -80.0, 80.0);
  check("longitude", o.longitude, -179.0, 179.0);
  check("utc_offset_minutes", o.utc_offset_minutes, -1080, 1080);
}

// Between a quarter and two and a half times the mean, few people far above it. Steps of the golden ratio spread the
// people evenly over that range, so that even a small city has the mean that was asked for.
int count_of(const CityOptions& options, int number) {
  const std::int64_t u = (number + 1) * std::int64_t{618} % 1001;
  const std::int64_t per_mille = 250 + 2250 * u * u / 1'000'000;
  return static_cast<int>(std::max<std::int64_t>(3, options.checkins_per_user * per_mille / 1000));
}

// Check-ins of each day: people check in for a few days in a row, then forget about it for a while.
std::vector<int> draw_days(const CityOptions& options, int number, city::Random& random) {
  std::vector<int> counts(static_cast<std::size_t>(options.days), 0);
  for (int left = count_of(options, number); left > 0;) {
    const int start = random.below(options.days), length = 1 + random.below(6);
    for (int day = start; day < std::min(start + length, options.days) && left > 0; ++day) {
      const int more = std::min({1 + random.below(4), left, most_a_day - counts[day]});
      counts[day] += more;
      left -= more;
    }
  }
  return counts;
}

std::vector<int> draw_seconds(int count, bool weekend, city::Person& person) {
  std::vector<int> seconds(static_cast<std::size_t>(count));
  for (int& second : seconds) {
    second = person.draw_hour(weekend) * 3600;
    second += person.random().below(3600);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

void add_person(const CityOptions& options, const city::Map& map, int number, CheckinBuilder& builder) {
  city::Person person(map, options.seed, number);
  char id[16];
  std::snprintf(id, sizeof id, "u%04d", number + 1);
  const std::vector<int> counts = draw_days(options, number, person.random());
  std::int64_t latest = 0;
  for (int day = 0; day < options.days; ++day) {
    for (const int second : draw_seconds(counts[day], day % 7 >= 5, person)) {
      const int place = person.visit(day, second / 3600);
      Draft draft;
      draft.user = builder.users.add(id);
      draft.checkin.place = builder.places.add(map.place(place).id);
      draft.checkin.category = builder.categories.add(city::kinds()[map.place(place).kind].category);
      draft.checkin.latitude = map.latitude(place);
      draft.checkin.longitude = map.longitude(place);
      draft.checkin.local = first_day + day * day_seconds + second;
      draft.checkin.utc = draft.checkin.local - 60 * options.utc_offset_minutes;
      draft.starts_trajectory = draft.checkin.utc - latest > trajectory_gap;
      latest = draft.checkin.utc;
      builder.rows.push_back(draft);
    }
  }
}

// 80 % of all rows in order of time are train, the next 10 % validation.
void mark_splits(CheckinTable& table) {
  std::vector<std::size_t> order(table.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return table.rows[a].utc < table.rows[b].utc; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t tenth = i * 10 / order.size();
    table.rows[order[i]].split = tenth < 8 ? Split::train : tenth == 8 ? Split::validation : Split::test;
  }
}

// Outside train, targets must be of users and places that occur among the training samples.
void drop_unseen_targets(CheckinTable& table) {
  std::vector<bool> seen_user(table.users.size()), seen_place(table.places.size());
  for (const Split stage : {Split::train, Split::validation, Split::test}) {
    for (std::size_t user = 0; user < table.users.size(); ++user) {
      for (std::size_t i = table.begin[user]; i < table.begin[user + 1]; ++i) {
        Checkin& row = table.rows[i];
        if (row.split != stage || !row.target) continue;
        if (stage == Split::train) seen_user[user] = seen_place[row.place] = true;
        else row.target = seen_user[user] && seen_place[row.place];
      }
    }
  }
}

}  // namespace

CheckinTable generate_city(const CityOptions& options) {
  check(options);
  const city::Map map(options);
  CheckinBuilder builder;
  for (int number = 0; number < options.users; ++number) add_person(options, map, number, builder);
  CheckinTable table = builder.build();
  mark_splits(table);
  mark_default_targets(table);
  drop_unseen_targets(table);
  return table;
}

}  // namespace chronotope
