#pragma once
// Parses single rows of Ele.me files into columns.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/data/click_builder.hpp"
#include "chronotope/data/eleme.hpp"
#include "eleme_fields.hpp"

namespace chronotope::eleme {

/// Thrown for a row that breaks a rule; whoever knows file and row makes an error of it.
struct RowFault {
  std::size_t field = field_count;  ///< field_count: the row as a whole
  bool malformed = false;           ///< FormatError instead of DataError
  std::string text;
};

/// Counts of what was parsed.
struct RowCounts {
  std::uint64_t hour_differs = 0, weekday_differs = 0, newest_first = 0, oldest_first = 0;
};

/// Takes rows one at a time; not to be shared between threads.
class RowParser {
 public:
  explicit RowParser(const ElemeOptions& options);

  /// Adds the row (without its line end) as a sample; splits other than by time are left for the caller: `split` is
  /// what it gets when options.split_of_input is not empty. Throws RowFault, and then the columns are as before.
  void add(std::string_view row, Split split);

  /// Forgets what was added, and keeps its memory.
  void clear();

  const ClickColumns& columns() const { return columns_; }
  const RowCounts& counts() const { return counts_; }

 private:
  struct Request {
    std::int64_t time = 0;
    std::uint32_t geohash = 0;
  };

  void split_fields(std::string_view row);
  void add_sample(Split split);
  Request add_request();
  void add_sample_ids(const Request& request);
  void add_sample_numbers();
  void add_number(std::size_t index, std::size_t field);
  void add_number_value(std::size_t index, double value, bool known);
  void add_behaviours(const Request& request);
  std::size_t read_ages();
  void order_ages();
  void split_list(std::size_t field, std::size_t count);
  void add_behaviour_moments(const Request& request, std::size_t count);
  void add_behaviour_ids(std::size_t count);
  void cut(std::size_t samples, std::size_t behaviours);

  const ElemeOptions& options_;
  ClickColumns columns_;
  RowCounts counts_;
  std::array<std::string_view, field_count> fields_{};
  std::vector<std::string_view> entries_;
  std::vector<std::int64_t> ages_;    // seconds before the request, in the order of the list
  std::vector<std::uint32_t> order_;  // entries, oldest first
};

}  // namespace chronotope::eleme
