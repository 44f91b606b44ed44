#pragma once
// Lists as a config writes them.

#include <string_view>
#include <vector>

namespace chronotope {

/// The parts of a text between separators, empty ones too: one more than there are separators. Views into the text.
inline std::vector<std::string_view> split_text(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

}  // namespace chronotope
