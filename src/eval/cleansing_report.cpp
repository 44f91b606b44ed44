#include "chronotope/eval/cleansing_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

struct Line {
  const char* name;
  CleansingStep step, before;  // the first line is its own predecessor
};

std::vector<Line> lines_of(const CleansingReport& r) {
  return {{"coarse data", r.coarse, r.coarse},
          {"+ action level", r.action_level, r.coarse},
          {"+ sequence level", r.sequence_level, r.action_level}};
}

double share(std::uint64_t part, std::uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

std::string percent(double share) { return text_table::fixed(100 * share, 1) + (std::isfinite(share) ? "%" : ""); }

std::string functional_places(const CleansingReport& r) {
  const std::uint64_t both = r.functional_by_both, all = r.functional_by_category + r.functional_by_ratio - both;
  return std::to_string(all) + " of " + std::to_string(r.places) +
         " places are functional: " + std::to_string(r.functional_by_category) + " by their category, " +
         std::to_string(r.functional_by_ratio) + " by searches a click, " + std::to_string(both) +
         " of them by both.\n";
}

Json json_of(const CleansingRules& rules) {
  const bool off = std::isinf(rules.most_searched);
  return {{"functional_categories", rules.functional_categories},
          {"most_searched", off ? Json() : Json(rules.most_searched)},
          {"search_types", rules.search_types},
          {"click_types", rules.click_types},
          {"least_richness", rules.least_richness}};
}

Json json_of(const Line& line, const CleansingStep& coarse, bool first) {
  return {{"step", line.name},
          {"sequences", line.step.sequences},
          {"actions", line.step.actions},
          {"sequence_share", share(line.step.sequences, coarse.sequences)},
          {"action_share", share(line.step.actions, coarse.actions)},
          {"filter_ratio", first ? Json() : Json(1 - share(line.step.actions, line.before.actions))}};
}

}  // namespace

std::string format_cleansing(const CleansingReport& r) {
  std::vector<text_table::Row> rows{{"filtering step", "sequences", "share", "actions", "share", "filtered here"}};
  for (const Line& line : lines_of(r)) {
    const double left = share(line.step.actions, line.before.actions);
    rows.push_back({line.name, std::to_string(line.step.sequences),
                    percent(share(line.step.sequences, r.coarse.sequences)), std::to_string(line.step.actions),
                    percent(share(line.step.actions, r.coarse.actions)), rows.size() == 1 ? "-" : percent(1 - left)});
  }
  std::string text = text_table::align(rows) + functional_places(r) + "The users who stay have " +
                     std::to_string(r.written) + " actions, functional ones with them.\n";
  for (const std::string& category : r.unseen_categories)
    text += "No action has the category \"" + category + "\": is it misspelt?\n";
  return text;
}

std::string cleansing_json(const CleansingReport& r) {
  Json steps = Json::array();
  for (const Line& line : lines_of(r)) steps.push_back(json_of(line, r.coarse, steps.empty()));
  const Json json{{"steps", steps},
                  {"written_actions", r.written},
                  {"places",
                   {{"all", r.places},
                    {"functional_by_category", r.functional_by_category},
                    {"functional_by_ratio", r.functional_by_ratio},
                    {"functional_by_both", r.functional_by_both}}},
                  {"rules", json_of(r.rules)},
                  {"unseen_categories", r.unseen_categories}};
  return json.dump(2) + "\n";
}

}  // namespace chronotope
