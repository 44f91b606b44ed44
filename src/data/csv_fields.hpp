#pragma once
// Columns by name and fields as values, with the errors that say where. Columns are counted from 0.

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "csv.hpp"

namespace chronotope {

inline constexpr std::size_t no_column = std::numeric_limits<std::size_t>::max();

/// The column of this name, or no_column. Throws FormatError when two have it.
std::size_t find_column(const CsvReader& csv, std::string_view name);

/// Throws DataError: place, value, rule.
[[noreturn]] void reject_field(const CsvReader& csv, std::size_t column, const std::string& rule);

/// Throws DataError for an empty field.
std::string_view required_field(const CsvReader& csv, std::size_t column);

/// The whole of a field as a number; nothing if it is none. What is beyond the type becomes its lowest value, which is
/// beyond every rule. Throws DataError for an empty field.
template <class Number> std::optional<Number> parse_field(const CsvReader& csv, std::size_t column) {
  const std::string_view value = required_field(csv, column);
  Number number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc::invalid_argument || end != value.data() + value.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<Number>::lowest();
  return number;
}

/// Degrees between -most and most. Throws DataError.
double degrees_field(const CsvReader& csv, std::size_t column, double most);

}  // namespace chronotope
