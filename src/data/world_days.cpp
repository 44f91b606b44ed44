#include "world_days.hpp"

#include <algorithm>

namespace chronotope::world {
namespace {

constexpr int most_a_day = 8;
constexpr std::int64_t day_seconds = 86'400, least_gap = 120;

struct Draft {
  int second;
  bool request;
};

// From .4 to 2.2 times the mean, few people far above it. Steps of the golden ratio spread the people evenly over that
// range, so that even a small world has the mean that was asked for.
int count_of(int mean, std::uint32_t user) {
  const std::int64_t u = (user + 1) * std::int64_t{618} % 1001;
  const std::int64_t per_mille = 400 + 1800 * u * u / 1'000'000;
  return static_cast<int>((mean * per_mille + 500) / 1000);
}

// People do much for a few days in a row, then little for a while; and more around a trip.
std::vector<int> draw_days(const WorldOptions& o, const Traits& traits, int left, Random& random) {
  std::vector<int> counts(static_cast<std::size_t>(o.days), 0);
  const auto add = [&](int day, int more) {
    more = std::min({more, left, most_a_day - counts[day]});
    counts[day] += more;
    left -= more;
  };
  for (const Trip& trip : traits.trips)
    for (int day = trip.first_day - days_before_trip; day <= trip.last_day; ++day)
      if (random.chance(60)) add(day, 1 + random.below(3));
  while (left > 0) {
    const int start = random.below(o.days), length = 1 + random.below(6);
    for (int day = start; day < std::min(start + length, o.days) && left > 0; ++day) add(day, 1 + random.below(4));
  }
  return counts;
}

int draw_second(const Traits& traits, bool weekend, Random& random) {
  std::vector<std::int64_t> weights(24);
  for (int hour = 0; hour < 24; ++hour) weights[(hour + traits.lateness + 24) % 24] = invented::awake(weekend)[hour];
  const int hour = random.pick(weights);
  return hour * 3600 + random.below(3600);
}

// One thing leads to another within two hours.
std::vector<Draft> draw_day(const Traits& traits, int actions, int requests, bool weekend, Random& random) {
  std::vector<Draft> all;
  for (int i = 0; i < actions + requests; ++i) {
    const bool follows = i > 0 && random.chance(55);
    int second = follows ? all.back().second + 900 + random.below(6300) : draw_second(traits, weekend, random);
    second = std::min<int>(second, day_seconds - 1);
    all.push_back({second, false});
  }
  for (int i = 0; i < requests; ++i) {  // any of those that are still actions
    int which = random.below(actions + requests - i);
    for (Draft& draft : all)
      if (!draft.request && which-- == 0) {
        draft.request = true;
        break;
      }
  }
  std::stable_sort(all.begin(), all.end(), [](const Draft& a, const Draft& b) { return a.second < b.second; });
  return all;
}

Moment moment_at(std::int64_t utc, int day, int offset_minutes) {
  const std::int64_t since = utc + 60 * offset_minutes - invented::first_day;
  const int hour = static_cast<int>(since % day_seconds / 3600);
  Moment moment;
  moment.utc = utc;
  moment.day = day;
  moment.part = invented::day_part(hour);
  moment.weekday = static_cast<int>(since / day_seconds % 7);
  moment.weekend = moment.weekday >= 5;
  return moment;
}

}  // namespace

std::vector<Event> draw_events(const Map& map, const WorldOptions& o, const Traits& traits, const Walk& walk,
                               std::uint32_t user, Random& random) {
  const std::vector<int> counts = draw_days(o, traits, std::max(1, count_of(o.actions_per_user, user)), random);
  std::vector<int> requests(counts.size(), 0);
  if (!traits.robot)
    for (int left = count_of(o.requests_per_user, user + 500); left > 0; --left) ++requests[random.below(o.days)];
  std::vector<Event> events;
  std::int64_t latest = 0;
  for (int day = 0; day < o.days; ++day) {
    const int offset = map.offset_minutes(walk.city_on(day));
    for (const Draft& draft : draw_day(traits, counts[day], requests[day], day % 7 >= 5, random)) {
      const std::int64_t utc = invented::first_day + day * day_seconds + draft.second - 60 * offset;
      latest = std::max(utc, latest + least_gap);
      events.push_back({moment_at(latest, day, offset), draft.request});
    }
  }
  return events;
}

}  // namespace chronotope::world
