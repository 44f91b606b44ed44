#include "chronotope/train/click_config.hpp"

#include <sstream>

#include "chronotope/core/error.hpp"

namespace chronotope {

std::vector<std::int64_t> parse_widths(const std::string& text) {
  std::vector<std::int64_t> widths;
  std::istringstream in(text);
  for (std::int64_t width; in >> width;) {
    if (width < 1 || width > 65536) throw ConfigError("\"" + text + "\" has a width outside 1 to 65536");
    widths.push_back(width);
  }
  if (!in.eof()) throw ConfigError("\"" + text + "\" is no list of widths such as \"128 64\"");
  return widths;
}

}  // namespace chronotope
