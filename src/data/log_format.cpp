#include <algorithm>
#include <filesystem>
#include <string_view>

#include "byte_source.hpp"
#include "chronotope/core/error.hpp"
#include "column_blocks.hpp"
#include "field_rows.hpp"

namespace chronotope {

LogFormat format_of(const std::string& path) {
  std::error_code ignored;  // what cannot be asked cannot be opened either, and says why then
  const auto kind = std::filesystem::status(path, ignored).type();
  if (kind == std::filesystem::file_type::fifo || kind == std::filesystem::file_type::socket ||
      kind == std::filesystem::file_type::character)
    throw FileError(path +
                    ": cannot be read: it is no file; logs are read more than once, so write it to a file first");
  ByteSource source(path);
  char bytes[4096];
  for (bool first = true;; first = false) {
    std::string_view piece(bytes, source.read(bytes, sizeof bytes));
    if (first && piece.starts_with(column_magic)) return LogFormat::columns;
    if (piece.empty()) return LogFormat::csv;
    if (first && piece.starts_with("\xEF\xBB\xBF")) piece.remove_prefix(3);
    const std::size_t at = piece.find_first_not_of(" \t\r\n");
    if (at != piece.npos) return piece[at] == '{' ? LogFormat::json : LogFormat::csv;
  }
}

LogFormat format_of_name(std::string_view path) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".csv")) return LogFormat::csv;
  if (name.ends_with(".jsonl")) return LogFormat::json;
  if (name.ends_with(".columns")) return LogFormat::columns;
  throw ConfigError(std::string(path) + ": the name does not say a format; let it end in .csv, .jsonl or .columns, or in one of these with .gz behind it");
}

std::unique_ptr<FieldRows> rows_in(const std::string& path, LogFormat format, const LogFields& log) {
  return format == LogFormat::columns ? column_rows(path, log) : csv_rows(path, log);
}

void check_needed(const std::string& path, FieldList found, const LogFields& log) {
  for (const ActionField field : log.fields)
    if (is_needed(field) && std::find(found.begin(), found.end(), field) == found.end())
      throw FormatError(path + ": row 1: the column " + std::string(name_of(field)) + " is missing; " + log.log + " needs " + log.needs +
                        " (docs/data.md)");
}

}  // namespace chronotope
