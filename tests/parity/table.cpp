// The parity table for a terminal.
#include <algorithm>
#include <cmath>

#include "eval/text_table.hpp"
#include "parity/rows.hpp"

namespace chronotope::parity {

namespace {

constexpr const char* kinds[] = {"f32", "f64", "whole"};
int kind_of(DType t) { return t == DType::f32 ? 0 : t == DType::f64 ? 1 : 2; }

struct Cell {
  bool there = false, composed = false;
  double share = 0;

  void add(const Row& row) {
    there = true;
    composed = row.composed;
    share = row.share <= share ? share : row.share;  // NaN stays
  }
  std::string text() const {
    if (!there) return "";
    if (!(share <= 1)) return std::isfinite(share) ? text_table::fixed(share, 2) + " !!" : "FAILED !!";
    return (share == 0 ? "exact" : text_table::fixed(share, 2)) + (composed ? " c" : "");
  }
};

template <class F> std::vector<std::string> distinct(const std::vector<Row>& rows, F name) {
  std::vector<std::string> all;
  for (const Row& row : rows)
    if (std::find(all.begin(), all.end(), name(row)) == all.end()) all.push_back(name(row));
  return all;
}

text_table::Row line(const std::vector<Row>& rows, const std::string& operation, const std::vector<std::string>& backends) {
  text_table::Row cells{operation};
  for (const std::string& backend : backends) {
    Cell of_kind[std::size(kinds)];
    for (const Row& row : rows)
      if (row.operation == operation && row.backend == backend) of_kind[kind_of(row.dtype)].add(row);
    for (const Cell& cell : of_kind) cells.push_back(cell.text());
  }
  return cells;
}

}  // namespace

std::string table(const Measured& measured) {
  std::vector<Row> rows = measured.rows;
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.hook < b.hook; });
  const auto backends = distinct(rows, [](const Row& row) { return row.backend; });
  std::vector<text_table::Row> lines{{"operation"}};
  for (const std::string& backend : backends)
    for (const char* kind : kinds) lines[0].push_back(backend + " " + kind);
  for (const std::string& operation : distinct(rows, [](const Row& row) { return row.operation; })) lines.push_back(line(rows, operation, backends));
  std::string text = text_table::align(lines);
  text += "\nLargest error as a share of its tolerance (up to 1.00 is parity). exact: not a bit off. c: composed of primitives. Empty: not an operation of that dtype.\n"
          "Composed in f64 on eigen is what fused operations are compared with.\n";
  for (const std::string& reason : measured.left_out) text += "Left out: " + reason + "\n";
  return text;
}

}  // namespace chronotope::parity
