#pragma once
// The formats that ActionReader reads, and what request logs share with them.

#include <memory>
#include <string>
#include <string_view>

#include "chronotope/data/action_log.hpp"
#include "line_reader.hpp"

namespace chronotope {

class ActionReader::Rows {
 public:
  virtual ~Rows() = default;
  virtual bool next(LoggedAction& action) = 0;
};

/// The next line that is not blank; false at the end. Throws FormatError when it is not UTF-8.
bool next_json_line(LineReader& lines, std::string_view& line);

std::unique_ptr<ActionReader::Rows> json_actions(const std::string& path);

}  // namespace chronotope
