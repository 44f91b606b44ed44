#include "chronotope/data/clicks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "chronotope/core/error.hpp"
#include "core/word_distance.hpp"
#include "geohash_letters.hpp"

namespace chronotope {
namespace {

constexpr std::uint32_t packed_mark = std::uint32_t{1} << 30;
// Far beyond any calendar, and small enough that differences of two times cannot overflow.
constexpr std::int64_t longest_time = std::int64_t{1} << 40;

/// Checks one half of a log: the samples or their behaviours.
class Half {
 public:
  Half(std::string name, std::size_t size) : name_(std::move(name)), size_(size) {}

  [[noreturn]] void fail(const std::string& column, const std::string& rule) const {
    throw DataError("click log: " + name_ + ", column \"" + column + "\": " + rule);
  }

  template <class Value, class Good>
  void each(const std::string& column, std::span<const Value> values, const std::string& rule, Good good) const {
    if (values.size() != size_)
      fail(column, std::to_string(values.size()) + " values where there are " + std::to_string(size_) + " rows");
    const auto bad = std::find_if_not(values.begin(), values.end(), good);
    if (bad == values.end()) return;
    fail(column, "row " + std::to_string(bad - values.begin()) + ": " + std::to_string(+*bad) + " is not " + rule);
  }

  void moments(const Moments& at) const {
    each("time", at.time, "within 2^40 seconds of 1970",
         [](std::int64_t t) { return t >= -longest_time && t <= longest_time; });
    each("hour", at.hour, "an hour (0 to 23)", [](std::uint8_t h) { return h < 24; });
    each("weekday", at.weekday, "a weekday (0 to 6)", [](std::uint8_t d) { return d < 7; });
    each("geohash", at.geohash, "a geohash of pack_geohash6",
         [](std::uint32_t g) { return g == 0 || (g & ~(packed_mark - 1)) == packed_mark; });
  }

  void ids(const std::vector<IdColumn>& columns) const {
    for (const IdColumn& c : columns) {
      if (c.rows < 1) fail(c.name, "its table has " + std::to_string(c.rows) + " rows; there must be at least 1");
      const auto rows = static_cast<std::uint32_t>(c.rows);
      each(c.name, c.values, "a row of table \"" + c.table + "\" (0 to " + std::to_string(rows - 1) + ")",
           [=](std::int32_t id) { return static_cast<std::uint32_t>(id) < rows; });
    }
  }

  void numbers(const std::vector<NumberColumn>& columns) const {
    for (const NumberColumn& c : columns) each(c.name, c.values, "finite", [](float x) { return std::isfinite(x); });
  }

  void names(const std::vector<IdColumn>& ids, const std::vector<NumberColumn>& numbers,
             std::initializer_list<const char*> needed) const {
    std::set<std::string> seen;
    for (const IdColumn& c : ids)
      if (!seen.insert(c.name).second) fail(c.name, "the name stands twice");
    for (const char* name : needed)
      if (!seen.contains(name)) fail(name, "it is missing; every log needs it");
    for (const NumberColumn& c : numbers)
      if (!seen.insert(c.name).second) fail(c.name, "the name stands twice");
  }

 private:
  std::string name_;
  std::size_t size_;
};

// Columns of one table share its rows; what describes a behaviour describes a candidate, too.
void check_tables(const ClickLog& log, const Half& samples, const Half& behaviours) {
  for (const IdColumn& c : log.ids)
    for (const IdColumn& other : log.ids)
      if (c.table == other.table && c.rows != other.rows)
        samples.fail(c.name, "table \"" + c.table + "\" has " + std::to_string(c.rows) + " rows here and " +
                                 std::to_string(other.rows) + " for column \"" + other.name + "\"");
  for (const IdColumn& c : log.behaviours.ids) {
    const auto same = [&](const IdColumn& o) { return o.name == c.name && o.table == c.table && o.rows == c.rows; };
    if (std::none_of(log.ids.begin(), log.ids.end(), same))
      behaviours.fail(c.name,
                      "the samples have no column of this name, table (\"" + c.table + "\") and number of rows");
  }
}

/// Ranges of behaviours and their order. Samples of one user mostly share a list or prolong it, so the stretch known to
/// be in order is kept from sample to sample.
class RangeCheck {
 public:
  RangeCheck(const ClickLog& log, const Half& samples) : log_(log), samples_(samples) {}

  void run() {
    const std::span<const std::int64_t> time = log_.behaviours.at.time;
    for (std::size_t i = 0; i < log_.size(); ++i) {
      const std::uint64_t first = log_.first[i], last = log_.last[i];
      if (first > last || last > time.size())
        fail(i, std::to_string(first) + " to " + std::to_string(last) + " is no range of the " +
                    std::to_string(time.size()) + " behaviours");
      if (first == last) continue;
      check_order(i, first, last, time);
      if (time[last - 1] > log_.at.time[i])
        fail(i, "behaviour " + std::to_string(last - 1) + " lies after the request; only what came before may be seen");
    }
  }

 private:
  [[noreturn]] void fail(std::size_t sample, const std::string& rule) const {
    samples_.fail("behaviours", "row " + std::to_string(sample) + ": " + rule);
  }

  void check_order(std::size_t sample, std::uint64_t first, std::uint64_t last, std::span<const std::int64_t> time) {
    if (first < begin_ || first >= end_) begin_ = first, end_ = first + 1;
    for (; end_ < last; ++end_)
      if (time[end_] < time[end_ - 1])
        fail(sample,
             "behaviour " + std::to_string(end_) + " is older than the one before it; the oldest must come first");
  }

  const ClickLog& log_;
  const Half& samples_;
  std::uint64_t begin_ = 0, end_ = 0;  // behaviours begin_ … end_ - 1 are in order
};

}  // namespace

const IdColumn& ClickLog::id_column(const std::string& name) const {
  const IdColumn* nearest = nullptr;
  for (const IdColumn& c : ids) {
    if (c.name == name) return c;
    if (!nearest || word_distance(name, c.name) < word_distance(name, nearest->name)) nearest = &c;
  }
  throw DataError("the click log has no id column \"" + name + "\"" +
                  (nearest ? "; did you mean \"" + nearest->name + "\"?" : "; it has none at all"));
}

void check_click_log(const ClickLog& log) {
  const Half samples("samples", log.size()), behaviours("behaviours", log.behaviours.size());
  const auto bit = [](std::uint8_t x) { return x <= 1; };
  samples.names(log.ids, log.numbers, {"user", "item", "category"});
  behaviours.names(log.behaviours.ids, log.behaviours.numbers, {"item", "category"});
  check_tables(log, samples, behaviours);
  samples.each("click", log.click, "0 or 1", bit);
  if (!log.conversion.empty()) samples.each("conversion", log.conversion, "0 or 1", bit);
  const std::span splits(reinterpret_cast<const std::uint8_t*>(log.split.data()), log.split.size());
  samples.each("split", splits, "a split (0 train, 1 validation, 2 test)", [](std::uint8_t s) { return s <= 2; });
  samples.moments(log.at);
  behaviours.moments(log.behaviours.at);
  samples.ids(log.ids);
  behaviours.ids(log.behaviours.ids);
  samples.numbers(log.numbers);
  behaviours.numbers(log.behaviours.numbers);
  const auto any = [](std::uint64_t) { return true; };  // lengths only: RangeCheck says more
  samples.each("first", log.first, "", any);
  samples.each("last", log.last, "", any);
  RangeCheck(log, samples).run();
}

std::uint32_t pack_geohash6(std::string_view geohash) {
  if (geohash.size() < 6) return 0;
  std::uint32_t packed = 1;
  for (std::size_t i = 0; i < geohash.size(); ++i) {
    const int value = geohash_values[static_cast<unsigned char>(geohash[i])];
    if (value < 0) return 0;
    if (i < 6) packed = packed << 5 | static_cast<std::uint32_t>(value);
  }
  return packed;
}

char geohash_letter(std::uint32_t packed, int index) {
  if (packed == 0 || index < 0 || index > 5) return '?';
  return geohash_letters[packed >> (25 - 5 * index) & 31];
}

}  // namespace chronotope
