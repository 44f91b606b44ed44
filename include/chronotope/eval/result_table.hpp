#pragma once
// A table of measured figures with its words and drawings: for a terminal, as Markdown, as JSON; report/report.hpp shows it too.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {

/// One figure of a table.
struct TableCell {
  enum class Form : std::uint8_t {
    measure,     ///< four digits and the standard error
    difference,  ///< the same with a sign and the interval
    share,       ///< percent, and the error in percentage points
    count        ///< a whole number
  };
  MeasuredInterval value;  ///< error and bounds NaN where none is known
  Form form = Form::measure;
};

/// A figure without an error.
TableCell plain_cell(double value, TableCell::Form form);

struct TableRow {
  std::string name;
  std::vector<std::optional<TableCell>> cells;  ///< [columns]
};

/// One line of a drawing. Lines of models are blue, others grey.
struct FigureLine {
  std::string name;
  bool model = true;
  std::vector<MeasuredInterval> values;  ///< [x]; not finite ones are not drawn
};

struct LineFigure {
  std::string title, x_title;
  std::vector<std::string> x;  ///< drawn at equal distances
  std::vector<FigureLine> lines;
};

struct ResultTable {
  std::string key;                   ///< "table_7"
  std::string title;
  std::string row_title = "";        ///< above the names of rows
  std::vector<std::string> columns;
  std::vector<TableRow> rows;
  std::vector<std::string> notes;    ///< sentences below
  std::vector<LineFigure> figures = {};
};

/// "0.1525 ±0.0040", "+0.0123 [+0.0051, +0.0195]", "67.0%", "12345"; "-" for no cell or no number.
std::string cell_text(const std::optional<TableCell>& cell);

/// Title, aligned columns, notes.
std::string format_result_table(const ResultTable& table);

/// The same as a Markdown section of level two.
std::string result_table_markdown(const ResultTable& table);

/// {key: {"title", "columns", "rows": [{"name", "cells": [C or null]}], "notes"}} with C = {"value", "standard_error", "low", "high"}; what is not
/// finite is null.
std::string result_tables_json(std::span<const ResultTable> tables);

/// In words how a difference stands to the direction that a paper found (1: above 0, -1: below): "+0.0123 ±0.0031, as in the paper, by more
/// than two standard errors", "…, against the paper, but within two standard errors", with AGAINST where it is clear.
std::string difference_in_words(const MeasuredInterval& difference, int expected);

/// "first beats second: +0.0123 [+0.0051, +0.0195]" for first minus second; LOSES to, or ties with where the interval has 0.
std::string comparison_in_words(const std::string& first, const MeasuredInterval& difference, const std::string& second);

}  // namespace chronotope
