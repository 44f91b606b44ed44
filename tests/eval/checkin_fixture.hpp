#pragma once
// Small check-in tables written out by hand.

#include <string>
#include <vector>

#include "chronotope/data/checkins.hpp"

namespace chronotope::fixture {

constexpr std::int64_t hour = 3600, day = 86400;

/// Users are added in order; rows belong to the user added last.
class TableBuilder {
 public:
  explicit TableBuilder(std::vector<std::string> places) {
    table_.places = std::move(places);
    table_.categories = {""};
    table_.begin = {0};
  }

  TableBuilder& user(const std::string& id) {
    table_.users.push_back(id);
    table_.begin.push_back(table_.rows.size());
    return *this;
  }

  TableBuilder& row(std::int32_t place, std::int64_t time, std::int32_t trajectory = 0, Split split = Split::train,
                    bool target = false, double latitude = 0, double longitude = 0) {
    Checkin c;
    c.place = place;
    c.utc = c.local = time;
    c.trajectory = trajectory;
    c.split = split;
    c.target = target;
    c.latitude = latitude;
    c.longitude = longitude;
    table_.rows.push_back(c);
    table_.begin.back() = table_.rows.size();
    return *this;
  }

  TableBuilder& test(std::int32_t place, std::int64_t time) { return row(place, time, 9, Split::test, true); }
  TableBuilder& validation(std::int32_t place, std::int64_t time) {
    return row(place, time, 8, Split::validation, true);
  }

  operator CheckinTable() const { return table_; }

 private:
  CheckinTable table_;
};

}  // namespace chronotope::fixture
