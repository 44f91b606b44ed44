#include "map_view.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chronotope::report {
namespace {

constexpr double radians = std::numbers::pi / 180;
constexpr double least_span_km = 0.6;  // what is shown around a single point

double to_circle(double degrees) { return degrees - 360 * std::floor((degrees + 180) / 360); }

// The longitude from which, going east, all points lie within the shortest arc.
double western_end(std::span<const GeoPoint> points) {
  std::vector<double> all;
  for (const GeoPoint& p : points) all.push_back(to_circle(p.longitude));
  std::sort(all.begin(), all.end());
  double start = all.front(), widest = all.front() + 360 - all.back();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i] - all[i - 1] <= widest) continue;
    widest = all[i] - all[i - 1];
    start = all[i];
  }
  return start;
}

struct Box {
  double south, north, west, east;  // east - west <= 360
};

Box box_of(std::span<const GeoPoint> points) {
  const double start = western_end(points);
  Box box{90, -90, start, start};
  for (const GeoPoint& p : points) {
    box.south = std::min(box.south, p.latitude);
    box.north = std::max(box.north, p.latitude);
    box.east = std::max(box.east, start + std::fmod(to_circle(p.longitude) - start + 720, 360));
  }
  return box;
}

GeoPoint centre_of(const Box& box) { return {(box.south + box.north) / 2, to_circle((box.west + box.east) / 2)}; }

GeoPoint heaviest(std::span<const GeoPoint> points) {
  return *std::max_element(points.begin(), points.end(),
                           [](const GeoPoint& a, const GeoPoint& b) { return a.weight < b.weight; });
}

void add_context(std::vector<GeoPoint>& shown, std::span<const GeoPoint> context) {
  if (context.empty()) return;
  const GeoPoint centre = shown.empty() ? heaviest(context) : centre_of(box_of(shown));
  std::vector<std::pair<double, GeoPoint>> by_distance;
  double total = 0, covered = 0, reach = 0;
  for (const GeoPoint& p : context) by_distance.emplace_back(great_circle_km(centre, p), p), total += p.weight;
  std::stable_sort(by_distance.begin(), by_distance.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [distance, p] : by_distance) {
    if (covered >= 0.9 * total && distance > 1.5 * reach) break;
    if (covered < 0.9 * total) reach = distance;
    covered += p.weight;
    shown.push_back(p);
  }
}

// Away from `other`; points in the very same place part in directions that differ from turn to turn, as the edge of the
// drawing may be in the way of some.
Point push(Point p, Point other, double least, std::size_t turn) {
  const double dx = p.x - other.x, dy = p.y - other.y, distance = std::hypot(dx, dy);
  if (distance >= least) return {};
  const double angle = 2.4 * static_cast<double>(turn + 1);  // golden angle
  const double ux = distance > 1e-3 ? dx / distance : std::cos(angle),
               uy = distance > 1e-3 ? dy / distance : std::sin(angle);
  return {ux * (least - distance), uy * (least - distance)};
}

}  // namespace

bool is_position(double latitude, double longitude) { return std::abs(latitude) <= 90 && std::abs(longitude) <= 360; }

double great_circle_km(GeoPoint a, GeoPoint b) {
  const double north = std::sin((b.latitude - a.latitude) * radians / 2);
  const double east = std::sin((b.longitude - a.longitude) * radians / 2);
  const double h = north * north + std::cos(a.latitude * radians) * std::cos(b.latitude * radians) * east * east;
  return 2 * 6371 * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0)));
}

MapView::MapView(std::span<const GeoPoint> needed, std::span<const GeoPoint> context, double width, double height)
    : width_(width), height_(height) {
  std::vector<GeoPoint> shown(needed.begin(), needed.end());
  add_context(shown, context);
  if (shown.empty()) shown.push_back({});
  const Box box = box_of(shown);
  centre_ = centre_of(box);
  narrowing_ = std::max(0.05, std::cos(centre_.latitude * radians));
  const double least = least_span_km / kilometres_per_degree;
  const double tall = std::max(box.north - box.south, least),
               wide = std::max((box.east - box.west) * narrowing_, least);
  units_per_degree_ = 0.86 * std::min(width / wide, height / tall);
}

Point MapView::at(GeoPoint p) const {
  const double east = to_circle(p.longitude - centre_.longitude) * narrowing_, north = p.latitude - centre_.latitude;
  return {width_ / 2 + east * units_per_degree_, height_ / 2 - north * units_per_degree_};
}

bool MapView::shows(GeoPoint p) const {
  const Point q = at(p);
  return q.x >= 0 && q.x <= width_ && q.y >= 0 && q.y <= height_;
}

Range MapView::latitudes() const {
  const double half = height_ / 2 / units_per_degree_;
  return {std::max(-90.0, centre_.latitude - half), std::min(90.0, centre_.latitude + half)};
}

Range MapView::longitudes() const {
  const double half = std::min(180.0, width_ / 2 / units_per_degree_ / narrowing_);
  return {centre_.longitude - half, centre_.longitude + half};
}

std::vector<Point> spread(std::vector<Point> wanted, std::span<const Point> obstacles, double radius, double width,
                          double height) {
  std::vector<Point> now = wanted;
  const std::size_t n = now.size();
  const double margin = radius + 3;
  for (std::size_t round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < n; ++i) {
      Point move{0.01 * (wanted[i].x - now[i].x), 0.01 * (wanted[i].y - now[i].y)};
      const auto add = [&](Point p, double part) { move.x += part * p.x, move.y += part * p.y; };
      for (std::size_t j = 0; j < n; ++j)
        if (j != i) add(push(now[i], now[j], 2 * radius + 2, i + round), 0.5);
      for (const Point& o : obstacles) add(push(now[i], o, 2 * radius, i + round), 1);
      now[i].x = std::clamp(now[i].x + move.x, margin, width - margin);
      now[i].y = std::clamp(now[i].y + move.y, margin, height - margin);
    }
  }
  return now;
}

}  // namespace chronotope::report
