#include "chronotope/train/histories.hpp"

#include <algorithm>
#include <numeric>

#include "chronotope/core/error.hpp"
#include "chronotope/core/shuffle.hpp"
#include "chronotope/data/calendar.hpp"

namespace chronotope {
namespace {

void set_context(Action& action, const Action& source) {
  action.when = source.when;
  action.utc = source.utc;
  action.local = source.local;
}

}  // namespace

PlaceTokenizer make_tokenizer(const CheckinTable& table, GeoCells cells, std::int32_t geo_table_rows) {
  std::vector<const Checkin*> first(table.places.size(), nullptr);
  for (const Checkin& row : table.rows)
    if (row.split == Split::train && !first[static_cast<std::size_t>(row.place)]) first[static_cast<std::size_t>(row.place)] = &row;
  std::vector<Place> places;
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i]) places.push_back({table.places[i], table.categories[static_cast<std::size_t>(first[i]->category)], first[i]->latitude, first[i]->longitude});
  if (places.empty()) throw DataError("the data has no row with split \"train\": there is nothing to learn from");
  return PlaceTokenizer(std::move(places), cells, geo_table_rows);
}

Visit make_visit(const Checkin& row, const CheckinTable& table) {
  return {table.places[static_cast<std::size_t>(row.place)], table.categories[static_cast<std::size_t>(row.category)],
          row.latitude, row.longitude, row.utc, row.local};
}

Action make_action(const Visit& visit, const PlaceTokenizer& tokenizer) {
  const CalendarFields when = calendar_fields(visit.local);
  Action action;
  action.place = tokenizer.place_token(visit.place);
  action.category = tokenizer.category_token(visit.category);
  action.when = {when.month, when.day, when.weekday, when.hour};
  action.where = tokenizer.geo_rows(visit.latitude, visit.longitude);
  action.latitude = static_cast<float>(visit.latitude);
  action.longitude = static_cast<float>(visit.longitude);
  action.utc = visit.utc;
  action.local = visit.local;
  return action;
}

Histories::Histories(const CheckinTable& table, const PlaceTokenizer& tokenizer) : begin(table.begin) {
  actions.reserve(table.rows.size());
  for (const Checkin& row : table.rows) {
    actions.push_back(make_action(make_visit(row, table), tokenizer));
    split.push_back(row.split);
    target.push_back(row.target);
  }
}

std::vector<Window> training_windows(const Histories& h, std::int64_t length, std::uint64_t seed, std::uint64_t epoch) {
  const auto L = static_cast<std::size_t>(length);
  std::vector<Window> windows;
  for (std::size_t user = 0; user < h.users(); ++user) {
    // Rows are in time order and splits are cut by time, so the training rows lead.
    const std::size_t first = h.begin[user];
    std::size_t last = first;
    while (last < h.begin[user + 1] && h.split[last] == Split::train) ++last;
    if (last - first < 2) continue;
    const std::size_t offset = last - first > L && L > 1 ? draw_below(seed, epoch, user, std::max<std::size_t>(L / 2, 1)) : 0;
    std::size_t start = first;
    while (start < last) {
      const std::size_t step = start == first ? L - offset : std::max<std::size_t>(L / 2, 1);
      const std::size_t end = std::min(last, start + step);
      windows.push_back({std::max(first + L, end) - L, end, start == first ? first + 1 : start});
      start = end;
    }
  }
  shuffle(windows, ~seed, epoch);  // not the stream of the cuts
  return windows;
}

std::vector<Window> evaluation_windows(const Histories& h, std::int64_t length, Split split) {
  const auto L = static_cast<std::size_t>(length);
  std::vector<Window> windows;
  for (std::size_t user = 0; user < h.users(); ++user)
    for (std::size_t row = h.begin[user]; row < h.begin[user + 1]; ++row)
      if (h.split[row] == split && h.target[row]) windows.push_back({std::max(h.begin[user] + L, row + 1) - L, row + 1, row});
  return windows;
}

ActionBatch make_batch(const Histories& h, std::span<const Window> windows, bool target_time) {
  ActionBatch batch;
  for (const Window& w : windows) {
    const std::size_t kept = batch.selected.size(), offset = batch.actions.size();
    for (std::size_t row = w.first_target; row < w.end; ++row) {
      if (h.actions[row].place == 0) continue;
      batch.selected.push_back(static_cast<std::int32_t>(offset + row - w.begin));
      batch.target.push_back(h.actions[row].place);
    }
    if (batch.selected.size() == kept) continue;
    batch.lengths.push_back(static_cast<std::int32_t>(w.end - w.begin));
    batch.actions.insert(batch.actions.end(), h.actions.begin() + static_cast<std::ptrdiff_t>(w.begin), h.actions.begin() + static_cast<std::ptrdiff_t>(w.end));
    if (target_time) continue;
    const std::size_t first = *(std::upper_bound(h.begin.begin(), h.begin.end(), w.begin) - 1);  // the user's first row
    for (std::size_t row = w.begin; row < w.end; ++row)
      set_context(batch.actions[offset + row - w.begin], row > first ? h.actions[row - 1] : Action{});
  }
  return batch;
}

ActionBatch make_query(std::span<const Action> history, const Action& asked, std::int64_t length, bool target_time) {
  const std::size_t used = std::min(history.size(), static_cast<std::size_t>(length - 1));
  const std::size_t first = history.size() - used;
  ActionBatch batch;
  batch.actions.assign(history.begin() + static_cast<std::ptrdiff_t>(first), history.end());
  batch.actions.push_back(asked);
  batch.lengths = {static_cast<std::int32_t>(used + 1)};
  batch.selected = {static_cast<std::int32_t>(used)};
  batch.target = {0};
  if (target_time) return batch;
  for (std::size_t i = 0; i <= used; ++i) set_context(batch.actions[i], first + i > 0 ? history[first + i - 1] : Action{});
  return batch;
}

}  // namespace chronotope
