#include "chronotope/data/action_source.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "csv.hpp"
#include "field_rows.hpp"

namespace chronotope {
namespace {

bool is_checkin_file(const std::string& path) {
  if (format_of(path) != LogFormat::csv) return false;
  const CsvReader csv(path);
  return std::find(csv.header().begin(), csv.header().end(), "user_id") != csv.header().end();
}

int minutes_ahead(const Checkin& row) {
  const std::int64_t ahead = row.local - row.utc;
  return static_cast<int>((ahead + (ahead < 0 ? -30 : 30)) / 60);
}

class CheckinPass {
 public:
  explicit CheckinPass(std::shared_ptr<const CheckinTable> table) : table_(std::move(table)) {}

  bool operator()(LoggedAction& action) {
    if (row_ == table_->rows.size()) return false;
    while (row_ == table_->begin[user_ + 1]) ++user_;
    const Checkin& row = table_->rows[row_++];
    action = {};
    action.user = table_->users[user_];
    action.time = row.utc;
    action.offset = minutes_ahead(row);
    action.place = table_->places[static_cast<std::size_t>(row.place)];
    action.position = {row.latitude, row.longitude};
    action.category = table_->categories[static_cast<std::size_t>(row.category)];
    action.type = "checkin";
    return true;
  }

 private:
  std::shared_ptr<const CheckinTable> table_;
  std::size_t user_ = 0, row_ = 0;
};

}  // namespace

ActionSource actions_in(const std::string& path) {
  if (is_checkin_file(path)) return actions_of(read_checkins(path));
  return [path]() -> ActionPass {
    auto reader = std::make_shared<ActionReader>(path);  // shared: a std::function can be copied
    return [reader](LoggedAction& action) { return reader->next(action); };
  };
}

ActionSource actions_of(CheckinTable table) {
  return
      [shared = std::make_shared<const CheckinTable>(std::move(table))]() -> ActionPass { return CheckinPass(shared); };
}

}  // namespace chronotope
