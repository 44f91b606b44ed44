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

/// Whether a log of this name is to be written as JSON lines rather than CSV. Throws ConfigError for a name that says
/// neither.
bool is_json_name(std::string_view path);

std::unique_ptr<ActionReader::Rows> csv_actions(const std::string& path);
std::unique_ptr<ActionReader::Rows> json_actions(const std::string& path);

/// Whether the first byte that is not blank is '{'. Throws FileError, also for what cannot be opened a second time and
/// read from the start: pipes, sockets, terminals.
bool is_json_lines(const std::string& path);

}  // namespace chronotope
