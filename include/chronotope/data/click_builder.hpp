#pragma once
// Click logs in memory: vectors to fill, and the ClickLog that keeps them alive.

#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope {

/// The columns of a ClickLog as vectors, same names and rules. Fill them in any order; lengths are compared at the end.
struct ClickColumns {
  struct Ids {
    std::string name, table;
    FeaturePart part = FeaturePart::context;
    std::int32_t rows = 1;
    std::vector<std::int32_t> values;
  };
  struct Numbers {
    std::string name;
    FeaturePart part = FeaturePart::context;
    std::vector<float> values;
  };
  struct Times {
    std::vector<std::int64_t> time;
    std::vector<std::uint8_t> hour, weekday;
    std::vector<std::uint32_t> geohash;
    void add(std::int64_t wall_clock, int hour_of_day, int day_of_week, std::uint32_t packed_geohash);
    /// Hour and weekday of the wall clock itself.
    void add(std::int64_t wall_clock, std::uint32_t packed_geohash);
  };

  std::vector<std::uint8_t> click, conversion;
  std::vector<Split> split;
  Times at;
  std::vector<Ids> ids;
  std::vector<Numbers> numbers;
  std::vector<std::uint64_t> first, last;
  Times behaviours_at;
  std::vector<Ids> behaviour_ids;
  std::vector<Numbers> behaviour_numbers;
  bool semi_synthetic = false;
};

/// A log of these vectors, checked by check_click_log (DataError). The log owns them from now on.
ClickLog make_click_log(ClickColumns columns);

/// The same without taking them and without a check: valid while `columns` lives and is not changed.
ClickLog view_click_columns(const ClickColumns& columns);

}  // namespace chronotope
