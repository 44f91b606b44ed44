#include "cli/click_report.hpp"

#include <algorithm>
#include <array>

#include "cli/run_curves.hpp"

namespace chronotope::cli {
namespace {

std::string two_digits(int n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::string place_name(std::uint32_t packed) {
  if (packed == 0) return "a place not known";
  std::string letters;
  for (int i = 0; i < 6; ++i) letters += geohash_letter(packed, i);
  return letters;
}

std::string moment_name(const Moments& at, std::uint64_t i) {
  static constexpr std::array days{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  return std::string(days[at.weekday[i]]) + " " + two_digits(at.hour[i]) + ":00 at " + place_name(at.geohash[i]);
}

/// The sample with the longest list: the most to see. Nothing when no sample has behaviours.
std::optional<std::uint64_t> showcase(const ClickLog& log, Split split) {
  std::optional<std::uint64_t> best;
  for (const std::uint64_t i : samples_of(log, split))
    if (log.last[i] > log.first[i] && (!best || log.last[i] - log.first[i] > log.last[*best] - log.first[*best])) best = i;
  return best;
}

std::optional<ForgettingFigure> forgetting_figure(const Checkpoint& checkpoint, const ClickLog& log, Split split, const Device& device) {
  const std::optional<std::uint64_t> sample = showcase(log, split);
  if (checkpoint.config.click_model.behaviour != "stim" || !sample) return {};
  const ClickSchema schema = click_schema(checkpoint);
  const SearchRows rows = detail::rows_in(checkpoint, schema);
  const ClickBatch batch = ClickBatcher(log, schema, batch_rules(checkpoint.config.clicks, rows.view())).make(std::vector{*sample});
  Context<any_backend> context(device.stream());
  const std::vector<float> masks = forgetting_masks(context, checkpoint, batch);
  const ClicksConfig& c = checkpoint.config.clicks;
  const auto k = static_cast<std::ptrdiff_t>(batch.kept);
  ForgettingFigure figure{moment_name(log.at, *sample), batch.valid, {}, {}};
  for (const auto& [name, groups] : {std::pair{"hour", c.hour_groups}, {"week", c.week_groups}, {"geohash", c.geohash_groups}}) {
    const std::ptrdiff_t at = k * static_cast<std::ptrdiff_t>(figure.curves.size());
    figure.curves.push_back({name, "of " + groups, {masks.begin() + at, masks.begin() + at + k}, {batch.review.begin() + at, batch.review.begin() + at + k}});
  }
  return figure;
}

}  // namespace

ReportContent click_report_content(const std::string& folder, const Checkpoint& first, const ClickLog& log, Split split, const ClickReport& report,
                                   const Device& device, const std::string& source) {
  ReportContent content;
  content.title = click_model_name(first.config.click_model) + " on " + source;
  content.clicks = report;
  content.config_json = to_json(first.config);
  content.facts = {{"Data", source},
                   {"Samples", std::to_string(log.size()) + " with " + std::to_string(log.behaviours.size()) + " behaviours" + (log.semi_synthetic ? " (semi-synthetic: what was shown is invented)" : "")},
                   {"Checkpoint", folder}, {"Seed", std::to_string(first.config.seed)}, {"Backend", device.describe()}};
  read_log(folder, content);
  content.forgetting = forgetting_figure(first, log, split, device);
  return content;
}

}  // namespace chronotope::cli
