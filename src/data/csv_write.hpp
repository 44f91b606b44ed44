#pragma once
// Fields of a line of CSV, as CsvReader gives them back.

#include <charconv>
#include <string>
#include <string_view>

namespace chronotope {

/// Appends a value, in quotes where it needs them.
inline void append_csv_text(std::string& line, std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += value;
    return;
  }
  line += '"';
  for (const char byte : value) {
    if (byte == '"') line += '"';
    line += byte;
  }
  line += '"';
}

/// Appends the shortest text that reads back as the same number.
template <class Number> void append_number(std::string& line, Number value) {
  char text[32];
  line.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace chronotope
