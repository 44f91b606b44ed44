#pragma once
// Shorthands for tests with request logs.

#include <vector>

#include "chronotope/data/request_log.hpp"
#include "logs.hpp"

namespace requests {

using chronotope::LoggedRequest;
using chronotope::ShownPlace;

inline std::vector<LoggedRequest> read(const std::string& path) {
  return logs::read<chronotope::RequestReader, LoggedRequest>(path);
}

inline std::vector<LoggedRequest> read_text(const std::string& bytes) {
  const scratch::Folder folder;
  return read(folder.put("log", bytes));
}

inline std::string read_error(const std::string& bytes) { return logs::read_error(bytes, read); }

inline void write(const std::string& path, const std::vector<LoggedRequest>& all) {
  logs::write<chronotope::RequestWriter>(path, all);
}

inline LoggedRequest request(const std::string& user, const std::vector<std::string>& places) {
  LoggedRequest r;
  r.user = user, r.time = 1000;
  for (const std::string& place : places) r.shown.push_back({place, {}, "", false});
  return r;
}

}  // namespace requests
