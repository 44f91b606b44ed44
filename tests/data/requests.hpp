#pragma once
// Shorthands for tests with request logs.

#include <vector>

#include "chronotope/data/request_log.hpp"
#include "scratch.hpp"

namespace requests {

using chronotope::LoggedRequest;
using chronotope::ShownPlace;

inline std::vector<LoggedRequest> read(const std::string& path) {
  std::vector<LoggedRequest> all;
  chronotope::RequestReader reader(path);
  for (LoggedRequest request; reader.next(request);) all.push_back(request);
  return all;
}

inline std::vector<LoggedRequest> read_text(const std::string& bytes) {
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

inline void write(const std::string& path, const std::vector<LoggedRequest>& all) {
  chronotope::RequestWriter writer(path);
  for (const LoggedRequest& request : all) writer.write(request);
  writer.finish();
}

inline LoggedRequest request(const std::string& user, const std::vector<std::string>& places) {
  LoggedRequest r;
  r.user = user, r.time = 1000;
  for (const std::string& place : places) r.shown.push_back({place, {}, "", false});
  return r;
}

}  // namespace requests
