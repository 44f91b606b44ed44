// The map as a drawing.

#include <algorithm>
#include <cmath>

#include "map_frame.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double marker_radius = 10;

GeoPoint position(const auto& place) { return {place.latitude, place.longitude}; }
bool drawable(const auto& place) { return is_position(place.latitude, place.longitude); }

std::vector<GeoPoint> needed_points(const UserMap& map, std::span<const RecommendedPlace> shown) {
  std::vector<GeoPoint> points;
  for (const RecommendedPlace& r : shown)
    if (drawable(r)) points.push_back(position(r));
  for (const auto& known : {map.last, map.truth})
    if (known && drawable(*known)) points.push_back(position(*known));
  return points;
}

// Roots of the visits: where a few places have most visits, the others are part of the picture all the same.
std::vector<GeoPoint> past_points(const UserMap& map) {
  std::vector<GeoPoint> points;
  for (const VisitedPlace& v : map.history)
    if (drawable(v))
      points.push_back({v.latitude, v.longitude, std::sqrt(static_cast<double>(std::max<std::size_t>(1, v.visits)))});
  return points;
}

// ---- the past

std::string tip_of(const VisitedPlace& v) {
  std::string tip = shorten(v.name, 60) + ": " + counted(v.visits, "visit", "visits");
  return v.local_time.empty() ? tip : tip + ", latest " + shorten(v.local_time, 40);
}

// The area grows with the visits; the busiest place has the largest circle there is.
double radius_of(const VisitedPlace& v, std::size_t most) {
  return 2.5 + 12.5 * std::sqrt(static_cast<double>(v.visits) / static_cast<double>(std::max<std::size_t>(most, 5)));
}

// Where the line from the centre to the place leaves the drawing, or the place itself.
Point inside(const MapView& view, GeoPoint place, double margin) {
  const double x = view.width() / 2, y = view.height() / 2;
  const Point p = view.at(place);
  const double beyond = std::max({1.0, std::abs(p.x - x) / (x - margin), std::abs(p.y - y) / (y - margin)});
  return {x + (p.x - x) / beyond, y + (p.y - y) / beyond};
}

void draw_past(Svg& svg, const MapView& view, const UserMap& map) {
  std::vector<VisitedPlace> places;
  std::copy_if(map.history.begin(), map.history.end(), std::back_inserter(places),
               [](const auto& v) { return drawable(v); });
  std::stable_sort(places.begin(), places.end(),
                   [](const VisitedPlace& a, const VisitedPlace& b) { return a.visits > b.visits; });
  for (const VisitedPlace& v : places) {
    const GeoPoint p = position(v);
    if (view.shows(p)) svg.circle(view.at(p), radius_of(v, places.front().visits), "visited", tip_of(v));
    else svg.circle(inside(view, p, 6), 3, "beyond", tip_of(v) + " (outside this map)");
  }
}

// ---- what is recommended, and what is known

void diamond(Svg& svg, Point p, double size, std::string_view style, std::string_view tip) {
  const Point corners[] = {{p.x, p.y - size}, {p.x + size, p.y}, {p.x, p.y + size}, {p.x - size, p.y}};
  svg.polygon(corners, style, tip);
}

std::string tip_of(const KnownPlace& k, const std::string& what) {
  std::string tip = what + ": " + shorten(k.category.empty() ? k.place : k.category, 60);
  return k.local_time.empty() ? tip : tip + ", " + shorten(k.local_time, 40);
}

void draw_markers(Svg& svg, std::span<const RecommendedPlace> shown, std::span<const Point> homes,
                  std::span<const Point> places, const std::optional<KnownPlace>& truth) {
  for (std::size_t i = 0; i < homes.size(); ++i) {
    if (std::hypot(places[i].x - homes[i].x, places[i].y - homes[i].y) < 3) continue;
    svg.line(homes[i], places[i], "leader");
    svg.circle(homes[i], 2.2, "home");
  }
  for (std::size_t i = homes.size(); i-- > 0;) {  // the first lies on top
    const RecommendedPlace& r = shown[i];
    if (truth && truth->place == r.place) svg.circle(places[i], marker_radius + 3, "truth");
    svg.circle(places[i], marker_radius, "marker",
               std::to_string(r.rank) + ". " + shorten(r.category.empty() ? r.place : r.category, 60));
    svg.text({places[i].x, places[i].y + 4}, "middle number", std::to_string(r.rank));
  }
}

void draw_known(Svg& svg, const MapView& view, const UserMap& map, bool truth_has_marker) {
  if (map.last && drawable(*map.last))
    diamond(svg, view.at(position(*map.last)), 8, "last", tip_of(*map.last, "last position"));
  if (!map.truth || truth_has_marker || !drawable(*map.truth)) return;
  svg.circle(view.at(position(*map.truth)), 8, "truth", tip_of(*map.truth, "true place"));
  svg.circle(view.at(position(*map.truth)), 2.5, "true-dot");
}

void draw_places(Svg& svg, const MapView& view, const UserMap& map, std::span<const RecommendedPlace> shown) {
  const bool truth_has_marker = map.truth && std::any_of(shown.begin(), shown.end(), [&](const RecommendedPlace& r) {
                                  return r.place == map.truth->place;
                                });
  std::vector<Point> taken, homes;
  if (map.last && drawable(*map.last)) taken.push_back(view.at(position(*map.last)));
  if (map.truth && !truth_has_marker && drawable(*map.truth)) taken.push_back(view.at(position(*map.truth)));
  for (const RecommendedPlace& r : shown) homes.push_back(view.at(position(r)));
  draw_past(svg, view, map);
  draw_markers(svg, shown, homes, spread(homes, taken, marker_radius, view.width(), view.height()), map.truth);
  draw_known(svg, view, map, truth_has_marker);
}

std::string remark_on(std::span<const GeoPoint> past, const MapView& view) {
  std::size_t places = 0;
  double farthest = 0;
  for (const GeoPoint& p : past) {
    if (view.shows(p)) continue;
    ++places;
    farthest = std::max(farthest, great_circle_km(view.centre(), p));
  }
  if (places == 0) return {};
  return "<p class=\"remark\">" + counted(places, "place", "places") +
         " of the past outside this map (small rings on its edge), up to " + kilometres(farthest) +
         " from its centre.</p>";
}

}  // namespace

std::string map_drawing(const UserMap& map) {
  constexpr std::size_t most_markers = 20;  // more would hide one another
  std::vector<RecommendedPlace> shown;
  for (const RecommendedPlace& r : map.recommendations)
    if (drawable(r) && shown.size() < most_markers) shown.push_back(r);
  const std::vector<GeoPoint> needed = needed_points(map, shown), past = past_points(map);
  if (needed.empty() && past.empty()) return {};
  const MapView view(needed, past, map_width, map_height);
  std::vector<Point> drawn;
  for (const auto& points : {needed, past})
    for (const GeoPoint& p : points) drawn.push_back(inside(view, p, 6));
  const auto draw = [&](Svg& svg) { draw_places(svg, view, map, shown); };
  return framed_map(view, "Map of the user's past places and the recommendations", "clip-map", draw, drawn) +
         remark_on(past, view);
}

}  // namespace chronotope::report
