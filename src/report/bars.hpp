#pragma once
// Bars with whiskers, one below the other, and the legend's swatches.

#include <string>
#include <vector>

#include "svg.hpp"

namespace chronotope::report {

/// From the chart's base to `value`; without a whisker where an end is not finite.
struct Bar {
  std::string name, text;  ///< to the left, to the right
  std::string style;       ///< classes, "model timed"
  bool strong = false;     ///< bold; such names are cut a little earlier, as bold letters are wider
  double value = 0, low = 0, high = 0;
};

/// What lies outside `range` is drawn at its end.
struct BarChart {
  Range range;
  double base = 0;
  std::string description;
};

/// Empty without bars.
std::string bars_drawing(const std::vector<Bar>& bars, const BarChart& chart);

/// An item of a legend. `text` is HTML.
std::string swatch(const std::string& style, const std::string& text);

}  // namespace chronotope::report
