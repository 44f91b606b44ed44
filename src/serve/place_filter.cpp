#include "chronotope/serve/place_filter.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_set>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "data/csv.hpp"

namespace chronotope {
namespace {

constexpr std::int32_t day_minutes = 24 * 60, week_minutes = 7 * day_minutes;
constexpr const char* weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

[[noreturn]] void refuse(const CsvReader& csv, std::size_t column, const std::string& wanted) {
  throw DataError(csv.place(column) + wanted + ", found " + shown(csv.field(column)));
}

std::optional<int> weekday(std::string_view name) {
  for (int day = 0; day < 7; ++day)
    if (name == weekdays[day]) return day;
  return {};
}

/// First and last day, which may lie before the first: "sat-mon".
std::pair<int, int> day_range(const CsvReader& csv, std::size_t column) {
  const std::string_view text = csv.field(column);
  const std::size_t dash = text.find('-');
  const auto first = weekday(text.substr(0, dash)), last = dash == std::string_view::npos ? first : weekday(text.substr(dash + 1));
  if (!first || !last) refuse(csv, column, "weekdays must be such as mon, sat or mon-fri");
  return {*first, *last < *first ? *last + 7 : *last};
}

std::int32_t clock_minutes(const CsvReader& csv, std::size_t column) {
  const std::string_view text = csv.field(column);
  const std::size_t colon = text.find(':');
  const auto number = [](std::string_view digits) { return digits.size() == 1 || digits.size() == 2 ? std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) ? std::stoi(std::string(digits)) : -1 : -1; };
  const int hour = colon == std::string_view::npos ? -1 : number(text.substr(0, colon)), minute = colon == std::string_view::npos ? -1 : number(text.substr(colon + 1));
  if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > day_minutes) refuse(csv, column, "a time must be such as 8:30, up to 24:00");
  return hour * 60 + minute;
}

std::size_t column_of(const CsvReader& csv, const std::string& name) {
  const auto found = std::find(csv.header().begin(), csv.header().end(), name);
  if (found == csv.header().end()) throw FormatError(csv.path() + ": has no column \"" + name + "\"; opening hours have place, weekdays, from and to");
  return static_cast<std::size_t>(found - csv.header().begin());
}

void check_position(const GeoPosition& at) {
  if (!(std::abs(at.latitude) <= 90 && std::abs(at.longitude) <= 180)) throw DataError("a limit lies nowhere on earth: " + std::to_string(at.latitude) + ", " + std::to_string(at.longitude));
}

/// Degrees of longitude from a to b, the shorter way.
double eastward(double a, double b) { return std::remainder(b - a, 360.0); }

}  // namespace

OpeningHours OpeningHours::read(const std::string& path) {
  CsvReader csv(path);
  const std::size_t place = column_of(csv, "place"), days = column_of(csv, "weekdays"), from = column_of(csv, "from"), to = column_of(csv, "to");
  OpeningHours hours;
  while (csv.next()) {
    if (csv.field(place).empty()) refuse(csv, place, "a place is needed");
    const auto [first, last] = day_range(csv, days);
    const std::int32_t begins = clock_minutes(csv, from), ends = clock_minutes(csv, to);
    auto& spans = hours.spans_[std::string(csv.field(place))];
    for (int day = first; day <= last; ++day) spans.push_back({day % 7 * day_minutes + begins, day % 7 * day_minutes + (ends > begins ? ends : ends + day_minutes)});
  }
  return hours;
}

bool OpeningHours::open(std::string_view place, std::int64_t local) const {
  const auto found = spans_.find(std::string(place));
  if (found == spans_.end()) return true;
  const CalendarFields when = calendar_fields(local);
  const std::int32_t now = when.weekday * day_minutes + static_cast<std::int32_t>(((local % 86400 + 86400) % 86400) / 60);
  return std::any_of(found->second.begin(), found->second.end(), [&](const Span& s) { return (now >= s.from && now < s.to) || (now + week_minutes >= s.from && now + week_minutes < s.to); });
}

bool inside(std::span<const GeoPosition> polygon, const GeoPosition& at) {
  bool in = false;  // edges crossed by the meridian north of the point: even and odd
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const GeoPosition &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    const double east_a = eastward(at.longitude, a.longitude), east_b = east_a + eastward(a.longitude, b.longitude);
    if ((east_a > 0) == (east_b > 0)) continue;
    if (a.latitude + (b.latitude - a.latitude) * (0 - east_a) / (east_b - east_a) > at.latitude) in = !in;
  }
  return in;
}

PlaceLimits make_limits(const PlaceCatalogue& places, const PlaceFilter& filter) {
  PlaceLimits limits;
  if (!filter.polygon.empty() && filter.polygon.size() < 3) throw ConfigError("a polygon has at least three corners");
  for (const GeoPosition& corner : filter.polygon) check_position(corner);
  if (filter.within) {
    check_position(filter.within->centre);
    if (!(filter.within->km > 0)) throw ConfigError("a radius must be above 0 km");
    if (places.codes() == PlaceCodes::hierarchical) {
      auto near = std::make_shared<std::unordered_set<std::uint32_t>>();
      for (const NearBlock& block : places.index().blocks_near(filter.within->centre.latitude, filter.within->centre.longitude, filter.within->km)) near->insert(block.block);
      limits.block = [near](std::uint32_t block) { return near->contains(block); };
    }
  }
  const auto excluded = std::make_shared<std::unordered_set<std::uint32_t>>(filter.excluded.begin(), filter.excluded.end());
  limits.place = [&places, &filter, excluded](std::uint32_t number) {
    if (excluded->contains(number)) return false;
    const auto place = places.place(number);
    if (!place) return false;
    const GeoPosition at{place->latitude, place->longitude};
    if (filter.within && distance_km(filter.within->centre.latitude, filter.within->centre.longitude, at.latitude, at.longitude) > filter.within->km) return false;
    if (!filter.polygon.empty() && !inside(filter.polygon, at)) return false;
    if (!filter.categories.empty() && std::find(filter.categories.begin(), filter.categories.end(), place->category) == filter.categories.end()) return false;
    return !filter.hours || filter.hours->open(place->id, filter.open_at);
  };
  return limits;
}

}  // namespace chronotope
