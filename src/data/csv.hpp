#pragma once
// Streaming reader of RFC 4180 text: commas, quotes doubled inside quotes, \n or \r\n, UTF-8 with or without mark.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.hpp"

namespace chronotope {

/// A value for an error message: quoted, at most 40 bytes of it, control bytes as '?'.
std::string shown(std::string_view value);

/// Whether the text is well-formed UTF-8. O(bytes).
bool is_utf8(std::string_view text);

/// Whether CsvReader can give the value back: UTF-8 without zero bytes, short enough for a row of a few such values.
bool is_csv_text(std::string_view value);

/// One row at a time. The first row is the header and fixes the number of fields of all others.
class CsvReader {
 public:
  static constexpr std::size_t max_row_bytes = std::size_t{1} << 20;

  /// Opens the file and reads the header. Throws FileError, and FormatError for an empty file.
  explicit CsvReader(std::string path);

  const std::vector<std::string>& header() const { return header_; }

  /// Moves to the next row; false at the end of the file. Throws FormatError with file, row and column.
  bool next();

  /// Field `column` (from 0) of the row; valid until the next call of next().
  std::string_view field(std::size_t column) const { return fields_[column]; }

  /// Number of the row, counted from 1 with the header (a quoted line break does not begin a row).
  std::size_t row() const { return row_; }

  const std::string& path() const { return source_.path(); }

  /// "file: row 7, column 3 (latitude): ", the beginning of a message about a field of the row.
  std::string place(std::size_t column) const;
  /// "file: row 7: "
  std::string place() const;

 private:
  struct Mark {
    std::size_t begin = 0, end = 0;
    bool doubled_quotes = false;
  };

  enum class Scan { field_ended, row_ended, needs_more };

  bool read_row();
  bool scan_row();
  Scan scan_field(std::size_t& at);
  Scan scan_plain(std::size_t& at, Mark& mark);
  Scan scan_quoted(std::size_t& at, Mark& mark);
  Scan scan_delimiter(std::size_t& at);
  void load_more();
  void skip_byte_order_mark();
  void finish_fields();
  [[noreturn]] void fail(const std::string& rule) const;

  ByteSource source_;
  std::string buffer_;
  std::size_t next_ = 0, end_ = 0;  // unread part of buffer_
  std::size_t scanned_ = 0;         // end of the row that was scanned last
  bool at_end_ = false;             // the source has nothing more
  bool high_bytes_ = false;         // the row holds bytes outside ASCII
  std::size_t row_ = 0;
  std::vector<Mark> marks_;
  std::vector<std::string_view> fields_;
  std::vector<std::string> header_;
};

}  // namespace chronotope
