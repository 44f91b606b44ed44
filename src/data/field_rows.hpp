#pragma once
// Rows of fields, whatever they were written as: what readers of action logs and of request logs take them from.

#include <memory>
#include <string>

#include "action_fields.hpp"

namespace chronotope {

class FieldRows {
 public:
  virtual ~FieldRows() = default;
  /// Moves to the next row; false at the end.
  virtual bool next() = 0;
  /// Takes all fields of the row. Throws DataError with row and column.
  virtual void take(ActionDraft& draft) const = 0;
  /// The file and the row, for the beginning of a message.
  virtual std::string place() const = 0;
};

/// What a kind of log holds; `log` and `needs` are for messages: "an action log", "user, time and place".
struct LogFields {
  FieldList fields;
  const char *log, *needs;
};

inline constexpr LogFields action_log_fields{action_fields, "an action log", "user, time and place"};
inline constexpr LogFields request_log_fields{request_fields, "a request log", "request, user, time, place and clicked"};

enum class LogFormat : std::uint8_t { csv, json, columns };

/// The format that the content says. Throws FileError, also for what cannot be opened a second time and read from the start: pipes, sockets,
/// terminals.
LogFormat format_of(const std::string& path);
/// The format that a name says which is to be written. Throws ConfigError for a name that says none.
LogFormat format_of_name(std::string_view path);

/// Throw FormatError for an unknown, missing or doubled column.
std::unique_ptr<FieldRows> csv_rows(const std::string& path, const LogFields& log);
std::unique_ptr<FieldRows> column_rows(const std::string& path, const LogFields& log);
/// The rows of a log that is not JSON.
std::unique_ptr<FieldRows> rows_in(const std::string& path, LogFormat format, const LogFields& log);

/// Throws FormatError when what a row needs is not among the fields of all rows.
void check_needed(const std::string& path, FieldList found, const LogFields& log);

}  // namespace chronotope
