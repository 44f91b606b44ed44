// What happened for what was predicted.

#include <algorithm>
#include <cmath>

#include "curves.hpp"
#include "parts.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

Series bins_of(const PredictorResult& p) {
  Series series;
  for (const CalibrationBin& b : p.calibration.bins) series.push_back({b.predicted, b.observed});
  return drawable(std::move(series));
}

void draw(Svg& svg, const Plot& plot, const Series& series, std::string_view style) {
  std::vector<Point> points;
  for (const Sample& s : series) points.push_back(plot.at(s.x, s.y));
  if (points.size() > 1) svg.polyline(points, style);
}

// From 0, as both are shares, to the largest of either.
Range shares(const std::vector<Series>& all) {
  std::vector<double> values;
  for (const Series& series : all)
    for (const Sample& s : series) values.insert(values.end(), {s.x, s.y});
  const double most = std::clamp(range_of(values).high, 0.0, 1.0);
  return opened({0, most > 0 ? std::min(1.0, 1.05 * most) : 1});
}

}  // namespace

std::string calibration_drawing(const ClickSubset& subset) {
  std::vector<Series> all;  // the reference first
  for (const PredictorResult& p : subset.predictors)
    if (p.kind == PredictorKind::model || all.empty()) all.push_back(bins_of(p));
  if (all.empty() || all.front().empty()) return {};
  const Range range = shares(all);
  const Plot plot{58, 12, 466, 272, range, range};
  Svg svg(drawing_width, 312, "Share of positives over predicted probability");
  plot.axes(svg, ticks_of(plot.x, 6), ticks_of(plot.y, 6), "predicted probability, mean of a bin");
  svg.line(plot.at(range.low, range.low), plot.at(range.high, range.high), "guide");
  for (std::size_t i = all.size(); i-- > 1;) draw(svg, plot, all[i], "raw");
  draw(svg, plot, all.front(), "curve");
  for (const Sample& s : all.front())
    svg.circle(plot.at(s.x, s.y), 3.2, "dot", "predicted " + fixed(s.x, 4) + ", observed " + fixed(s.y, 4));
  svg.text({plot.left + 8, plot.top + 12}, "start note", shorten(subset.predictors.front().name, 40));
  if (all.size() > 1) svg.text({plot.left + 8, plot.top + 27}, "start tick", "pale: the other models");
  return std::move(svg).finish();
}

}  // namespace chronotope::report
