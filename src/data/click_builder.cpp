#include "chronotope/data/click_builder.hpp"

#include <utility>

#include "chronotope/data/calendar.hpp"

namespace chronotope {
namespace {

Moments view(const ClickColumns::Times& times) { return {times.time, times.hour, times.weekday, times.geohash}; }

std::vector<IdColumn> view(const std::vector<ClickColumns::Ids>& columns) {
  std::vector<IdColumn> out;
  for (const auto& c : columns) out.push_back({c.name, c.table, c.part, c.rows, c.values});
  return out;
}

std::vector<NumberColumn> view(const std::vector<ClickColumns::Numbers>& columns) {
  std::vector<NumberColumn> out;
  for (const auto& c : columns) out.push_back({c.name, c.part, c.values});
  return out;
}

}  // namespace

void ClickColumns::Times::add(std::int64_t wall_clock, int hour_of_day, int day_of_week, std::uint32_t packed_geohash) {
  time.push_back(wall_clock);
  hour.push_back(static_cast<std::uint8_t>(hour_of_day));
  weekday.push_back(static_cast<std::uint8_t>(day_of_week));
  geohash.push_back(packed_geohash);
}

void ClickColumns::Times::add(std::int64_t wall_clock, std::uint32_t packed_geohash) {
  const CalendarFields fields = calendar_fields(wall_clock);
  add(wall_clock, fields.hour, fields.weekday, packed_geohash);
}

ClickLog view_click_columns(const ClickColumns& c) {
  ClickLog log;
  log.click = c.click;
  log.conversion = c.conversion;
  log.split = c.split;
  log.at = view(c.at);
  log.ids = view(c.ids);
  log.numbers = view(c.numbers);
  log.first = c.first;
  log.last = c.last;
  log.behaviours = {view(c.behaviours_at), view(c.behaviour_ids), view(c.behaviour_numbers)};
  log.semi_synthetic = c.semi_synthetic;
  return log;
}

ClickLog make_click_log(ClickColumns columns) {
  const auto owned = std::make_shared<const ClickColumns>(std::move(columns));
  ClickLog log = view_click_columns(*owned);
  log.memory = owned;
  check_click_log(log);
  return log;
}

}  // namespace chronotope
