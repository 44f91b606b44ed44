#include <cmath>
#include <string>
#include <string_view>

#include "byte_sink.hpp"
#include "checkin_rules.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/data/checkins.hpp"
#include "csv.hpp"
#include "csv_write.hpp"

namespace chronotope {
namespace {

constexpr std::string_view header =
    "user_id,poi_id,category_name,latitude,longitude,utc_timestamp,local_timestamp,split,trajectory_id,target\n";

std::string_view split_word(Split split) {
  return split == Split::train ? "train" : split == Split::validation ? "validation" : "test";
}

void append_row(std::string& line, const CheckinTable& table, std::size_t user, const Checkin& row) {
  append_csv_text(line, table.users[user]);
  append_csv_text(line += ',', table.places[row.place]);
  append_csv_text(line += ',', table.categories[row.category]);
  append_number(line += ',', row.latitude);
  append_number(line += ',', row.longitude);
  append_number(line += ',', row.utc);
  append_number(line += ',', row.local);
  line += ',';
  line += split_word(row.split);
  append_number(line += ',', row.trajectory);
  line += row.target ? ",1\n" : ",0\n";
}

// Writing checks what reading will check, so that a file that was written can be read.
class TableCheck {
 public:
  TableCheck(const CheckinTable& table, const std::string& path) : table_(table), path_(path) {}

  void run() const {
    require(!table_.rows.empty(), "the table has no rows");
    require(table_.begin.size() == table_.users.size() + 1 && table_.begin.front() == 0 &&
                table_.begin.back() == table_.rows.size(),
            "CheckinTable::begin must hold users + 1 offsets from 0 to the number of rows");
    check_ids("users", table_.users);
    check_ids("places", table_.places);
    check_text("categories", table_.categories);
    for (std::size_t user = 0; user < table_.users.size(); ++user) check_user(user);
  }

 private:
  void require(bool holds, const std::string& rule) const {
    if (!holds) throw DataError(path_ + ": cannot be written: " + rule);
  }

  void require(bool holds, const std::string& where, const char* rule) const {
    if (!holds) require(false, where + rule);
  }

  void check_ids(const std::string& name, const std::vector<std::string>& ids) const {
    for (const std::string& id : ids) require(!id.empty(), "an id in CheckinTable::" + name + " is empty");
    check_text(name, ids);
  }

  void check_text(const std::string& name, const std::vector<std::string>& texts) const {
    for (const std::string& text : texts)
      if (!is_csv_text(text))
        require(false, shown(text) + " in CheckinTable::" + name + " is too long, not UTF-8 or holds a zero byte");
  }

  void check_user(std::size_t user) const {
    require(table_.begin[user] <= table_.begin[user + 1], "CheckinTable::begin must not fall");
    require(table_.begin[user + 1] <= table_.rows.size(), "CheckinTable::begin must not pass the number of rows");
    const std::string where = "a row of user " + shown(table_.users[user]) + " ";
    std::int64_t latest = 0;
    for (const Checkin& row : table_.history(user)) {
      require(row.place >= 0 && static_cast<std::size_t>(row.place) < table_.places.size() && row.category >= 0 &&
                  static_cast<std::size_t>(row.category) < table_.categories.size(),
              where, "has a place or category outside its vocabulary");
      require(std::abs(row.latitude) <= most_latitude && std::abs(row.longitude) <= most_longitude, where,
              "has a position outside -90..90, -180..180 degrees");
      require(is_utc_time(row.utc) && is_local_time(row.local, row.utc), where,
              "has a time outside 1970 to 2199, or a wall clock more than 24 h from it");
      require(row.utc >= latest, where, "lies before the row that precedes it");
      latest = row.utc;
    }
  }

  const CheckinTable& table_;
  const std::string& path_;
};

}  // namespace

void write_checkins(const CheckinTable& table, const std::string& path) {
  TableCheck(table, path).run();
  ByteSink file(path);
  std::string line(header);
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    for (const Checkin& row : table.history(user)) {
      append_row(line, table, user, row);
      file.write(line);
      line.clear();
    }
  }
  file.commit();
}

}  // namespace chronotope
