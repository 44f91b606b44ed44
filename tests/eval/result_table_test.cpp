// Tables of figures as text, Markdown and JSON.

#include "chronotope/eval/result_table.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

using namespace chronotope;
using Form = TableCell::Form;

namespace {

const MeasuredInterval quarter{0.25, 0.01, 0.23, 0.27, 0};

ResultTable example() {
  return {"t", "A | title", "method", {"hr@1", "change"}, {{"one", {TableCell{quarter}, {}}}, {"t|wo", {TableCell{quarter, Form::share}, TableCell{{-0.5, 0.1, -0.7, -0.3, 0}, Form::difference}}}}, {"a note"}};
}

}  // namespace

TEST_CASE("cells say what they know") {
  CHECK(cell_text({}) == "-");
  CHECK(cell_text(TableCell{quarter}) == "0.2500 ±0.0100");
  CHECK(cell_text(TableCell{quarter, Form::share}) == "25.0% ±1.0");
  CHECK(cell_text(TableCell{quarter, Form::difference}) == "+0.2500 [+0.2300, +0.2700]");
  CHECK(cell_text(plain_cell(12345, Form::count)) == "12345");
  CHECK(cell_text(plain_cell(0.5, Form::share)) == "50.0%");
  CHECK(cell_text(plain_cell(std::nan(""), Form::measure)) == "-");
}

TEST_CASE("a table as text, Markdown and JSON") {
  const ResultTable table = example();
  CHECK(format_result_table(table) ==
        "A | title\nmethod            hr@1                      change\none     0.2500 ±0.0100                           -\nt|wo        25.0% ±1.0  -0.5000 [-0.7000, -0.3000]\n  a note\n");
  CHECK(result_table_markdown(table) ==
        "## A \\| title\n\n| method | hr@1 | change |\n|---|---:|---:|\n| one | 0.2500 ±0.0100 | - |\n| t\\|wo | 25.0% ±1.0 | -0.5000 [-0.7000, -0.3000] |\n\n- a note\n");
  const auto json = nlohmann::json::parse(result_tables_json({&table, 1}));
  CHECK(json["t"]["rows"][1]["cells"][1]["low"] == -0.7);
  CHECK(json["t"]["rows"][0]["cells"][1].is_null());
  const ResultTable count{"c", "", "", {"n"}, {{"x", {plain_cell(3, Form::count)}}}, {}};
  CHECK(nlohmann::json::parse(result_tables_json({&count, 1}))["c"]["rows"][0]["cells"][0]["standard_error"].is_null());
}

TEST_CASE("differences in words") {
  CHECK(difference_in_words({0.03, 0.01, 0, 0, 0}, 1) == "+0.0300 ±0.0100, as in the paper, by more than two standard errors");
  CHECK(difference_in_words({0.02, 0.01, 0, 0, 0}, 1) == "+0.0200 ±0.0100, as in the paper, but within two standard errors");
  CHECK(difference_in_words({0.03, 0.01, 0, 0, 0}, -1) == "+0.0300 ±0.0100, AGAINST the paper, by more than two standard errors");
  CHECK(difference_in_words({0.01, 0.01, 0, 0, 0}, -1) == "+0.0100 ±0.0100, against the paper, but within two standard errors");
  CHECK(difference_in_words({0, 0, 0, 0, 0}, 1) == "+0.0000 ±0.0000: nothing changed");
  CHECK(difference_in_words({std::nan(""), 0, 0, 0, 0}, 1).find("says nothing") != std::string::npos);
  CHECK(comparison_in_words("a", {-0.1, 0.01, -0.12, -0.08, 0}, "b") == "a LOSES to b: -0.1000 [-0.1200, -0.0800]");
  CHECK(comparison_in_words("a", {0.1, 0.1, -0.12, 0.3, 0}, "b").find("a ties with b") == 0);
}
