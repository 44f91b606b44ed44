#pragma once
// Request logs: what users were shown at a moment, and what of it they clicked; CSV or binary columns
// with a row a shown place, or JSON lines with an object a request. docs/data.md describes the columns.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chronotope/data/action_log.hpp"

namespace chronotope {

/// A place as it stood in a request.
struct ShownPlace {
  std::string place;
  std::optional<GeoPosition> position;
  std::string category;
  bool clicked = false;
  bool operator==(const ShownPlace&) const = default;
};

/// One request. User, time and places are always there; fields are as in LoggedAction. The user's history are the
/// actions before `time`.
struct LoggedRequest {
  std::string user;
  std::int64_t time = 0;                     ///< seconds since 1970-01-01 UTC, above 0 and before the year 2200
  std::optional<int> offset;                 ///< minutes that local time is ahead of UTC, -1440 to 1440
  std::optional<GeoPosition> user_position;  ///< where the user was
  std::string profile;                       ///< of the user
  std::vector<ShownPlace> shown;             ///< 1 to 4,096 different places, in the order shown
  bool operator==(const LoggedRequest&) const = default;
};

inline constexpr std::size_t most_shown = 4096;

/// Reads a log one request at a time, in memory of O(one request) and, where rows are shown places, a hash a request (about
/// 40 bytes). Formats are told apart as ActionReader does.
class RequestReader {
 public:
  /// Opens the log and, of a CSV, reads the header and the first row. Throws as ActionReader does, and for that row as
  /// next().
  explicit RequestReader(const std::string& path);
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  /// Moves to the next request; false at the end. The order of requests is the file's. Every throw names file, row and
  /// column or key: as ActionReader::next, and DataError for no requests at all, no or more than 4,096 shown places, a
  /// place shown twice in a request, and of a CSV for rows of one request that differ in what belongs to the request
  /// and for the number of a request that comes back after another. After a throw the reader must not be used, and
  /// `request` holds anything.
  bool next(LoggedRequest& request);

  class Rows;  ///< a format

 private:
  std::unique_ptr<Rows> rows_;
  std::string path_;
  bool any_ = false;
};

/// Writes a log that RequestReader reads back equal, numbers to the bit (of zeros not the sign). Names and temporary
/// file as ActionWriter. A CSV numbers the requests from 1.
class RequestWriter {
 public:
  /// Throws ConfigError for another name, FileError if the temporary file cannot be made.
  explicit RequestWriter(const std::string& path);
  ~RequestWriter();
  RequestWriter(RequestWriter&&) noexcept;
  RequestWriter& operator=(RequestWriter&&) noexcept;

  /// Throws DataError, and leaves the writer as it was, for a request that RequestReader would refuse; FileError.
  void write(const LoggedRequest& request);

  /// Syncs the file and gives it its name; once. Throws DataError when nothing was written, FileError.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chronotope
