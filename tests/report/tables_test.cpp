// Tables of figures on the page: sound markup whatever the names, lines with error bars, nothing drawn of what is no number.

#include <doctest/doctest.h>

#include <limits>

#include "page_check.hpp"
#include "report/parts.hpp"

using namespace chronotope;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

MeasuredInterval around(double value) { return {value, 0.01, value - 0.02, value + 0.02, 0}; }

LineFigure lines() { return {"Rates <of> \"all\"", "k & more", {"1", "5", "<b>"}, {{"model", true, {around(0.1), around(0.2), around(0.3)}}, {"count</svg>ing", false, {around(0.2), {none, none, none, none, 0}, {0.4, none, none, none, 0}}}}}; }

ReportContent page_of(ResultTable table) {
  ReportContent content;
  content.tables = {std::move(table)};
  return content;
}

}  // namespace

TEST_CASE("report tables: the page is sound and says the figures") {
  const ResultTable table{"t", "Table <7>", "methods", {"hr@1", "<i>"}, {{"a</table>", {TableCell{around(0.25)}, {}}}, {"b", {TableCell{around(-0.5), TableCell::Form::difference}, TableCell{{none, none, none, none, 0}}}}}, {"<note>"}, {lines()}};
  const std::string page = render_report(page_of(table));
  CHECK(page_check::markup_problem(page) == "");
  CHECK(page_check::odd_number(page) == "");
  for (const char* text : {"Table &lt;7&gt;", "0.2500 ±0.0100", "-0.5000 [-0.5200, -0.4800]", "&lt;note&gt;", "a&lt;/table&gt;"}) CHECK(page_check::has(page, text));
}

TEST_CASE("report tables: a line through what is there, bars where an interval is known") {
  const std::string drawing = report::line_drawing(lines());
  CHECK(page_check::count(drawing, "<circle") == 5);
  CHECK(page_check::count(drawing, "<polyline") == 2);
  CHECK(page_check::count(drawing, "\"error-bar\"") == 9);          // three lines each
  CHECK(page_check::count(drawing, "\"error-bar counter\"") == 3);  // of the first alone
  CHECK(page_check::odd_number(drawing) == "");
}

TEST_CASE("report tables: nothing to draw, or a single point") {
  CHECK(report::line_drawing({}) == "");
  CHECK(report::line_drawing({"t", "x", {"1"}, {{"m", true, {{none, none, none, none, 0}}}}}) == "");
  const std::string one = report::line_drawing({"t", "x", {"1"}, {{"m", true, {around(0.5)}}}});
  CHECK(page_check::count(one, "<circle") == 1);
  CHECK(page_check::count(one, "<polyline") == 0);
  CHECK(report::tables_part({}) == "");
}
