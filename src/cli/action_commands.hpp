#pragma once
// What the commands on models of actions share.

#include <string>
#include <vector>

#include "chronotope/serve/place_session.hpp"
#include "cli/device.hpp"

namespace chronotope::cli {

/// A user's actions in a log, oldest first, with the first profile that was logged. O(log). Throws DataError when there are none.
struct UserLog {
  std::vector<LoggedAction> actions;
  std::string profile;
};
UserLog log_of(const std::string& path, const std::string& user);

/// What recommend was asked of a model of actions.
struct SuggestOptions {
  std::string checkpoint, data, user, time, index, hours, at;
  int top = 10;
  bool json = false, graphs = false;
  double within_km = 0;
  std::vector<std::string> polygon, categories;
  GenerateOptions generate;
  std::int64_t beam_blocks = 10, beam_inners = 10;
};

void suggest(const SuggestOptions& options, const Device& device);

/// "52.1,5.12" as degrees. Throws ConfigError.
GeoPosition parse_position(const std::string& text);

}  // namespace chronotope::cli
