#pragma once
// JSON files that a user wrote.

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope::cli {

/// Throws FileError when it cannot be read, FormatError when it is not JSON.
inline nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError("cannot read " + path);
  try {
    return nlohmann::json::parse(file);
  } catch (const nlohmann::json::exception& e) {
    throw FormatError(path + " is not JSON: " + e.what());
  }
}

}  // namespace chronotope::cli
