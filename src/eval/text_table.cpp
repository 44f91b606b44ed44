#include "eval/text_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace chronotope::text_table {
namespace {

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[400];  // of the longest double
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr;
  return {text, end};
}

std::string with_sign(double value, int digits) {
  return (std::isfinite(value) && !std::signbit(value) ? "+" : "") + fixed(value, digits);
}

std::string align(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t pad = widths[i] - width(row[i]);
      if (i == 0) text.append(row[i]).append(pad, ' ');
      else text.append(pad + 2, ' ').append(row[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace chronotope::text_table
