#include "csv_fields.hpp"

#include <cmath>

#include "chronotope/core/error.hpp"

namespace chronotope {

std::size_t find_column(const CsvReader& csv, std::string_view name) {
  std::size_t found = no_column;
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    if (csv.header()[i] != name) continue;
    if (found != no_column)
      throw FormatError(csv.place(i) + "the column is named twice, first as column " + std::to_string(found + 1) +
                        "; rename or remove one of them");
    found = i;
  }
  return found;
}

void reject_field(const CsvReader& csv, std::size_t column, const std::string& rule) {
  throw DataError(csv.place(column) + shown(csv.field(column)) + " " + rule);
}

std::string_view required_field(const CsvReader& csv, std::size_t column) {
  const std::string_view text = csv.field(column);
  if (text.empty()) throw DataError(csv.place(column) + "the value is empty; every row needs one");
  return text;
}

double degrees_field(const CsvReader& csv, std::size_t column, double most) {
  const auto value = parse_field<double>(csv, column);
  if (!value || !std::isfinite(*value)) reject_field(csv, column, "is not a number; write degrees such as 40.7127");
  if (std::abs(*value) > most) {
    const std::string bound = std::to_string(static_cast<int>(most));
    reject_field(csv, column, "is out of range: degrees lie between -" + bound + " and " + bound);
  }
  return *value;
}

}  // namespace chronotope
