#include "chronotope/eval/result_table.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;
using text_table::with_sign;

std::string with_error(std::string text, double error, int digits, const char* unit = "") {
  return std::isfinite(error) ? text + unit + " ±" + fixed(error, digits) : text + unit;
}

std::string difference_text(const MeasuredInterval& v) {
  return with_sign(v.value) + (std::isfinite(v.low) ? " [" + with_sign(v.low) + ", " + with_sign(v.high) + "]" : "");
}

/// Rows of texts, the head first.
std::vector<text_table::Row> texts(const ResultTable& table) {
  std::vector<text_table::Row> rows{{table.row_title}};
  rows[0].insert(rows[0].end(), table.columns.begin(), table.columns.end());
  for (const TableRow& row : table.rows) {
    rows.push_back({row.name});
    for (const auto& cell : row.cells) rows.back().push_back(cell_text(cell));
  }
  return rows;
}

/// A bar would end the cell.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return safe;
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json json_of(const std::optional<TableCell>& cell) {
  if (!cell) return {};
  const MeasuredInterval& v = cell->value;
  return {{"value", number(v.value)}, {"standard_error", number(v.standard_error)}, {"low", number(v.low)}, {"high", number(v.high)}};
}

Json json_of(const ResultTable& table) {
  Json rows = Json::array();
  for (const TableRow& row : table.rows) {
    Json cells = Json::array();
    for (const auto& cell : row.cells) cells.push_back(json_of(cell));
    rows.push_back({{"name", row.name}, {"cells", cells}});
  }
  return {{"title", table.title}, {"columns", table.columns}, {"rows", rows}, {"notes", table.notes}};
}

}  // namespace

TableCell plain_cell(double value, TableCell::Form form) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  return {{value, unknown, unknown, unknown, 0}, form};
}

std::string cell_text(const std::optional<TableCell>& cell) {
  if (!cell || !std::isfinite(cell->value.value)) return "-";
  const MeasuredInterval& v = cell->value;
  switch (cell->form) {
    case TableCell::Form::difference: return difference_text(v);
    case TableCell::Form::share: return with_error(fixed(100 * v.value, 1), 100 * v.standard_error, 1, "%");
    case TableCell::Form::count: return fixed(v.value, 0);
    default: return with_error(fixed(v.value), v.standard_error, 4);
  }
}

std::string format_result_table(const ResultTable& table) {
  std::string text = table.title + "\n" + text_table::align(texts(table));
  for (const std::string& note : table.notes) text += "  " + note + "\n";
  return text;
}

std::string result_table_markdown(const ResultTable& table) {
  std::string text = "## " + escaped(table.title) + "\n\n";
  bool head = true;
  for (const text_table::Row& row : texts(table)) {
    for (const std::string& cell : row) text += "| " + escaped(cell) + " ";
    text += "|\n";
    if (std::exchange(head, false)) {
      text += "|---|";
      for (std::size_t i = 1; i < row.size(); ++i) text += "---:|";
      text += "\n";
    }
  }
  if (!table.notes.empty()) text += "\n";
  for (const std::string& note : table.notes) text += "- " + escaped(note) + "\n";
  return text;
}

std::string result_tables_json(std::span<const ResultTable> tables) {
  Json json = Json::object();
  for (const ResultTable& table : tables) json[table.key] = json_of(table);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string comparison_in_words(const std::string& first, const MeasuredInterval& d, const std::string& second) {
  const char* says = d.low > 0 ? " beats " : d.high < 0 ? " LOSES to " : " ties with ";
  return first + says + second + ": " + difference_text(d);
}

std::string difference_in_words(const MeasuredInterval& d, int expected) {
  const std::string figures = with_error(with_sign(d.value), d.standard_error, 4);
  if (!std::isfinite(d.value) || !std::isfinite(d.standard_error)) return figures + ", which says nothing";
  if (d.value == 0 && d.standard_error == 0) return figures + ": nothing changed";
  const bool clear = std::abs(d.value) > 2 * d.standard_error, agrees = d.value * expected > 0;
  return figures + (agrees ? ", as in the paper, " : clear ? ", AGAINST the paper, " : ", against the paper, ") + (clear ? "by more than two standard errors" : "but within two standard errors");
}

}  // namespace chronotope
