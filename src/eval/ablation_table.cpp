// The table of variants as text and as JSON.

#include <algorithm>

#include "chronotope/eval/ablation.hpp"
#include "chronotope/eval/targets.hpp"
#include "eval/measured_clicks.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using clicks::Json;
using text_table::fixed;
using text_table::Row;
using text_table::with_sign;

Row row_of(const AblationResult& r, const std::string& reference) {
  if (!r.error.empty()) return {r.name, r.group, "failed"};
  Row row{r.name, r.group, fixed(r.auc.value), clicks::bounds(r.auc), fixed(r.gauc.value), clicks::bounds(r.gauc)};
  if (r.difference)
    row.insert(row.end(), {with_sign(r.difference->auc.value), clicks::signed_bounds(r.difference->auc),
                           with_sign(r.difference->gauc.value), clicks::signed_bounds(r.difference->gauc)});
  else if (r.name == reference) row.push_back("reference");
  return row;
}

std::string by_chance(const AblationTable& table) {
  const auto n = std::count_if(table.results.begin(), table.results.end(), [](const AblationResult& r) { return r.difference.has_value(); });
  if (n < 2) return {};
  return "Of " + std::to_string(n) + " intervals of " + clicks::percent(table.level) + ", about " +
         fixed(static_cast<double>(n) * (1 - table.level), 1) + " would leave out 0 by chance alone if no switch changed anything.\n";
}

std::string failures(const AblationTable& table) {
  std::string text;
  for (const AblationResult& r : table.results) {
    if (r.error.empty()) continue;
    text += r.name + " failed: " + r.error + "\n";
    if (r.name == table.reference) text += "It is the reference: there are no differences.\n";
  }
  return text;
}

Json result_json(const AblationResult& r) {
  return {{"name", r.name},
          {"group", r.group},
          {"error", r.error.empty() ? Json(nullptr) : Json(r.error)},
          {"auc", clicks::interval_json(r.auc)},
          {"gauc", clicks::interval_json(r.gauc)},
          {"minus_reference", r.difference ? clicks::difference_json(*r.difference) : Json(nullptr)}};
}

}  // namespace

std::string format_ablation(const AblationTable& table) {
  const std::string interval = clicks::percent(table.level) + " interval", minus = " minus " + table.reference;
  std::vector<Row> rows{{"row", "group", "AUC", interval, "GAUC", interval, "AUC" + minus, interval, "GAUC" + minus, interval}};
  for (const AblationResult& r : table.results) rows.push_back(row_of(r, table.reference));
  return table.task + ", " + std::string(split_name(table.split)) + (table.semi_synthetic ? ", semi-synthetic" : "") + ": " +
         std::to_string(table.rows) + " rows, " + std::to_string(table.clicks) + " positive; GAUC over " +
         std::to_string(table.users) + " users, " + std::to_string(table.users_left_out) + " of one class left out\n" +
         text_table::align(rows) + failures(table) + by_chance(table);
}

std::string ablation_json(const AblationTable& table) {
  Json json{{"task", table.task}, {"split", split_name(table.split)}, {"semi_synthetic", table.semi_synthetic},
            {"level", table.level}, {"reference", table.reference}, {"rows", table.rows}, {"clicks", table.clicks},
            {"users", table.users}, {"users_left_out", table.users_left_out}};
  json["results"] = Json::array();
  for (const AblationResult& r : table.results) json["results"].push_back(result_json(r));
  return clicks::json_text(json);
}

}  // namespace chronotope
