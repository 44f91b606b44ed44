// The map with its legend, and the recommendations as a list.

#include <algorithm>
#include <cmath>

#include "map_view.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

bool is_truth(const UserMap& map, const std::string& place) { return map.truth && map.truth->place == place; }

bool truth_is_listed(const UserMap& map) {
  return std::any_of(map.recommendations.begin(), map.recommendations.end(),
                     [&](const RecommendedPlace& r) { return is_truth(map, r.place); });
}

std::string name_of(const auto& place) {
  const std::string& name = place.category.empty() ? place.place : place.category;
  return name.empty() ? "place without a name" : escape(shorten(name, 80));
}

std::string details_of(const RecommendedPlace& r) {
  const auto piece = [](const std::string& text) { return "<span>" + text + "</span> "; };
  std::string text = piece(kilometres(r.distance_km) + " away");
  text +=
      piece(r.earlier_visits == 0 ? "new to the user" : counted(r.earlier_visits, "earlier visit", "earlier visits"));
  if (!r.usual_hour.empty()) text += piece("usually " + escape(shorten(r.usual_hour, 40)));
  if (!r.category.empty() && !r.place.empty()) text += "<code>" + escape(shorten(r.place, 80)) + "</code>";
  return text;
}

// 0 for a share that cannot be one.
double share(double p) { return std::isfinite(p) ? std::clamp(p, 0.0, 1.0) : 0; }

std::string percent(double p) {
  if (!std::isfinite(p)) return "–";
  return p > 0 && p < 0.0005 ? "&lt;0.1%" : fixed(100 * p, 1) + "%";
}

// Bars are relative to the likeliest place: probabilities over thousands of places are small.
std::string list_item(const UserMap& map, const RecommendedPlace& r, double most) {
  const double length = most > 0 ? 100 * share(r.probability) / most : 0;
  const bool truth = is_truth(map, r.place);
  return "<li" + std::string(truth ? " class=\"true\"" : "") + "><span class=\"badge\">" + std::to_string(r.rank) +
         "</span><div><span class=\"place\">" + name_of(r) + "</span>" +
         (truth ? " <span class=\"tag\">true place</span>" : "") + "<div class=\"small\">" + details_of(r) +
         "</div></div><div class=\"probability\">" + percent(r.probability) + "<svg viewBox=\"0 0 100 4\" " +
         "preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"4\"/>" +
         "<rect class=\"bar model timed\" width=\"" + fixed(length, 1) + "\" height=\"4\"/></svg></div></li>\n";
}

std::string list(const UserMap& map) {
  double most = 0;
  for (const RecommendedPlace& r : map.recommendations) most = std::max(most, share(r.probability));
  std::string items;
  for (const RecommendedPlace& r : map.recommendations) items += list_item(map, r, most);
  return items.empty() ? "" : "<ol class=\"recommendations\">" + items + "</ol>";
}

std::string truth_line(const UserMap& map) {
  if (!map.truth || truth_is_listed(map)) return {};
  const std::string rank =
      map.truth->rank ? "; the model has it at rank " + whole(static_cast<std::int64_t>(*map.truth->rank)) : "";
  return "<p class=\"remark\">The true place, " + name_of(*map.truth) + ", is not among these" + rank + ".</p>";
}

std::string key(const std::string& shape, const std::string& text) {
  return "<li><svg class=\"swatch\" viewBox=\"0 0 22 22\" aria-hidden=\"true\">" + shape + "</svg>" + text + "</li>";
}

std::string legend(const UserMap& map) {
  std::string items;
  if (!map.recommendations.empty())
    items += key("<circle class=\"marker\" cx=\"11\" cy=\"11\" r=\"9\"/>", "recommended, by rank");
  if (!map.history.empty())
    items += key("<circle class=\"visited\" cx=\"11\" cy=\"11\" r=\"8\"/>", "visited before (larger: more often)");
  if (map.last) items += key("<polygon class=\"last\" points=\"11,3 19,11 11,19 3,11\"/>", "last position");
  if (map.truth) items += key("<circle class=\"truth\" cx=\"11\" cy=\"11\" r=\"8\"/>", "true place");
  return "<ul class=\"legend\">" + items + "</ul>";
}

std::string introduction(const UserMap& map) {
  std::string text = map.user.empty() ? "" : "User <strong>" + escape(shorten(map.user, 60)) + "</strong>";
  if (!map.asked_time.empty())
    text += (text.empty() ? "Asked for " : ", asked for ") + escape(shorten(map.asked_time, 60));
  if (map.last) {
    text += (text.empty() ? "Last seen: " : "; last seen: ") + name_of(*map.last);
    if (!map.last->local_time.empty()) text += ", " + escape(shorten(map.last->local_time, 60));
  }
  return text.empty() ? "" : "<p>" + text + ".</p>";
}

}  // namespace

std::string map_part(const ReportContent& content) {
  if (!content.map) return {};
  const UserMap& map = *content.map;
  const std::string drawing = map_drawing(map), recommended = list(map) + truth_line(map);
  if (drawing.empty() && recommended.empty()) return {};
  const std::string left = drawing.empty() ? "" : "<figure>" + legend(map) + drawing + "</figure>";
  const std::string right = recommended.empty() ? "" : "<div>" + recommended + "</div>";
  return section("Where next?", introduction(map) + "<div class=\"pair map\">" + left + right + "</div>");
}

}  // namespace chronotope::report
