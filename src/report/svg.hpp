#pragma once
// What the drawings are made of: an SVG writer that cannot write a number that is not finite, ranges, ticks, axes.
// All drawings are 480 units wide; the style sheet sets the size of letters for wide and for narrow screens.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chronotope::report {

inline constexpr double drawing_width = 480;

struct Point {
  double x = 0, y = 0;
};

/// Texts are escaped here; class names are the program's own.
class Svg {
 public:
  Svg(double width, double height, std::string_view description);

  void line(Point from, Point to, std::string_view style);
  void rectangle(Point corner, double width, double height, std::string_view style, std::string_view tip = {});
  void circle(Point centre, double radius, std::string_view style, std::string_view tip = {});
  void polyline(std::span<const Point> points, std::string_view style);
  void polygon(std::span<const Point> points, std::string_view style, std::string_view tip = {});
  void text(Point at, std::string_view style, std::string_view text);
  void upward_text(Point at, std::string_view style, std::string_view text);
  /// What is drawn until end_group() is cut off at the rectangle. `name` is unique on the page.
  void begin_clip(std::string_view name, Point corner, double width, double height);
  void begin_shift(Point by);
  void end_group() { out_ += "</g>"; }

  std::string finish() && { return std::move(out_) + "</svg>\n"; }

 private:
  Svg& attribute(std::string_view name, double value);
  void points(std::string_view element, std::span<const Point> points, std::string_view style);
  void close(std::string_view element, std::string_view tip);

  std::string out_;
};

struct Range {
  double low = 0, high = 1;
};

/// Of the finite values, each first brought inside ±1e15; {0, 1} when there are none. May be empty (low == high).
Range range_of(std::span<const double> values);

/// Makes room where low == high, so that positions are defined.
Range opened(Range range);

struct Ticks {
  std::vector<double> at;
  double step = 1;
  std::string label(double value) const;
};

/// Multiples of 1, 2 or 5 x 10^n inside the range, about `wanted` of them, no closer than `least_step`.
Ticks ticks_of(Range range, int wanted, double least_step = 0);

/// A rectangle with axes.
struct Plot {
  double left = 0, top = 0, right = 0, bottom = 0;
  Range x, y;

  Point at(double x_value, double y_value) const;
  void axes(Svg& svg, const Ticks& x_ticks, const Ticks& y_ticks, std::string_view x_title) const;
};

}  // namespace chronotope::report
