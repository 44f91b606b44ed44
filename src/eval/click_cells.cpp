#include "eval/click_cells.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "chronotope/core/error.hpp"

namespace chronotope::counting {
namespace {

constexpr std::uint32_t powers = 16;  // 0, 1, 2 to 3, 4 to 7, … , 16,384 and more

std::uint32_t power(std::uint64_t n) { return std::min<std::uint32_t>(static_cast<std::uint32_t>(std::bit_width(n)), powers - 1); }

/// How often each id stands in a stretch of the behaviours. Moving costs what the stretches do not share.
class Stretch {
 public:
  explicit Stretch(const IdColumn& column) : values_(column.values), count_(static_cast<std::size_t>(column.rows)) {}

  void move(std::uint64_t first, std::uint64_t last) {
    if (first >= last_ || last <= first_) {  // nothing in common
      add(first_, last_, -1);
      first_ = last_ = first;
    }
    if (first < first_) add(first, first_, 1);
    else add(first_, first, -1);
    if (last > last_) add(last_, last, 1);
    else add(last, last_, -1);
    first_ = first, last_ = last;
  }
  std::uint64_t of(std::int32_t id) const { return static_cast<std::uint64_t>(count_[static_cast<std::size_t>(id)]); }

 private:
  void add(std::uint64_t first, std::uint64_t last, std::int64_t n) {
    for (std::uint64_t j = first; j < last; ++j) count_[static_cast<std::size_t>(values_[j])] += n;
  }

  std::span<const std::int32_t> values_;
  std::vector<std::int64_t> count_;
  std::uint64_t first_ = 0, last_ = 0;
};

const IdColumn& behaviour_column(const ClickLog& log, const std::string& name) {
  for (const IdColumn& c : log.behaviours.ids)
    if (c.name == name) return c;
  throw DataError("click counters: the behaviours have no id column \"" + name + "\"; every log needs it");
}

Cells by_id(const IdColumn& column, std::span<const std::uint64_t> rows, const std::string& name) {
  Cells cells{name, static_cast<std::size_t>(column.rows), 0, {}};
  for (const std::size_t i : rows) cells.of_row.push_back(static_cast<std::uint32_t>(column.values[i]));
  return cells;
}

Cells by_hour(const ClickLog& log, const Cells& category, std::span<const std::uint64_t> rows) {
  if (category.count > std::numeric_limits<std::uint32_t>::max() / 24)
    throw DataError("click counters: " + std::to_string(category.count) + " categories; at most 178,956,970 can be counted by hour");
  Cells cells{"hour_category_rate", category.count * 24, 24, {}};
  for (std::size_t n = 0; n < rows.size(); ++n) cells.of_row.push_back(category.of_row[n] * 24 + log.at.hour[rows[n]]);
  return cells;
}

Cells by_affinity(const ClickLog& log, const std::string& column, std::span<const std::uint64_t> rows) {
  const IdColumn& candidates = log.id_column(column);
  Stretch stretch(behaviour_column(log, column));
  Cells cells{column + "_affinity", powers * powers, 0, {}};
  for (const std::size_t i : rows) {
    stretch.move(log.first[i], log.last[i]);
    cells.of_row.push_back(power(log.last[i] - log.first[i]) * powers + power(stretch.of(candidates.values[i])));
  }
  return cells;
}

Cells by_number(const NumberColumn& column, std::span<const std::uint64_t> rows, const std::vector<float>& bounds) {
  Cells cells{column.name + "_rate", bounds.size() + 1, 0, {}};
  for (const std::size_t i : rows)
    cells.of_row.push_back(static_cast<std::uint32_t>(std::upper_bound(bounds.begin(), bounds.end(), column.values[i]) - bounds.begin()));
  return cells;
}

}  // namespace

std::vector<std::vector<float>> number_bounds(const ClickLog& log, std::span<const std::uint64_t> rows, std::size_t parts) {
  constexpr std::size_t most = 100'000;
  const std::size_t stride = (rows.size() + most - 1) / most;
  std::vector<std::vector<float>> bounds;
  for (const NumberColumn& column : log.numbers) {
    std::vector<float> values, bound;
    for (std::size_t n = 0; n < rows.size(); n += stride) values.push_back(column.values[rows[n]]);
    std::sort(values.begin(), values.end());
    for (std::size_t p = 1; p < parts; ++p) {
      const float value = values[p * values.size() / parts];
      if (value > values.front() && (bound.empty() || value > bound.back())) bound.push_back(value);
    }
    bounds.push_back(std::move(bound));
  }
  return bounds;
}

std::vector<Cells> cells_of(const ClickLog& log, std::span<const std::uint64_t> rows, const std::vector<std::vector<float>>& bounds) {
  if (log.numbers.size() != bounds.size())
    throw DataError("click counters: " + std::to_string(log.numbers.size()) + " number columns where " + std::to_string(bounds.size()) +
                    " were counted; score the log they were fitted on, or one of the same columns");
  std::vector<Cells> all;
  all.push_back(by_id(log.id_column("item"), rows, "item_rate"));
  all.push_back(by_id(log.id_column("user"), rows, "user_rate"));
  all.push_back(by_id(log.id_column("category"), rows, "category_rate"));
  all.push_back(by_hour(log, all.back(), rows));
  all.push_back(by_affinity(log, "category", rows));
  all.push_back(by_affinity(log, "item", rows));
  for (std::size_t c = 0; c < log.numbers.size(); ++c) all.push_back(by_number(log.numbers[c], rows, bounds[c]));
  return all;
}

}  // namespace chronotope::counting
