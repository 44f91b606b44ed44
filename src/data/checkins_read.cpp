#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkin_builder.hpp"
#include "checkin_rules.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/data/checkins.hpp"
#include "csv_fields.hpp"

namespace chronotope {
namespace {

enum Column { user, place, latitude, longitude, utc, split, category, local, offset, target, trajectory, column_count };

// What is remembered of a user's latest row.
struct Latest {
  std::int64_t utc = 0;
  std::size_t row = 0;
  Split split = Split::train;
  std::string trajectory;
};

class CheckinFile {
 public:
  explicit CheckinFile(const std::string& path) : csv_(path) { find_columns(); }

  CheckinTable read() {
    while (csv_.next()) read_row();
    if (builder_.rows.empty())
      throw DataError(csv_.path() + ": no rows: there is only a header; add at least one check-in");
    CheckinTable table = builder_.build();
    if (!has(target)) mark_default_targets(table);
    return table;
  }

 private:
  bool has(Column column) const { return at_[column] != no_column; }
  std::string_view text(Column column) const { return csv_.field(at_[column]); }

  std::size_t find(std::string_view name) const { return find_column(csv_, name); }
  std::string_view required_text(Column column) const { return required_field(csv_, at_[column]); }
  template <class Number> std::optional<Number> parse(Column column) const {
    return parse_field<Number>(csv_, at_[column]);
  }

  [[noreturn]] void reject(Column column, const std::string& rule) const { reject_field(csv_, at_[column], rule); }

  std::size_t find_required(std::string_view name) const {
    const std::size_t found = find(name);
    if (found == no_column)
      throw FormatError(csv_.path() + ": row 1: the column " + std::string(name) +
                        " is missing; a check-in file needs user_id, poi_id, latitude, longitude, utc_timestamp and "
                        "split (docs/data.md)");
    return found;
  }

  void find_columns() {
    at_[user] = find_required("user_id");
    at_[place] = find_required("poi_id");
    at_[latitude] = find_required("latitude");
    at_[longitude] = find_required("longitude");
    at_[utc] = find_required("utc_timestamp");
    at_[split] = find_required("split");
    at_[category] = find("category_name");
    if (!has(category)) at_[category] = find("category_id");
    at_[local] = find("local_timestamp");
    at_[offset] = find("timezone_offset_minutes");
    at_[target] = find("target");
    at_[trajectory] = find("trajectory_id");
  }

  std::int64_t utc_time() const {
    const auto value = parse<std::int64_t>(utc);
    if (!value) reject(utc, "is not a whole number; write seconds since 1970-01-01 UTC");
    if (!is_utc_time(*value))
      reject(utc,
             "is out of range: seconds since 1970-01-01 UTC lie above 0 and before the year 2200 "
             "(milliseconds must be divided by 1000)");
    return *value;
  }

  std::int64_t local_time(std::int64_t utc_seconds) const {
    if (has(local)) {
      const auto value = parse<std::int64_t>(local);
      if (!value) reject(local, "is not a whole number; write the wall clock as seconds: utc_timestamp + 60 x offset");
      if (!is_local_time(*value, utc_seconds))
        reject(local, "is out of range: the wall clock is within 24 h of utc_timestamp " + std::to_string(utc_seconds));
      return *value;
    }
    if (!has(offset)) return utc_seconds;
    const auto value = parse<std::int64_t>(offset);
    if (!value) reject(offset, "is not a whole number; write local time minus UTC in minutes");
    if (*value < -most_offset / 60 || *value > most_offset / 60)
      reject(offset, "is out of range: the minutes lie between -1440 and 1440");
    return utc_seconds + 60 * *value;
  }

  Split split_word() const {
    const std::string_view word = required_text(split);
    if (word == "train") return Split::train;
    if (word == "validation") return Split::validation;
    if (word == "test") return Split::test;
    reject(split, "is not a split; write train, validation or test");
  }

  bool is_target() const {
    const std::string_view word = required_text(target);
    if (word != "0" && word != "1") reject(target, "is neither 0 nor 1; write 1 if the row is a sample of its split");
    return word == "1";
  }

  // Checks the order of times and splits within the user; true if the row begins a trajectory.
  bool follow_user(std::int32_t number, std::int64_t now, Split part) {
    const bool first = static_cast<std::size_t>(number) == latest_.size();
    if (first) latest_.emplace_back();
    Latest& latest = latest_[number];
    if (!first && now < latest.utc)
      reject(utc, "lies before " + std::to_string(latest.utc) + " of row " + std::to_string(latest.row) +
                      " of the same user " + shown(text(user)) + "; sort the rows of a user by time");
    if (part == Split::train && latest.split != Split::train)
      reject(split, "comes after row " + std::to_string(latest.row) + " of the same user " + shown(text(user)) +
                        ", which is no training row: splits are cut by time, with training rows first");
    const bool cut =
        has(trajectory) ? required_text(trajectory) != latest.trajectory : now - latest.utc > trajectory_gap;
    latest.utc = now;
    latest.split = part;
    latest.row = csv_.row();
    if (cut && has(trajectory)) latest.trajectory = text(trajectory);
    return first || cut;
  }

  void read_row() {
    if (builder_.rows.size() >= std::numeric_limits<std::int32_t>::max())
      throw DataError(csv_.place() + "more than 2,147,483,647 rows; split the file by user");
    Draft draft;
    Checkin& row = draft.checkin;
    draft.user = builder_.users.add(required_text(user));
    row.place = builder_.places.add(required_text(place));
    row.category = has(category) ? builder_.categories.add(text(category)) : 0;
    row.latitude = degrees_field(csv_, at_[latitude], most_latitude);
    row.longitude = degrees_field(csv_, at_[longitude], most_longitude);
    row.utc = utc_time();
    row.local = local_time(row.utc);
    row.split = split_word();
    row.target = has(target) && is_target();
    draft.starts_trajectory = follow_user(draft.user, row.utc, row.split);
    builder_.rows.push_back(draft);
  }

  CsvReader csv_;
  CheckinBuilder builder_;
  std::array<std::size_t, column_count> at_{};
  std::vector<Latest> latest_;  // by the user's number in the builder
};

}  // namespace

CheckinTable read_checkins(const std::string& path) { return CheckinFile(path).read(); }

}  // namespace chronotope
