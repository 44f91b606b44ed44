#pragma once
// A generated world in a folder.

#include <memory>
#include <string>

#include "chronotope/data/world.hpp"

namespace chronotope {

enum class WorldFormat : std::uint8_t { csv, json_lines, columns };

/// Writes the logs of a world user by user, in memory of O(one user), with the truth behind every row and the places
/// (docs/data.md describes the files):
///   actions.csv.gz, requests.csv.gz (or .jsonl.gz), truth_actions.csv.gz, truth_requests.csv.gz, places.csv.gz,
///   vectors.npy with vectors.ids.
/// Until finish() all are temporary files, so that an error leaves no half of a world under these names.
class WorldFiles {
 public:
  /// Makes the folder. Keeps the world. Throws FileError.
  WorldFiles(const World& world, const std::string& folder, WorldFormat format = WorldFormat::csv);
  ~WorldFiles();

  /// Throws FileError.
  void add(const WorldUser& user);

  /// Writes the places too, and gives all files their names; once. Throws FileError, and DataError when no user was
  /// added. A world whose users asked for nothing has neither requests nor truth_requests.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// "local", "pre-travel" or "in-travel".
const char* name_of(TravelStatus status);

}  // namespace chronotope
