#include "checkin_builder.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {

std::int32_t Interner::add(std::string_view text) {
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  if (texts_.size() >= std::numeric_limits<std::int32_t>::max())
    throw DataError("more than 2,147,483,647 different ids in a column; split the data set");
  const auto number = static_cast<std::int32_t>(texts_.size());
  numbers_.emplace(texts_.emplace_back(text), number);
  return number;
}

std::vector<std::string> Interner::take_sorted(std::vector<std::int32_t>& rank) {
  std::vector<std::int32_t> order(texts_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return texts_[a] < texts_[b]; });
  rank.resize(order.size());
  numbers_.clear();
  std::vector<std::string> sorted;
  sorted.reserve(order.size());
  for (const std::int32_t number : order) {
    rank[number] = static_cast<std::int32_t>(sorted.size());
    sorted.push_back(std::move(texts_[number]));
  }
  texts_.clear();
  return sorted;
}

CheckinBuilder::CheckinBuilder() { categories.add(""); }

CheckinTable CheckinBuilder::build() {
  CheckinTable table;
  std::vector<std::int32_t> user_rank, place_rank, category_rank;
  table.users = users.take_sorted(user_rank);
  table.places = places.take_sorted(place_rank);
  table.categories = categories.take_sorted(category_rank);

  table.begin.assign(table.users.size() + 1, 0);
  for (const Draft& draft : rows) ++table.begin[user_rank[draft.user] + 1];
  std::partial_sum(table.begin.begin(), table.begin.end(), table.begin.begin());

  // A counting sort: stable, so the time order within a user stays.
  std::vector<std::size_t> next(table.begin.begin(), table.begin.end() - 1);
  table.rows.resize(rows.size());
  for (const Draft& draft : rows) {
    Checkin& row = table.rows[next[user_rank[draft.user]]++] = draft.checkin;
    row.place = place_rank[row.place];
    row.category = category_rank[row.category];
    row.trajectory = draft.starts_trajectory;
  }
  std::vector<Draft>().swap(rows);
  std::int32_t trajectory = -1;
  for (Checkin& row : table.rows) row.trajectory = trajectory += row.trajectory;
  return table;
}

void mark_default_targets(CheckinTable& table) {
  const auto& rows = table.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool first = i == 0 || rows[i - 1].trajectory != rows[i].trajectory;
    const bool last = i + 1 == rows.size() || rows[i + 1].trajectory != rows[i].trajectory;
    table.rows[i].target = rows[i].split == Split::train ? !first : last;
  }
}

}  // namespace chronotope
