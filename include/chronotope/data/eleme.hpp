#pragma once
// Ele.me click logs (39 comma-separated fields a row, lists joined by ';'; docs/data.md) into a click cache, and back.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope {

/// How the lists of a row run.
enum class ListOrder : std::uint8_t {
  detect,  ///< by the row's timediff_list: rising is newest first, falling oldest first, equal values count as newest
           ///< first
  newest_first,  ///< a row that says otherwise is an error
  oldest_first,  ///< the same
  sort,          ///< any order: sorted by time; of equal times the first in the list counts as the newest
};

/// Rows of the hashed tables. An id is 0 for an empty field or -99, else 1 + hash of the text (or geohash) in rows - 1:
/// no vocabulary is held, and two texts collide with probability 1 / (rows - 1). 2 to 2^31 - 1 each.
struct ElemeTables {
  std::int32_t user = 1 << 22, shop = 1 << 18, item = 1 << 22, city = 1 << 10, district = 1 << 13, aoi = 1 << 18,
               geohash = 1 << 18, brand = 1 << 17, category = 1 << 9, food = 1 << 14;
};

struct ElemeProgress {
  std::uint64_t rows = 0, skipped = 0, behaviours = 0;  ///< read, left out, of all inputs so far
  std::uint64_t hour_differs = 0,
                weekday_differs = 0;                 ///< requests whose hours or weekdays field is not that of `times`
  std::uint64_t newest_first = 0, oldest_first = 0;  ///< rows whose lists ran so (by unequal times)
  std::size_t input = 0;                             ///< number of the current input
  std::uint64_t bytes = 0;                           ///< of that input
  std::uint64_t parsed_bytes = 0;                    ///< by this call, without what an interrupted one had done
  double parse_seconds = 0;                          ///< processor time of this call's parsing, all threads together
};

struct ElemeOptions {
  ElemeTables tables;
  double timediff_seconds = 1;  ///< unit of timediff_list; the source does not say: an assumption. Above 0
  ListOrder order = ListOrder::detect;
  int utc_offset_minutes = 480;  ///< wall clock = times + 60 x this (China)
  int monday = 0;                ///< the number of Monday in weekdays and weekdays_list (then counted modulo 7); 0 to 6
  std::vector<Split> split_of_input;                ///< one an input; empty: by the two times below
  std::int64_t validation_from = 0, test_from = 0;  ///< wall clock from which a request is in that split; 0: none is
  int number_buckets = 0;  ///< above 0: also an id column "<name>_bucket" for every number, see docs/data.md; to 1,000
  bool skip_bad_rows = false;  ///< count and leave out rows that break a rule, instead of the error
  int threads = 1;             ///< that parse; the result does not depend on it
  std::size_t block_bytes = std::size_t{64} << 20;  ///< read at once; no row may be longer
  std::function<void(const ElemeProgress&)>
      progress;  ///< called after every block; what it throws ends the call, resumably
};

/// Reads the files (plain text, in this order) and writes one cache; while a block is written, the next one is parsed. Memory:
/// one block and the parsed columns of two (about as much each), nothing that grows with the input. The disk holds the columns twice for a moment, see ClickCacheWriter.
/// After an interruption the same call (inputs, output and options but threads and block_bytes) goes on at the exact
/// row after the last whole block. Columns are listed in docs/data.md. Throws ConfigError (an option), FileError,
/// FormatError (number of fields; rows longer than a block) and DataError (anything else in a row), the last two with
/// file, row (counted from 1), column and what to do.
ElemeProgress convert_eleme(const std::vector<std::string>& inputs, const std::string& output,
                            const ElemeOptions& options = {});

/// How write_eleme_csv writes.
struct ElemeWriteOptions {
  bool newest_first = true;
  int utc_offset_minutes = 480;
};

/// Writes any click log in the format: ids of text columns as 16 hexadecimal digits that stand for column and id, the
/// others as the id itself, id 0 and columns the log lacks as empty fields. timediff_list in seconds. Made for
/// generated logs, so that the reader can be tried on files. By AtomicFile, in memory of a few rows. Throws FileError.
void write_eleme_csv(const ClickLog& log, const std::string& path, const ElemeWriteOptions& options = {});

}  // namespace chronotope
