#pragma once
// Lines of a plain or gzip'ed file.

#include <string>
#include <string_view>

#include "byte_source.hpp"

namespace chronotope {

/// One line at a time, ended by \n or the end of the file; a byte order mark is skipped. O(longest line) memory.
class LineReader {
 public:
  static constexpr std::size_t max_line_bytes = std::size_t{1} << 20;  // as of a row of CsvReader

  /// Throws FileError if the file cannot be opened.
  explicit LineReader(std::string path);

  /// The next line without its end, valid until the next call; false at the end of the file. Throws FormatError for a
  /// longer line, and what ByteSource throws.
  bool next(std::string_view& line);

  /// "file: line 7"
  std::string place() const { return source_.path() + ": line " + std::to_string(line_); }
  const std::string& path() const { return source_.path(); }

 private:
  void load_more();

  ByteSource source_;
  std::string buffer_;
  std::size_t next_ = 0, end_ = 0;  // unread part of buffer_
  bool at_end_ = false;             // the source has nothing more
  std::size_t line_ = 0;
};

}  // namespace chronotope
