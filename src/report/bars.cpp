#include "bars.hpp"

#include <algorithm>
#include <cmath>

#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double row_height = 22, names_width = 176, bars_right = 420, top = 8;

double place_of(const Plot& plot, double value) { return plot.at(std::clamp(value, plot.x.low, plot.x.high), 0).x; }

void draw_bar(Svg& svg, const Plot& plot, const Bar& bar, double base, double y) {
  const double middle = y + row_height / 2, from = place_of(plot, base), to = place_of(plot, bar.value);
  const std::string strong = bar.strong ? " strong" : "";
  svg.text({names_width - 8, middle + 4}, "end label" + strong, shorten(bar.name, bar.strong ? 22 : 25));
  svg.rectangle({std::min(from, to), y + 4}, std::abs(to - from), row_height - 8, "bar " + bar.style);
  svg.text({drawing_width - 4, middle + 4}, "end value" + strong, bar.text);
  if (!std::isfinite(bar.low) || !std::isfinite(bar.high)) return;
  const double low = place_of(plot, bar.low), high = place_of(plot, bar.high);
  svg.line({low, middle}, {high, middle}, "whisker");
  for (const double x : {low, high}) svg.line({x, middle - 3.5}, {x, middle + 3.5}, "whisker");
}

}  // namespace

std::string bars_drawing(const std::vector<Bar>& bars, const BarChart& chart) {
  if (bars.empty()) return {};
  const double bottom = top + row_height * static_cast<double>(bars.size());
  const Plot plot{names_width, top, bars_right, bottom, opened(chart.range), {0, 1}};
  Svg svg(drawing_width, bottom + 24, chart.description);
  const Ticks ticks = ticks_of(plot.x, 4);
  for (const double value : ticks.at) {
    svg.line({plot.at(value, 0).x, top}, {plot.at(value, 0).x, bottom}, "grid");
    svg.text({plot.at(value, 0).x, bottom + 17}, "middle tick", ticks.label(value));
  }
  double y = top;
  for (const Bar& bar : bars) {
    draw_bar(svg, plot, bar, chart.base, y);
    y += row_height;
  }
  svg.line({place_of(plot, chart.base), top}, {place_of(plot, chart.base), bottom}, "axis");
  return std::move(svg).finish();
}

std::string swatch(const std::string& style, const std::string& text) {
  return "<li><svg class=\"swatch\" viewBox=\"0 0 22 12\" aria-hidden=\"true\"><rect class=\"bar " + style +
         "\" x=\"1\" y=\"1\" width=\"20\" height=\"10\"/></svg>" + text + "</li>";
}

}  // namespace chronotope::report
