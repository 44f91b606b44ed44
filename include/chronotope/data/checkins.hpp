#pragma once
// Check-in files: gzip'ed or plain CSV, one row a check-in (docs/data.md describes the columns).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chronotope {

enum class Split : std::uint8_t { train, validation, test };

/// One check-in. Positions in WGS 84 degrees, times in seconds.
struct Checkin {
  std::int32_t place = 0;     ///< index into CheckinTable::places
  std::int32_t category = 0;  ///< index into CheckinTable::categories; 0 is "" (not known)
  double latitude = 0;        ///< degrees, -90 to 90
  double longitude = 0;       ///< degrees, -180 to 180
  std::int64_t utc = 0;       ///< seconds since 1970-01-01 UTC
  std::int64_t local = 0;     ///< wall clock in the same unit: utc + 60 x offset
  Split split = Split::train;
  bool target = false;          ///< the row is a sample of its split; other rows are context only
  std::int32_t trajectory = 0;  ///< number of the trajectory, counted from 0 in the order of CheckinTable::rows
};

/// All check-ins of a file, grouped by user and in time order within a user.
struct CheckinTable {
  std::vector<std::string> users;       ///< user ids, ascending order of the strings
  std::vector<std::string> places;      ///< place ids, ascending order of the strings
  std::vector<std::string> categories;  ///< category names, ascending; categories[0] is always ""
  std::vector<Checkin> rows;            ///< rows of users[0], then of users[1], ...
  std::vector<std::size_t> begin;       ///< [users + 1]: rows of user u are rows[begin[u]] up to rows[begin[u + 1]]

  std::span<const Checkin> history(std::size_t user) const {
    return {rows.data() + begin[user], begin[user + 1] - begin[user]};
  }
};

/// Reads a check-in file; gzip is recognised by its first bytes, not by the name.
/// O(rows) time and memory. Rows may come in any order of users; within a user the file must be in time order.
/// Throws FileError (cannot be opened or read), FormatError (damaged gzip, missing or doubled column, wrong number of
/// fields, bad quoting, bad UTF-8) and DataError (no rows, value unreadable or out of range, time order), each with
/// file and, where they apply, row (the header is row 1), column and value.
CheckinTable read_checkins(const std::string& path);

/// Writes the same format; gzip'ed when the name ends in ".gz". Written under a temporary name, synced, renamed:
/// after an error the folder is as before. Throws DataError (a table that read_checkins would refuse) and FileError.
void write_checkins(const CheckinTable& table, const std::string& path);

}  // namespace chronotope
