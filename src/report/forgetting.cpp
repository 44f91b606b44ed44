// Forgetting curves as STIM draws them: behaviours from the farthest to the nearest, the request at the right.

#include <algorithm>
#include <cmath>

#include "bars.hpp"
#include "chronotope/core/error.hpp"
#include "parts.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double left = 34, right = 470, top = 10, bottom = 112, blocks = 118, block_height = 12;
constexpr std::size_t most_drawn = 218;  // two units a behaviour

void check(const ForgettingFigure& f) {
  const std::size_t k = f.valid.size();
  const auto same = [&](std::size_t n, const std::string& what) {
    if (n != k) throw DataError("report: " + std::to_string(n) + " " + what + " for " + std::to_string(k) + " behaviours of a forgetting figure");
  };
  if (!f.behaviours.empty()) same(f.behaviours.size(), "texts");
  for (const ForgettingCurve& c : f.curves) {
    same(c.mask.size(), "values of the mask of " + c.material);
    same(c.review.size(), "review flags of " + c.material);
  }
}

/// From the first behaviour drawn to the request.
class Strip {
 public:
  Strip(const ForgettingFigure& f, const ForgettingCurve& c)
      : figure_(f), curve_(c), first_(f.valid.size() - std::min(f.valid.size(), most_drawn)) {
    slot_ = (right - left) / (static_cast<double>(f.valid.size() - first_) + 2);  // a gap and the request
    plot_ = {left, top, right, bottom, {0, 1}, mask_range()};
  }

  std::string drawing() const {
    Svg svg(drawing_width, 152, "Mask of " + curve_.material + " over the behaviours, the farthest at the left");
    for (const double value : {plot_.y.low, 0.0, 1.0, plot_.y.high}) level(svg, value);
    for (std::size_t i = first_; i < figure_.valid.size(); ++i) behaviour(svg, i);
    const double request = right - slot_;
    svg.rectangle({request, blocks}, slot_, block_height, "block request", "request");
    svg.text({left, blocks + 29}, "start tick", first_ ? "farther ones not drawn" : "farthest");
    svg.text({std::min(request - slot_, right - 54), blocks + 29}, "end tick", "nearest");  // the word request beside it
    svg.text({right, blocks + 29}, "end note", "request");
    return std::move(svg).finish();
  }

 private:
  // 0 to 1, and what a layer after the curve made lower or higher.
  Range mask_range() const {
    std::vector<double> values{0, 1};
    for (std::size_t i = first_; i < curve_.mask.size(); ++i)
      if (figure_.valid[i]) values.push_back(curve_.mask[i]);
    return range_of(values);
  }
  void level(Svg& svg, double value) const {
    const double y = plot_.at(0, value).y;
    const bool own = value == 0 || value == 1;
    if (!own && std::abs(y - plot_.at(0, 0).y) < 11) return;  // no room for its number
    if (!own && std::abs(y - plot_.at(0, 1).y) < 11) return;
    svg.line({left, y}, {right - 2 * slot_, y}, value == 0 ? "axis" : "grid");
    svg.text({left - 6, y + 4}, "end tick", fixed(value, own ? 0 : 1));
  }
  void behaviour(Svg& svg, std::size_t i) const {
    const double x = left + slot_ * static_cast<double>(i - first_), gap = slot_ > 4 ? 1 : 0, width = slot_ - gap;
    if (!figure_.valid[i]) return svg.rectangle({x, blocks}, width, block_height, "block padding", "padding");
    const std::string style = curve_.review[i] ? "review" : "kept";
    svg.rectangle({x, blocks}, width, block_height, "block " + style, tip(i));
    if (!std::isfinite(curve_.mask[i])) return;
    const double from = plot_.at(0, 0).y, to = plot_.at(0, std::clamp(curve_.mask[i], plot_.y.low, plot_.y.high)).y;
    svg.rectangle({x, std::min(from, to)}, width, std::abs(to - from), "remembered " + style, tip(i));
  }
  std::string tip(std::size_t i) const {
    const std::size_t back = figure_.valid.size() - i;
    return (figure_.behaviours.empty() ? "" : shorten(figure_.behaviours[i], 60) + ": ") + whole(static_cast<std::int64_t>(back)) +
           " back, mask " + fixed(curve_.mask[i], 3) + (curve_.review[i] ? ", review point" : "");
  }

  const ForgettingFigure& figure_;
  const ForgettingCurve& curve_;
  std::size_t first_;
  double slot_ = 1;
  Plot plot_;
};

std::size_t reviews(const ForgettingFigure& f, const ForgettingCurve& c) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < f.valid.size(); ++i) n += f.valid[i] && c.review[i];
  return n;
}

std::string caption(const ForgettingFigure& f, const ForgettingCurve& c) {
  return shorten(c.material, 40) + (c.group.empty() ? "" : ", group " + shorten(c.group, 60)) + ": " +
         counted(reviews(f, c), "review point", "review points");
}

std::string introduction(const ForgettingFigure& f) {
  const auto there = static_cast<std::size_t>(std::count_if(f.valid.begin(), f.valid.end(), [](std::uint8_t v) { return v != 0; }));
  return "<p>" + (f.request.empty() ? "" : "Request: <strong>" + escape(shorten(f.request, 80)) + "</strong>. ") +
         counted(there, "behaviour", "behaviours") + " of " + whole(static_cast<std::int64_t>(f.valid.size())) +
         ", the farthest at the left, the nearest beside the request. A bar is the weight a behaviour is given; a behaviour in "
         "the request’s group is a review point, where what was forgotten is known again.</p>";
}

std::string legend() {
  return "<ul class=\"legend\">" + swatch("review", "review point") + swatch("kept", "other behaviour") + swatch("padding", "padding") +
         swatch("request", "request") + "</ul>";
}

}  // namespace

std::string forgetting_part(const ReportContent& content) {
  if (!content.forgetting) return {};
  const ForgettingFigure& f = *content.forgetting;
  check(f);
  if (f.valid.empty()) return {};
  std::string figures;
  for (const ForgettingCurve& c : f.curves) figures += figure(caption(f, c), Strip(f, c).drawing());
  return figures.empty() ? "" : section("What is remembered", introduction(f) + legend() + "<div class=\"pair\">" + figures + "</div>");
}

}  // namespace chronotope::report
