#include "svg.hpp"

#include <algorithm>
#include <cmath>

#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double largest = 1e15;

// A tenth of a unit is finer than any screen; what is not finite cannot be drawn anywhere, so it is drawn at 0.
std::string coordinate(double value) {
  std::string text = fixed(std::isfinite(value) ? std::clamp(value, -1e5, 1e5) : 0, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string class_of(std::string_view style) { return " class=\"" + escape(style) + "\""; }

}  // namespace

Svg::Svg(double width, double height, std::string_view description) {
  out_ = "<svg viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height) + "\" role=\"img\" aria-label=\"" +
         escape(description) + "\">";
}

Svg& Svg::attribute(std::string_view name, double value) {
  out_.append(" ").append(name).append("=\"").append(coordinate(value)).append("\"");
  return *this;
}

void Svg::close(std::string_view element, std::string_view tip) {
  if (tip.empty()) out_ += "/>";
  else out_.append("><title>").append(escape(tip)).append("</title></").append(element).append(">");
}

void Svg::line(Point from, Point to, std::string_view style) {
  out_ += "<line" + class_of(style);
  attribute("x1", from.x).attribute("y1", from.y).attribute("x2", to.x).attribute("y2", to.y).close("line", {});
}

void Svg::rectangle(Point corner, double width, double height, std::string_view style, std::string_view tip) {
  out_ += "<rect" + class_of(style);
  attribute("x", corner.x).attribute("y", corner.y);
  attribute("width", std::max(width, 0.0)).attribute("height", std::max(height, 0.0)).close("rect", tip);
}

void Svg::circle(Point centre, double radius, std::string_view style, std::string_view tip) {
  out_ += "<circle" + class_of(style);
  attribute("cx", centre.x).attribute("cy", centre.y).attribute("r", radius).close("circle", tip);
}

void Svg::points(std::string_view element, std::span<const Point> points, std::string_view style) {
  out_.append("<").append(element).append(class_of(style)).append(" points=\"");
  for (const Point& p : points) out_ += coordinate(p.x) + "," + coordinate(p.y) + " ";
  if (!points.empty()) out_.pop_back();
  out_ += '"';
}

void Svg::polyline(std::span<const Point> all, std::string_view style) {
  points("polyline", all, style);
  close("polyline", {});
}

void Svg::polygon(std::span<const Point> all, std::string_view style, std::string_view tip) {
  points("polygon", all, style);
  close("polygon", tip);
}

void Svg::text(Point at, std::string_view style, std::string_view text) {
  out_ += "<text" + class_of(style);
  attribute("x", at.x).attribute("y", at.y);
  out_ += ">" + escape(text) + "</text>";
}

void Svg::upward_text(Point at, std::string_view style, std::string_view text) {
  out_ += "<text" + class_of(style) + " transform=\"translate(" + coordinate(at.x) + " " + coordinate(at.y) +
          ") rotate(-90)\">" + escape(text) + "</text>";
}

void Svg::begin_clip(std::string_view name, Point corner, double width, double height) {
  out_ += "<clipPath id=\"" + escape(name) + "\">";
  rectangle(corner, width, height, "clip");
  out_ += "</clipPath><g clip-path=\"url(#" + escape(name) + ")\">";
}

void Svg::begin_shift(Point by) {
  out_ += "<g transform=\"translate(" + coordinate(by.x) + " " + coordinate(by.y) + ")\">";
}

Range range_of(std::span<const double> values) {
  Range range{largest, -largest};
  bool any = false;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    any = true;
    range.low = std::min(range.low, std::clamp(value, -largest, largest));
    range.high = std::max(range.high, std::clamp(value, -largest, largest));
  }
  return any ? range : Range{};
}

// A range narrower than the digits of its ends is as good as empty: ticks inside it would have the same label.
Range opened(Range range) {
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > 1e-9 * size && range.high - range.low > 1e-12) return range;
  const double room = size > 1e-12 ? size / 10 : 1;
  return {range.low - room, range.high + room};
}

std::string Ticks::label(double value) const {
  const double size = at.empty() ? std::abs(value) : std::max(std::abs(at.front()), std::abs(at.back()));
  if (size >= 1e7 || step < 0.9e-4) return scientific(std::abs(value) < step / 2 ? 0 : value);
  if (step >= 0.99) return whole(std::llround(value));
  return fixed(value, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
}

Ticks ticks_of(Range range, int wanted, double least_step) {
  range = opened(range);
  const double rough = std::max((range.high - range.low) / wanted, least_step);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  Ticks ticks;
  ticks.step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) ticks.step = factor * power;
  const double slack = 1e-6;
  const double first = std::ceil(range.low / ticks.step - slack), last = std::floor(range.high / ticks.step + slack);
  for (double n = first; n <= last && ticks.at.size() < 100; ++n) ticks.at.push_back(n * ticks.step);
  return ticks;
}

Point Plot::at(double x_value, double y_value) const {
  const double across = (x_value - x.low) / (x.high - x.low), up = (y_value - y.low) / (y.high - y.low);
  return {left + across * (right - left), bottom - up * (bottom - top)};
}

void Plot::axes(Svg& svg, const Ticks& x_ticks, const Ticks& y_ticks, std::string_view x_title) const {
  for (const double value : y_ticks.at) {
    const double height = at(x.low, value).y;
    svg.line({left, height}, {right, height}, "grid");
    svg.text({left - 6, height + 4}, "end tick", y_ticks.label(value));
  }
  svg.line({left, bottom}, {right, bottom}, "axis");
  for (const double value : x_ticks.at) {
    const double place = at(value, y.low).x;
    svg.line({place, bottom}, {place, bottom + 4}, "axis");
    if (!x_title.empty()) svg.text({place, bottom + 17}, "middle tick", x_ticks.label(value));
  }
  if (!x_title.empty()) svg.text({(left + right) / 2, bottom + 35}, "middle title", x_title);
}

}  // namespace chronotope::report
