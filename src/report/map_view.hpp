#pragma once
// From degrees to the drawing: equirectangular, true to scale at its centre. Also where numbered markers go.

#include <cstddef>
#include <span>
#include <vector>

#include "svg.hpp"

namespace chronotope::report {

struct GeoPoint {
  double latitude = 0, longitude = 0;  // degrees
  double weight = 1;
};

/// Finite, latitude inside ±90, longitude inside ±360.
bool is_position(double latitude, double longitude);

double great_circle_km(GeoPoint a, GeoPoint b);

class MapView {
 public:
  /// All of `needed`, and of `context` what makes up the nearest 90 % of its weight and all within half as far again: a
  /// single far journey must not shrink a city to a dot. Areas across the date line stay in one piece.
  MapView(std::span<const GeoPoint> needed, std::span<const GeoPoint> context, double width, double height);

  Point at(GeoPoint p) const;  ///< may lie outside the drawing
  bool shows(GeoPoint p) const;
  double width() const { return width_; }
  double height() const { return height_; }
  GeoPoint centre() const { return centre_; }
  Range latitudes() const;   ///< of the drawing, inside ±90
  Range longitudes() const;  ///< of the drawing, may reach beyond ±180
  double units_per_km() const { return units_per_degree_ / kilometres_per_degree; }

  static constexpr double kilometres_per_degree = 111.195;  // sphere of 6371 km

 private:
  double width_, height_;
  GeoPoint centre_;
  double narrowing_ = 1;         // a degree of longitude, in degrees of latitude
  double units_per_degree_ = 1;  // of latitude
};

/// Moves circles of one radius apart until they hardly overlap each other and the `obstacles`, near where they belong
/// and inside [margin, size - margin].
std::vector<Point> spread(std::vector<Point> wanted, std::span<const Point> obstacles, double radius, double width,
                          double height);

}  // namespace chronotope::report
