// Tables of measured figures.

#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

std::string head_of(const ResultTable& table) {
  std::string head = "<th>" + escape(table.row_title) + "</th>";
  for (const std::string& column : table.columns) head += "<th>" + escape(column) + "</th>";
  return "<thead><tr>" + head + "</tr></thead>";
}

std::string row_of(const TableRow& row) {
  std::string text = "<tr><th scope=\"row\">" + escape(shorten(row.name, 80)) + "</th>";
  for (const auto& cell : row.cells) text += "<td>" + escape(cell_text(cell)) + "</td>";
  return text + "</tr>\n";
}

std::string section_of(const ResultTable& table) {
  std::string rows, drawings, notes;
  for (const TableRow& row : table.rows) rows += row_of(row);
  for (const LineFigure& f : table.figures) drawings += figure(f.title, line_drawing(f));
  for (const std::string& note : table.notes) notes += "<p class=\"remark\">" + escape(note) + "</p>\n";
  const std::string around = table.figures.size() > 1 ? "pair" : "single";
  if (!drawings.empty()) drawings = "<div class=\"" + around + "\">" + drawings + "</div>";
  const std::string body = "<div class=\"scroll\"><table>" + head_of(table) + "<tbody>" + rows + "</tbody></table></div>\n";
  return section(escape(shorten(table.title, 200)), drawings + body + notes);
}

}  // namespace

std::string tables_part(const ReportContent& content) {
  std::string sections;
  for (const ResultTable& table : content.tables) sections += section_of(table);
  return sections;
}

}  // namespace chronotope::report
