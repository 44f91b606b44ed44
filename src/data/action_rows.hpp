#pragma once
// The formats that ActionReader reads.

#include <memory>
#include <string>

#include "chronotope/data/action_log.hpp"

namespace chronotope {

class ActionReader::Rows {
 public:
  virtual ~Rows() = default;
  virtual bool next(LoggedAction& action) = 0;
};

std::unique_ptr<ActionReader::Rows> csv_actions(const std::string& path);
std::unique_ptr<ActionReader::Rows> json_actions(const std::string& path);

/// Whether the first byte that is not blank is '{'. Throws FileError, also for what cannot be opened a second time and
/// read from the start: pipes, sockets, terminals.
bool is_json_lines(const std::string& path);

}  // namespace chronotope
