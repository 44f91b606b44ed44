// Learning curves.

#include <algorithm>
#include <cmath>
#include <optional>

#include "curves.hpp"
#include "parts.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

constexpr double left = 58, right = 466;
constexpr std::size_t most_points = 300;  // more than this cannot be told apart in a drawing

using Member = std::optional<double> EpochPoint::*;

struct Measure {
  Member member;
  const char* name;
};
constexpr Measure measures[] = {
    {&EpochPoint::accuracy_1, "acc@1"}, {&EpochPoint::auc, "AUC"}, {&EpochPoint::score, "score"}, {&EpochPoint::mrr, "MRR"}};

// Columns of the table of epochs, which are there where any epoch has them.
constexpr Measure table_columns[] = {
    {&EpochPoint::accuracy_1, "acc@1"}, {&EpochPoint::accuracy_10, "acc@10"}, {&EpochPoint::mrr, "MRR"},
    {&EpochPoint::log_loss, "validation log loss"}, {&EpochPoint::auc, "AUC"}, {&EpochPoint::gauc, "GAUC"},
    {&EpochPoint::score, "score"}};

std::vector<double> column(const Series& series, double Sample::*member) {
  std::vector<double> values;
  for (const Sample& s : series) values.push_back(s.*member);
  return values;
}

Range joined(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

// A few wild steps must not flatten the rest: the axis covers the smoothed line and all but 1 % of the raw values.
Range loss_range(const Series& raw, const Series& smooth) {
  std::vector<double> values = column(raw, &Sample::y);
  std::sort(values.begin(), values.end());
  const std::size_t cut = values.size() / 200;
  const std::span<const double> kept(values.data() + cut, values.size() - 2 * cut);
  return joined(range_of(kept), range_of(column(smooth, &Sample::y)));
}

Range with_margin(Range range) {
  range = opened(range);
  const double room = 0.04 * (range.high - range.low);
  return {range.low >= 0 ? std::max(0.0, range.low - room) : range.low - room, range.high + room};
}

void draw(Svg& svg, const Plot& plot, const Series& series, std::string_view style) {
  std::vector<Point> points;
  for (const Sample& s : series) points.push_back(plot.at(s.x, s.y));
  svg.polyline(points, style);
}

Series samples(const std::vector<CurvePoint>& steps, double CurvePoint::*member) {
  Series series;
  for (const CurvePoint& p : steps) series.push_back({static_cast<double>(p.step), p.*member});
  return drawable(std::move(series));
}

// From 0 where the first step is next to it.
Range step_range(const Series& series) {
  Range range = range_of(column(series, &Sample::x));
  if (range.low > 0 && range.low < 0.02 * range.high) range.low = 0;
  return opened(range);
}

std::string loss_drawing(const Series& raw) {
  if (raw.empty()) return {};
  const Series smooth = smoothed(raw);
  const Plot plot{left, 12, right, 232, step_range(raw), with_margin(loss_range(raw, smooth))};
  Svg svg(drawing_width, 272, "Training loss over optimizer steps");
  plot.axes(svg, ticks_of(plot.x, 5, 1), ticks_of(plot.y, 5), "optimizer step");
  svg.begin_clip("clip-loss", {plot.left, plot.top}, plot.right - plot.left, plot.bottom - plot.top);
  if (is_smoothed(raw)) draw(svg, plot, thinned(raw, most_points), "raw");
  if (raw.size() > 1) draw(svg, plot, thinned(smooth, most_points), "curve");
  else svg.circle(plot.at(raw[0].x, raw[0].y), 4, "dot");
  svg.end_group();
  return std::move(svg).finish();
}

// Below the loss, with the same x axis. Left out when the rate was not recorded.
std::string rate_drawing(const Series& rates) {
  const Range range = range_of(column(rates, &Sample::y));
  if (rates.size() < 2 || range.high <= 0) return {};
  const Plot plot{left, 8, right, 58, step_range(rates), {0, range.high * 1.05}};
  Svg svg(drawing_width, 68, "Learning rate over optimizer steps");
  plot.axes(svg, ticks_of(plot.x, 5, 1), Ticks{{0, range.high}, range.high}, {});
  draw(svg, plot, thinned(rates, most_points), "rate");
  return std::move(svg).finish();
}

Series measured(const std::vector<EpochPoint>& epochs, Member member) {
  Series series;
  for (const EpochPoint& e : epochs)
    if (e.*member) series.push_back({static_cast<double>(e.epoch), *(e.*member)});
  return drawable(std::move(series));
}

Series epoch_losses(const std::vector<EpochPoint>& epochs) {
  Series series;
  for (const EpochPoint& e : epochs) series.push_back({static_cast<double>(e.epoch), e.loss});
  return drawable(std::move(series));
}

// The label stays inside the drawing and above the line, which nowhere is higher than at most of the best epochs.
void mark_best(Svg& svg, const Plot& plot, const Series& series, const std::vector<EpochPoint>& epochs) {
  for (const EpochPoint& e : epochs) {
    const auto best = [&](const Sample& s) { return e.best && s.x == static_cast<double>(e.epoch); };
    const auto found = std::find_if(series.begin(), series.end(), best);
    if (found == series.end()) continue;
    const Point p = plot.at(found->x, found->y);
    svg.line({p.x, p.y + 8}, {p.x, plot.bottom}, "guide");
    svg.circle(p, 7, "ring");
    const char* anchor = p.x > right - 90 ? "end note" : p.x < left + 90 ? "start note" : "middle note";
    svg.text({p.x, p.y - 14}, anchor, "best: epoch " + whole(e.epoch) + ", " + fixed(found->y, 4));
  }
}

std::string epoch_drawing(const Series& series, const std::string& name, const std::vector<EpochPoint>& epochs,
                          double height) {
  if (series.empty()) return {};
  Range y = with_margin(range_of(column(series, &Sample::y)));
  y.high += 0.12 * (y.high - y.low);  // for the label of the best epoch
  const Plot plot{left, 12, right, height - 40, opened(range_of(column(series, &Sample::x))), y};
  Svg svg(drawing_width, height, name + " for each epoch");
  plot.axes(svg, ticks_of(plot.x, 8, 1), ticks_of(plot.y, 5), "epoch");
  if (series.size() > 1) draw(svg, plot, thinned(series, most_points), "curve");
  if (series.size() <= 60)
    for (const Sample& s : series)
      svg.circle(plot.at(s.x, s.y), 3.2, "dot", "epoch " + fixed(s.x, 0) + ": " + fixed(s.y, 4));
  mark_best(svg, plot, series, epochs);
  return std::move(svg).finish();
}

std::string validation_figure(const std::vector<EpochPoint>& epochs, double height) {
  for (const Measure& m : measures) {
    const Series series = measured(epochs, m.member);
    if (!series.empty())
      return figure(std::string("Validation ") + m.name, epoch_drawing(series, m.name, epochs, height));
  }
  return {};
}

// Training and validation in one drawing: where they part, the model begins to learn the training rows by heart.
std::string losses_figure(const std::vector<EpochPoint>& epochs) {
  const Series validation = measured(epochs, &EpochPoint::log_loss), training = epoch_losses(epochs);
  if (validation.empty()) return {};
  const Range y = joined(range_of(column(validation, &Sample::y)), range_of(column(training.empty() ? validation : training, &Sample::y)));
  const Range x = joined(range_of(column(validation, &Sample::x)), range_of(column(training.empty() ? validation : training, &Sample::x)));
  const Plot plot{left, 12, right, 232, opened(x), with_margin(y)};
  Svg svg(drawing_width, 272, "Log loss of training and validation for each epoch");
  plot.axes(svg, ticks_of(plot.x, 8, 1), ticks_of(plot.y, 5), "epoch");
  if (training.size() > 1) draw(svg, plot, thinned(training, most_points), "rate");
  if (validation.size() > 1) draw(svg, plot, thinned(validation, most_points), "curve");
  if (validation.size() <= 60)
    for (const Sample& s : validation) svg.circle(plot.at(s.x, s.y), 3.2, "dot", "epoch " + fixed(s.x, 0) + ": " + fixed(s.y, 4));
  for (const EpochPoint& e : epochs)
    if (e.best && e.log_loss && std::isfinite(*e.log_loss))
      svg.circle(plot.at(static_cast<double>(e.epoch), *e.log_loss), 7, "ring", "best: epoch " + whole(e.epoch));
  return figure("Log loss, nats per sample (grey: training, blue: validation)", std::move(svg).finish());
}

std::string loss_figure(const ReportContent& content) {
  const Series raw = samples(content.steps, &CurvePoint::loss);
  const bool clicks = std::any_of(content.epochs.begin(), content.epochs.end(), [](const EpochPoint& e) { return e.log_loss.has_value(); });
  const std::string name = clicks ? "Training loss, nats per sample" : "Training loss, nats per target";
  if (raw.empty()) return figure(name, epoch_drawing(epoch_losses(content.epochs), "Training loss", {}, 272));
  const std::string rate = rate_drawing(samples(content.steps, &CurvePoint::rate));
  const std::string below = rate.empty() ? "" : "<p class=\"caption\">Learning rate</p>" + rate;
  return figure(name + (is_smoothed(raw) ? " (pale: each step, strong: smoothed)" : ""), loss_drawing(raw) + below);
}

std::string optional_cell(const std::optional<double>& value) {
  return "<td>" + (value ? fixed(*value, 4) : "–") + "</td>";
}

}  // namespace

std::string epochs_table(const std::vector<EpochPoint>& epochs) {
  if (epochs.empty()) return {};
  std::vector<Measure> shown;
  for (const Measure& m : table_columns)
    if (std::any_of(epochs.begin(), epochs.end(), [&](const EpochPoint& e) { return (e.*m.member).has_value(); })) shown.push_back(m);
  std::string rows, head;
  for (const Measure& m : shown) head += "<th>" + std::string(m.name) + "</th>";
  for (const EpochPoint& e : epochs) {
    rows += std::string(e.best ? "<tr class=\"chosen\">" : "<tr>") + "<td>" + whole(e.epoch) +
            (e.best ? " (best)" : "") + "</td><td>" + fixed(e.loss, 4) + "</td>";
    for (const Measure& m : shown) rows += optional_cell(e.*m.member);
    rows += "<td>" + seconds_text(e.seconds) + "</td></tr>\n";
  }
  return "<details><summary>All epochs</summary><div class=\"scroll\"><table><thead><tr><th>epoch</th><th>loss</th>" +
         head + "<th>time</th></tr></thead><tbody>" + rows + "</tbody></table></div></details>\n";
}

std::string curves_part(const ReportContent& content) {
  const std::string validation = validation_figure(content.epochs, 272), losses = losses_figure(content.epochs);
  // With the loss of every step in the left column, what there is of every epoch goes into the right one.
  const bool columns = !losses.empty() && !content.steps.empty();
  const std::string drawings = losses.empty() ? loss_figure(content) + validation
                               : columns      ? loss_figure(content) + "<div>" + losses + validation + "</div>"
                                              : losses + validation;
  if (drawings.empty()) return {};
  return section("Learning", "<div class=\"pair\">" + drawings + "</div>" + epochs_table(content.epochs));
}

}  // namespace chronotope::report
