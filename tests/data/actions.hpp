#pragma once
// Shorthands for tests with action logs.

#include <vector>

#include "chronotope/data/action_log.hpp"
#include "scratch.hpp"

namespace actions {

using chronotope::LoggedAction;

inline std::vector<LoggedAction> read(const std::string& path) {
  std::vector<LoggedAction> all;
  chronotope::ActionReader reader(path);
  for (LoggedAction action; reader.next(action);) all.push_back(action);
  return all;
}

inline std::vector<LoggedAction> read_text(const std::string& bytes) {
  const scratch::Folder folder;
  return read(folder.put("log", bytes));
}

/// The error of reading a file of this content, with the folder taken out; "" if there is none.
inline std::string read_error(const std::string& bytes) {
  const scratch::Folder folder;
  const std::string path = folder.put("log", bytes);
  std::string error = scratch::error_of([&] { read(path); });
  if (const auto at = error.find(path); at != std::string::npos) error.replace(at, path.size(), "log");
  return error;
}

inline void write(const std::string& path, const std::vector<LoggedAction>& all) {
  chronotope::ActionWriter writer(path);
  for (const LoggedAction& action : all) writer.write(action);
  writer.finish();
}

inline LoggedAction action(const std::string& user, const std::string& place, const std::string& category = "",
                           const std::string& type = "") {
  LoggedAction a;
  a.user = user, a.time = 1000, a.place = place, a.category = category, a.type = type;
  return a;
}

}  // namespace actions
