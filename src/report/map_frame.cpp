#include "map_frame.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double frame = 18;  // room for the degrees, left of and below the map
static_assert(map_width == drawing_width - frame - 1);

std::string degrees(double value, double step, const char* positive, const char* negative) {
  const double size = std::abs(value);
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fixed(size, digits) + "°" + (size < step / 2 || size > 180 - step / 2 ? "" : value > 0 ? positive : negative);
}

double around(double longitude) { return longitude - 360 * std::floor((longitude + 180) / 360); }

void draw_grid(Svg& svg, const MapView& view) {
  const Ticks north = ticks_of(view.latitudes(), 6), east = ticks_of(view.longitudes(), 6);
  for (const double value : north.at) {
    const double y = view.at({value, view.centre().longitude}).y;
    if (y < 0 || y > view.height()) continue;
    svg.line({0, y}, {view.width(), y}, "graticule");
    if (y > 30 && y < view.height() - 30) svg.upward_text({-6, y}, "middle tick", degrees(value, north.step, "N", "S"));
  }
  for (const double value : east.at) {
    const double x = view.at({view.centre().latitude, value}).x;
    if (x < 0 || x > view.width()) continue;
    svg.line({x, 0}, {x, view.height()}, "graticule");
    if (x > 30 && x < view.width() - 30)
      svg.text({x, view.height() + 15}, "middle tick", degrees(around(value), east.step, "E", "W"));
  }
}

// In the lower corner where it hides less.
void draw_scale(Svg& svg, const MapView& view, std::span<const Point> drawn) {
  const double most = view.width() / 4 / view.units_per_km();
  const double power = std::pow(10.0, std::floor(std::log10(most)));
  const double km = power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1), length = km * view.units_per_km();
  const double y = view.height() - 12;
  const auto hidden = [&](double x) {
    return std::count_if(drawn.begin(), drawn.end(),
                         [&](Point p) { return p.y > y - 30 && std::abs(p.x - x) < length / 2 + 14; });
  };
  const double left = 12, right = view.width() - 12 - length;
  const double x = hidden(left + length / 2) <= hidden(right + length / 2) ? left : right;
  svg.rectangle({x - 6, y - 23}, length + 12, 29, "plate");
  const Point bar[] = {{x, y - 5}, {x, y}, {x + length, y}, {x + length, y - 5}};
  svg.polyline(bar, "scale");
  svg.text({x + length / 2, y - 7}, "middle tick", km < 1 || km >= 100 ? kilometres(km) : fixed(km, 0) + " km");
}

}  // namespace

std::string framed_map(const MapView& view, std::string_view description, std::string_view name,
                       const std::function<void(Svg&)>& draw, std::span<const Point> drawn) {
  Svg svg(drawing_width, map_height + frame + 1, description);
  svg.begin_shift({frame, 1});
  svg.rectangle({0, 0}, map_width, map_height, "ground");
  draw_grid(svg, view);
  svg.begin_clip(name, {0, 0}, map_width, map_height);
  draw(svg);
  draw_scale(svg, view, drawn);
  svg.end_group();
  svg.rectangle({0, 0}, map_width, map_height, "border");
  svg.end_group();
  return std::move(svg).finish();
}

}  // namespace chronotope::report
