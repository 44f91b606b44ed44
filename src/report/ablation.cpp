// What each switch earns.

#include <algorithm>
#include <cmath>

#include "bars.hpp"
#include "chronotope/eval/targets.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

std::string difference_figure(const AblationTable& table, const std::string& measure, MeasuredInterval ClickDifference::* difference) {
  std::vector<Bar> bars;
  std::vector<double> ends{0};
  for (const AblationResult& r : table.results) {
    if (!r.difference || !std::isfinite(((*r.difference).*difference).value)) continue;
    const MeasuredInterval& d = (*r.difference).*difference;
    const bool clear = d.low > 0 || d.high < 0;
    bars.push_back({r.name, with_sign(d.value, 4), clear ? "model timed" : "model untimed", false, d.value, d.low, d.high});
    ends.insert(ends.end(), {d.value, d.low, d.high});
  }
  const Range range = range_of(ends);
  const double room = .03 * (range.high - range.low);
  const std::string caption = measure + " minus that of " + shorten(table.reference, 40);
  return figure(caption, bars_drawing(bars, {{range.low - room, range.high + room}, 0, caption}));
}

std::string legend() {
  return "<ul class=\"legend\">" + swatch("model timed", "the interval leaves out 0") +
         swatch("model untimed", "chance may explain the difference") + "</ul>";
}

std::string row_of(const AblationTable& table, const AblationResult& r) {
  const bool reference = r.name == table.reference;
  std::string row = "<tr" + std::string(reference ? " class=\"chosen\"" : "") + "><th scope=\"row\">" + escape(shorten(r.name, 60)) + "</th>";
  if (!r.error.empty()) return row + "<td colspan=\"4\" class=\"failed\">failed: " + escape(shorten(r.error, 300)) + "</td></tr>\n";
  row += interval_cell(r.auc, false) + interval_cell(r.gauc, false);
  if (r.difference) row += interval_cell(r.difference->auc, true) + interval_cell(r.difference->gauc, true);
  else row += "<td>" + std::string(reference ? "reference" : "–") + "</td><td></td>";
  return row + "</tr>\n";
}

std::string rows_of(const AblationTable& table) {
  std::string rows;
  const std::string* group = nullptr;
  for (const AblationResult& r : table.results) {
    if ((!group || *group != r.group) && !r.group.empty())
      rows += "<tr><th scope=\"colgroup\" colspan=\"5\" class=\"group\">" + escape(shorten(r.group, 60)) + "</th></tr>\n";
    group = &r.group;
    rows += row_of(table, r);
  }
  return rows;
}

std::string by_chance(const AblationTable& table) {
  const auto n = std::count_if(table.results.begin(), table.results.end(), [](const AblationResult& r) { return r.difference.has_value(); });
  if (n < 2) return {};
  return " Of " + whole(n) + " intervals of " + fixed(100 * table.level, 0) + " %, about " + fixed(static_cast<double>(n) * (1 - table.level), 1) +
         " would leave out 0 by chance alone if no switch changed anything.";
}

std::string table_section(const AblationTable& table) {
  if (table.results.empty()) return {};
  const std::string minus = " minus " + escape(shorten(table.reference, 40));
  const std::string drawings =
      difference_figure(table, "AUC", &ClickDifference::auc) + difference_figure(table, "GAUC", &ClickDifference::gauc);
  const std::string head = counted(table.rows, "row", "rows") + " of the " + std::string(split_name(table.split)) + " split, " +
                           whole(static_cast<std::int64_t>(table.clicks)) + " positive; GAUC over " + counted(table.users, "user", "users") + ", " +
                           whole(static_cast<std::int64_t>(table.users_left_out)) + " of one class left out.";
  return section("Ablations: " + escape(shorten(table.task, 60)) + synthetic_note(table.semi_synthetic),
                 "<p class=\"remark\">" + head + by_chance(table) + "</p>" +
                     (drawings.empty() ? "" : legend() + "<div class=\"pair\">" + drawings + "</div>") +
                     "<div class=\"scroll\"><table><thead><tr><th>row</th><th>AUC</th><th>GAUC</th><th>AUC" + minus + "</th><th>GAUC" +
                     minus + "</th></tr></thead><tbody>" + rows_of(table) + "</tbody></table></div>\n");
}

}  // namespace

std::string ablations_part(const ReportContent& content) {
  std::string sections;
  for (const AblationTable& table : content.ablations) sections += table_section(table);
  return sections;
}

}  // namespace chronotope::report
