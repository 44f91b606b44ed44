// Where the places of an index lie: its blocks, or squares of the drawing where there are too many blocks for one.

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "bars.hpp"
#include "map_frame.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr std::size_t most_blocks_drawn = 3000;
constexpr double square = 4;  // side, where blocks are gathered
constexpr int classes = 6;

GeoPoint centre_of(const BlockUse& b) {
  return {(b.box.south + b.box.north) / 2, (b.box.west + b.box.east) / 2, std::sqrt(static_cast<double>(b.places))};
}

/// A rectangle of the drawing with the places in it.
struct Patch {
  Point corner;
  double width = 0, height = 0;
  std::uint64_t places = 0;
  std::string tip;
};

// Its width is measured at the middle of the map, as a block may touch the meridian where the map ends.
Patch patch_of(const MapView& view, const BlockUse& b) {
  const GeoPoint centre = centre_of(b);
  const double half = (b.box.east - b.box.west) / 2, middle = view.centre().longitude;
  const double width = view.at({centre.latitude, middle + half}).x - view.at({centre.latitude, middle - half}).x;
  const double top = view.at({b.box.north, centre.longitude}).y, bottom = view.at({b.box.south, centre.longitude}).y;
  return {{view.at(centre).x - width / 2, top},
          width,
          bottom - top,
          b.places,
          "block " + whole(b.block) + ": " + counted(b.places, "place", "places")};
}

std::vector<Patch> gathered(const MapView& view, const std::vector<const BlockUse*>& shown) {
  std::map<std::pair<int, int>, std::pair<std::uint64_t, std::uint64_t>> squares;  // blocks and places
  for (const BlockUse* b : shown) {
    const Point p = view.at(centre_of(*b));
    auto& [blocks, places] = squares[{static_cast<int>(p.y / square), static_cast<int>(p.x / square)}];
    ++blocks, places += b->places;
  }
  std::vector<Patch> patches;
  for (const auto& [at, sums] : squares)
    patches.push_back({{at.second * square, at.first * square},
                       square,
                       square,
                       sums.second,
                       counted(sums.second, "place", "places") + " in " + counted(sums.first, "block", "blocks")});
  return patches;
}

/// Classes of equal width in the logarithm: 1 to `classes`.
struct Scale {
  std::uint64_t most = 1;

  int of(std::uint64_t places) const {
    if (places <= 1 || most <= 1) return 1;
    const double share = std::log(static_cast<double>(places)) / std::log(static_cast<double>(most));
    return std::min(classes, 1 + static_cast<int>(share * classes));
  }
  std::uint64_t from(int number) const {
    return static_cast<std::uint64_t>(
        std::ceil(std::pow(static_cast<double>(most), static_cast<double>(number - 1) / classes) - 1e-9));
  }
};

std::string style_of(int number) { return "density d" + std::to_string(number); }

std::string legend(const Scale& scale, bool blocks) {
  std::string items;
  for (int i = 1; i <= classes; ++i) {
    const std::uint64_t from = scale.from(i), next = i < classes ? scale.from(i + 1) : scale.most + 1;
    if (from >= next) continue;
    const std::string range =
        next == from + 1 ? whole(static_cast<std::int64_t>(from))
                         : whole(static_cast<std::int64_t>(from)) + " to " + whole(static_cast<std::int64_t>(next - 1));
    items += swatch(style_of(i), range);
  }
  return "<p class=\"caption\">places a " + std::string(blocks ? "block" : "square of the map") +
         "</p><ul class=\"legend\">" + items + "</ul>\n";
}

}  // namespace

std::string occupancy_map(const GeoOccupancy& o) {
  std::vector<GeoPoint> points;
  for (const BlockUse& b : o.blocks)
    if (b.places > 0) points.push_back(centre_of(b));
  if (points.empty()) return {};
  const MapView view({}, points, map_width, map_height);
  std::vector<const BlockUse*> shown;
  std::vector<Point> drawn;
  for (const BlockUse& b : o.blocks)
    if (b.places > 0 && view.shows(centre_of(b))) shown.push_back(&b), drawn.push_back(view.at(centre_of(b)));
  const bool as_blocks = shown.size() <= most_blocks_drawn;
  std::vector<Patch> patches;
  if (as_blocks)
    for (const BlockUse* b : shown) patches.push_back(patch_of(view, *b));
  else patches = gathered(view, shown);
  Scale scale;
  for (const Patch& p : patches) scale.most = std::max(scale.most, p.places);
  const auto draw = [&](Svg& svg) {
    for (const Patch& p : patches)
      svg.rectangle(p.corner, std::max(p.width, 0.8), std::max(p.height, 0.8), style_of(scale.of(p.places)), p.tip);
  };
  const std::size_t outside = points.size() - shown.size();
  return legend(scale, as_blocks) + framed_map(view, "Map of the places of the index", "clip-occupancy", draw, drawn) +
         (outside ? "<p class=\"remark\">" + counted(outside, "block", "blocks") + " outside this map.</p>" : "");
}

}  // namespace chronotope::report
