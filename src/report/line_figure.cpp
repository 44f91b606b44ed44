// Lines over a few named points, with error bars.

#include <cmath>

#include "bars.hpp"
#include "parts.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double cap = 3;  // half the width of an error bar's ends

std::string style_of(const FigureLine& line) { return line.model ? "model timed" : "counter timed"; }
std::string shade(const FigureLine& line) { return line.model ? "" : " counter"; }

Range heights(const LineFigure& figure) {
  std::vector<double> ends;
  for (const FigureLine& line : figure.lines)
    for (const MeasuredInterval& v : line.values)
      if (std::isfinite(v.value)) ends.insert(ends.end(), {v.value, v.low, v.high});
  Range range = opened(range_of(ends));
  const double room = 0.06 * (range.high - range.low);
  return {range.low - room, range.high + room};
}

void axis(Svg& svg, const Plot& plot, const LineFigure& figure) {
  plot.axes(svg, Ticks{}, ticks_of(plot.y, 5), {});
  for (std::size_t i = 0; i < figure.x.size(); ++i) {
    const double x = plot.at(static_cast<double>(i), plot.y.low).x;
    svg.line({x, plot.bottom}, {x, plot.bottom + 4}, "axis");
    svg.text({x, plot.bottom + 17}, "middle tick", shorten(figure.x[i], 20));
  }
  svg.text({(plot.left + plot.right) / 2, plot.bottom + 35}, "middle title", figure.x_title);
}

void error_bar(Svg& svg, const Plot& plot, double x, const MeasuredInterval& v, const std::string& style) {
  if (!std::isfinite(v.low) || !std::isfinite(v.high)) return;
  const Point low = plot.at(x, v.low), high = plot.at(x, v.high);
  svg.line(low, high, style);
  for (const Point end : {low, high}) svg.line({end.x - cap, end.y}, {end.x + cap, end.y}, style);
}

void draw(Svg& svg, const Plot& plot, const LineFigure& figure, const FigureLine& line) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < line.values.size() && i < figure.x.size(); ++i) {
    const MeasuredInterval& v = line.values[i];
    if (!std::isfinite(v.value)) continue;
    const auto x = static_cast<double>(i);
    points.push_back(plot.at(x, v.value));
    error_bar(svg, plot, x, v, "error-bar" + shade(line));
    svg.circle(points.back(), 3.2, "dot" + shade(line), line.name + ", " + figure.x[i] + ": " + fixed(v.value, 4));
  }
  if (points.size() > 1) svg.polyline(points, "curve" + shade(line));
}

}  // namespace

std::string line_drawing(const LineFigure& figure) {
  std::string legend;
  bool any = false;
  for (const FigureLine& line : figure.lines) {
    legend += swatch(style_of(line), escape(shorten(line.name, 60)));
    for (const MeasuredInterval& v : line.values) any |= std::isfinite(v.value);
  }
  if (!any || figure.x.empty()) return {};
  const double last = static_cast<double>(figure.x.size()) - 1;
  const Plot plot{58, 12, 466, 232, {-0.3, last + 0.3}, heights(figure)};
  Svg svg(drawing_width, 272, figure.title);
  axis(svg, plot, figure);
  for (const FigureLine& line : figure.lines) draw(svg, plot, figure, line);
  return "<ul class=\"legend\">" + legend + "</ul>" + std::move(svg).finish();
}

}  // namespace chronotope::report
