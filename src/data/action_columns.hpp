#pragma once
// The columns of an action log or a request log in a CSV, and the fields of a row.

#include <vector>

#include "action_fields.hpp"
#include "csv_fields.hpp"

namespace chronotope {

class ActionColumns {
 public:
  /// Keeps the reader. `log` and `needs` are for messages: "an action log", "user, time and place". Throws FormatError
  /// for an unknown, missing or doubled column.
  ActionColumns(const CsvReader& csv, FieldList fields, const char* log, const char* needs);

  /// Takes all fields of the row. Throws DataError with row and column.
  void take(ActionDraft& draft) const;

 private:
  const char* take(ActionDraft& draft, std::size_t column) const;
  template <class Number> const char* take_number(ActionDraft& draft, std::size_t column) const;

  const CsvReader& csv_;
  std::vector<ActionField> fields_;  // of each column
};

}  // namespace chronotope
