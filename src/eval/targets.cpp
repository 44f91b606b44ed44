#include "chronotope/eval/targets.hpp"

#include <algorithm>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

// Tables can be built by hand; every later index relies on these rules.
void check(const CheckinTable& table) {
  const auto& begin = table.begin;
  if (begin.size() != table.users.size() + 1 || begin.front() != 0 || begin.back() != table.rows.size() ||
      !std::is_sorted(begin.begin(), begin.end()))
    throw DataError("check-in table: begin [" + std::to_string(begin.size()) + "] must rise from 0 to the " +
                    std::to_string(table.rows.size()) + " rows in " + std::to_string(table.users.size()) +
                    " steps, one a user");
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const std::int32_t place = table.rows[row].place;
    if (place < 0 || static_cast<std::size_t>(place) >= table.places.size())
      throw DataError("check-in table: row " + std::to_string(row) + " is at place " + std::to_string(place) +
                      "; there are " + std::to_string(table.places.size()) + " places");
  }
}

}  // namespace

std::vector<EvalTarget> evaluation_targets(const CheckinTable& table, Split split) {
  check(table);
  std::vector<EvalTarget> targets;
  std::vector<std::size_t> visitor(table.places.size(), table.users.size());  // last user seen at the place
  for (std::size_t user = 0; user < table.users.size(); ++user)
    for (std::size_t row = table.begin[user]; row < table.begin[user + 1]; ++row) {
      const Checkin& checkin = table.rows[row];
      std::size_t& last = visitor[static_cast<std::size_t>(checkin.place)];
      if (checkin.target && checkin.split == split) targets.push_back({user, row, last == user});
      last = user;
    }
  return targets;
}

std::span<const Checkin> allowed_history(const CheckinTable& table, const EvalTarget& target) {
  return table.history(target.user).first(target.row - table.begin[target.user]);
}

std::vector<std::uint8_t> training_places(const CheckinTable& table) {
  check(table);
  std::vector<std::uint8_t> candidate(table.places.size(), 0);
  for (const Checkin& row : table.rows)
    if (row.split == Split::train) candidate[static_cast<std::size_t>(row.place)] = 1;
  return candidate;
}

std::string_view split_name(Split split) {
  switch (split) {
    case Split::train: return "train";
    case Split::validation: return "validation";
    case Split::test: return "test";
  }
  return "unknown";
}

}  // namespace chronotope
