#include <algorithm>
#include <charconv>
#include <cmath>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/data/eleme.hpp"
#include "click_layout.hpp"
#include "eleme_fields.hpp"

namespace chronotope {
namespace {

using namespace eleme;

constexpr std::size_t flush_bytes = std::size_t{1} << 20;

const IdColumn* find(const std::vector<IdColumn>& columns, const char* name) {
  for (const IdColumn& c : columns)
    if (c.name == name) return &c;
  return nullptr;
}

const char* time_type_of(int hour) {
  return time_types[hour >= 5 && hour < 10    ? 0
                    : hour >= 10 && hour < 14 ? 1
                    : hour >= 14 && hour < 17 ? 2
                    : hour >= 17 && hour < 21 ? 3
                                              : 4];
}

class Writer {
 public:
  Writer(const ClickLog& log, const std::string& path, const ElemeWriteOptions& options)
      : log_(log), options_(options), file_(path) {
    if (const IdColumn* past = find(log.behaviours.ids, "geohash")) learn_letters(*past, log.behaviours.at);
    if (const IdColumn* asked = find(log.ids, "request_geohash")) learn_letters(*asked, log.at);
  }

  void write() {
    for (std::size_t i = 0; i < log_.size(); ++i) {
      add_row(i);
      if (text_.size() < flush_bytes) continue;
      file_.write(text_);
      text_.clear();
    }
    file_.write(text_);
    file_.commit();
  }

 private:
  void comma() { text_ += ','; }
  void add(std::int64_t value) {
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }

  /// An id as the text of a hashed field, or as itself.
  void add_id(const IdColumn* column, std::size_t row, bool hashed) {
    const std::int32_t id = column ? column->values[row] : 0;
    if (id == 0) return;
    if (!hashed) return add(id);
    std::uint64_t code = clicks::checksum(column->table) + static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15;
    for (int i = 0; i < 16; ++i, code <<= 4) text_ += "0123456789abcdef"[code >> 60];
  }

  void add_geohash(std::uint32_t packed, const char* more = "") {
    if (packed == 0) return;
    for (int i = 0; i < 6; ++i) text_ += geohash_letter(packed, i);
    text_ += more;
  }

  /// A log has the letters of behaviours and requests; of items it has ids, which stand for the same letters.
  void learn_letters(const IdColumn& column, const Moments& at) {
    letters_.resize(std::max(letters_.size(), static_cast<std::size_t>(column.rows)));
    for (std::size_t i = 0; i < column.values.size(); ++i)
      letters_[static_cast<std::size_t>(column.values[i])] = at.geohash[i];
  }

  std::uint32_t letters_of_item(std::size_t i) const {
    const IdColumn* const column = find(log_.ids, "geohash");
    const auto id = column ? static_cast<std::size_t>(column->values[i]) : 0;
    return id > 0 && id < letters_.size() ? letters_[id] : 0;
  }

  void add_row(std::size_t i) {
    const auto id = [&](const char* name, bool hashed) { add_id(find(log_.ids, name), i, hashed), comma(); };
    add(log_.click[i]), comma();
    id("user", true);
    text_ += ",,,,,,,";  // nothing is known of the user
    id("shop", true), id("item", true), id("city", false), id("district", false), id("aoi", true);
    add_geohash(letters_of_item(i)), comma();
    add_geohash(letters_of_item(i), "s00000"), comma();
    id("brand", false), id("category", false), id("food", false);
    comma(), comma(), comma();
    add_lists(i);
    add(log_.at.time[i] - 60 * options_.utc_offset_minutes), comma();
    add(log_.at.hour[i]), comma();
    text_ += time_type_of(log_.at.hour[i]);
    comma(), add(log_.at.weekday[i]), comma();
    add_geohash(log_.at.geohash[i], "s00000");
    text_ += '\n';
  }

  template <class Add> void add_list(std::size_t sample, Add add_entry) {
    const std::uint64_t first = log_.first[sample], last = log_.last[sample];
    for (std::uint64_t n = first; n < last; ++n) {
      if (n > first) text_ += ';';
      add_entry(options_.newest_first ? last - 1 - (n - first) : n);
    }
    comma();
  }

  void add_lists(std::size_t i) {
    const Behaviours& past = log_.behaviours;
    const auto ids = [&](const char* name, bool hashed) {
      const IdColumn* const column = find(past.ids, name);
      add_list(i, [&](std::uint64_t j) { add_id(column, j, hashed); });
    };
    ids("shop", true), ids("item", true), ids("category", false), ids("food", false), ids("brand", false);
    const NumberColumn* price = nullptr;
    for (const NumberColumn& c : past.numbers)
      if (c.name == "price") price = &c;
    add_list(i, [&](std::uint64_t j) {
      if (price) add(std::llround(std::expm1(4 * static_cast<double>(price->values[j]))));
    });
    ids("aoi", true);
    add_list(i, [&](std::uint64_t j) { add_geohash(past.at.geohash[j]); });
    add_list(i, [&](std::uint64_t j) { add(log_.at.time[i] - past.at.time[j]); });
    add_list(i, [&](std::uint64_t j) { add(past.at.hour[j]); });
    add_list(i, [&](std::uint64_t j) { text_ += time_type_of(past.at.hour[j]); });
    add_list(i, [&](std::uint64_t j) { add(past.at.weekday[j]); });
  }

  const ClickLog& log_;
  ElemeWriteOptions options_;
  AtomicFile file_;
  std::vector<std::uint32_t> letters_;  // by id of table "geohash"
  std::string text_;
};

}  // namespace

void write_eleme_csv(const ClickLog& log, const std::string& path, const ElemeWriteOptions& options) {
  Writer(log, path, options).write();
}

}  // namespace chronotope
