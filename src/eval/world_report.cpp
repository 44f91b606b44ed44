#include <nlohmann/json.hpp>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/world_files.hpp"
#include "chronotope/eval/world_summary.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;
using text_table::fixed;

constexpr std::array<TravelStatus, 3> statuses{TravelStatus::local, TravelStatus::pre_travel, TravelStatus::in_travel};

double share(std::uint64_t part, std::uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

text_table::Row row_of(const std::string& name, const BestHits& hits) {
  return {name,
          std::to_string(hits.actions),
          fixed(hits.expected_at_1),
          fixed(hits.seen_at_1),
          fixed(hits.expected_at_10),
          fixed(hits.seen_at_10)};
}

std::string table_of(const WorldBest& best) {
  std::vector<text_table::Row> rows{
      {"from " + format_iso8601({best.from, 0}), "actions", "hr@1", "seen", "hr@10", "seen"}};
  rows.push_back(row_of("all", best.all));
  for (const TravelStatus status : statuses)
    rows.push_back(row_of(name_of(status), best.by_status[static_cast<std::size_t>(status)]));
  std::string text = text_table::align(rows);
  if (best.requests == 0) return text;
  return text + std::to_string(best.shown) + " places shown in " + std::to_string(best.requests) + " requests, " +
         fixed(100 * share(best.clicks, best.shown), 1) + "% clicked, something in " +
         fixed(100 * share(best.requests_with_click, best.requests), 1) + "% of the requests; best AUC " +
         fixed(best.auc) + ", GAUC " + fixed(best.gauc) + "\n";
}

Json json_of(const BestHits& hits) {  // the library writes NaN as null
  return {{"actions", hits.actions},
          {"expected_hr_at_1", hits.expected_at_1},
          {"seen_hr_at_1", hits.seen_at_1},
          {"expected_hr_at_10", hits.expected_at_10},
          {"seen_hr_at_10", hits.seen_at_10}};
}

Json json_of(const WorldBest& best) {
  Json json{{"from", best.from}, {"all", json_of(best.all)}};
  for (const TravelStatus status : statuses)
    json[name_of(status)] = json_of(best.by_status[static_cast<std::size_t>(status)]);
  const BestHits& clicks = best.from_requests;
  json["clicks_in_requests"] = {
      {"actions", clicks.actions}, {"hr_at_1", clicks.seen_at_1}, {"hr_at_10", clicks.seen_at_10}};
  json["requests"] = {{"requests", best.requests}, {"with_click", best.requests_with_click},
                      {"shown", best.shown},       {"clicks", best.clicks},
                      {"best_auc", best.auc},      {"best_gauc", best.gauc}};
  return json;
}

Json json_of(const WorldOptions& o) {
  return {{"users", o.users},
          {"places", o.places},
          {"cities", o.cities},
          {"days", o.days},
          {"actions_per_user", o.actions_per_user},
          {"requests_per_user", o.requests_per_user},
          {"shown", o.shown},
          {"travellers_percent", o.travellers_percent},
          {"robots_percent", o.robots_percent},
          {"seed", o.seed}};
}

}  // namespace

std::string format_world(const WorldOptions& options, const WorldSummary& s) {
  std::string text = "An invented world (seed " + std::to_string(options.seed) + "): " + std::to_string(s.actions) +
                     " actions of " + std::to_string(s.users) + " users, " + std::to_string(s.robots) +
                     " of them robots, at " + std::to_string(options.places) + " places in " +
                     std::to_string(options.cities) + " cities. Figures on it say nothing about real data.\n" +
                     fixed(100 * share(s.functional, s.actions), 1) + "% of the actions are functional; richness " +
                     fixed(s.richness[1], 2) + " / " + fixed(s.richness[5], 2) + " / " + fixed(s.richness[9], 2) +
                     " (first decile, median, last) of users who are no robots, " + std::to_string(s.poor) +
                     " of them below .3.\nThe best possible, of the probabilities that it was drawn from:\n";
  for (const WorldBest& best : s.best) text += table_of(best);
  return text;
}

std::string world_json(const WorldOptions& options, const WorldSummary& s) {
  Json json{{"invented", true},
            {"options", json_of(options)},
            {"functional_categories", World::functional_categories()},
            {"users", s.users},
            {"robots", s.robots},
            {"actions", s.actions},
            {"functional_actions", s.functional},
            {"robot_actions", s.robot_actions}};
  for (const TravelStatus status : statuses)
    json["interest_actions"][name_of(status)] = s.by_status[static_cast<std::size_t>(status)];
  json["richness_deciles"] = s.richness;
  json["users_below_richness"] = s.poor;
  json["robots_above_richness"] = s.rich_robots;
  for (const WorldBest& best : s.best) json["best"].push_back(json_of(best));
  return json.dump(2) + "\n";
}

}  // namespace chronotope
