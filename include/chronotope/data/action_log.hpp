#pragma once
// Action logs: who did what at which place, when, and from where; one row an action (Spacetime-GR, Table 1), as CSV, as
// JSON lines or as binary columns. docs/data.md describes all three.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace chronotope {

/// WGS 84 degrees.
struct GeoPosition {
  double latitude = 0;   ///< -90 to 90
  double longitude = 0;  ///< -180 to 180
  bool operator==(const GeoPosition&) const = default;
};

/// One action. User, time and place are always there; a missing text is "". Texts but the profile have at most 1,024
/// bytes.
struct LoggedAction {
  std::string user;
  std::int64_t time = 0;                     ///< seconds since 1970-01-01 UTC, above 0 and before the year 2200
  std::optional<int> offset;                 ///< minutes that local time is ahead of UTC, -1440 to 1440
  std::optional<GeoPosition> user_position;  ///< where the user was
  std::string place;
  std::optional<GeoPosition> position;  ///< of the place
  std::string category;                 ///< of the place
  std::string type;                     ///< any word: click, search, navigate
  std::string profile;                  ///< of the user: "age: 30; city: Berlin", every field with a key
  std::optional<bool> interest;         ///< interest-based or functional; nothing: not classified (data/cleansing.hpp)
  bool operator==(const LoggedAction&) const = default;
};

/// Reads a log one action at a time, in memory of O(one row), of binary columns O(one block): at most 16 MiB of it. JSON
/// lines are told from CSV by their first byte that is not blank, '{', columns by their first eight, and gzip by its first
/// two, whatever the name.
class ActionReader {
 public:
  /// Opens the log and, of a CSV, reads the header. Throws FileError (cannot be opened; a pipe, which cannot be looked
  /// into and read again) and FormatError (an empty file; an unknown, missing or doubled column; damage as below).
  explicit ActionReader(const std::string& path);
  ~ActionReader();
  ActionReader(ActionReader&&) noexcept;
  ActionReader& operator=(ActionReader&&) noexcept;

  /// Moves to the next action; false at the end. The order of rows is the file's: nothing is demanded of it, and steps
  /// that look at sequences group by user and time themselves. Every throw names file, row and column or key:
  /// FormatError (gzip or a block of columns damaged or cut off, quoting, wrong number of fields, no JSON object, unknown or doubled key, no
  /// UTF-8, a row over 1 MiB), DataError (no actions at all; a needed value missing; a value of the wrong type or out
  /// of range; half a position), FileError (cannot be read). After a throw the reader must not be used, and `action`
  /// holds anything.
  bool next(LoggedAction& action);

  class Rows;  ///< a format

 private:
  std::unique_ptr<Rows> rows_;
  std::string path_;
  bool any_ = false;
};

/// Writes a log that ActionReader reads back equal, numbers to the bit (of zeros not the sign). The name says the
/// format: .csv, .jsonl or .columns, gzip'ed with .gz behind it. Until finish() all goes to a temporary file in the same folder,
/// so that an error leaves the folder as it was.
class ActionWriter {
 public:
  /// Throws ConfigError for another name, FileError if the temporary file cannot be made.
  explicit ActionWriter(const std::string& path);
  ~ActionWriter();
  ActionWriter(ActionWriter&&) noexcept;
  ActionWriter& operator=(ActionWriter&&) noexcept;

  /// Throws DataError, and leaves the writer as it was, for an action that ActionReader would refuse; FileError.
  void write(const LoggedAction& action);

  /// Syncs the file and gives it its name; once. Throws DataError when nothing was written, FileError.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chronotope
