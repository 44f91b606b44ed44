#pragma once
// Shorthands for tests with action logs.

#include <vector>

#include "chronotope/data/action_log.hpp"
#include "logs.hpp"

namespace actions {

using chronotope::LoggedAction;

inline std::vector<LoggedAction> read(const std::string& path) {
  return logs::read<chronotope::ActionReader, LoggedAction>(path);
}

inline std::vector<LoggedAction> read_text(const std::string& bytes) {
  const scratch::Folder folder;
  return read(folder.put("log", bytes));
}

inline std::string read_error(const std::string& bytes) { return logs::read_error(bytes, read); }

inline void write(const std::string& path, const std::vector<LoggedAction>& all) {
  logs::write<chronotope::ActionWriter>(path, all);
}

inline LoggedAction action(const std::string& user, const std::string& place, const std::string& category = "",
                           const std::string& type = "") {
  LoggedAction a;
  a.user = user, a.time = 1000, a.place = place, a.category = category, a.type = type;
  return a;
}

}  // namespace actions
