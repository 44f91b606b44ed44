#include "chronotope/data/cleansing.hpp"

#include <algorithm>

#include "chronotope/core/error.hpp"
#include "cleansing_levels.hpp"
#include "csv.hpp"

namespace chronotope {
namespace {

void require(bool holds, const std::string& rule) {
  if (!holds) throw ConfigError("cleanse: " + rule);
}

// Written so that NaN fails.
void check(const CleansingRules& rules) {
  require(rules.most_searched >= 0,
          "most_searched is " + std::to_string(rules.most_searched) + "; it counts searches a click: 0 or more");
  require(rules.least_richness >= 0 && rules.least_richness <= 1,
          "least_richness is " + std::to_string(rules.least_richness) + "; a share lies between 0 and 1");
  for (const std::string& category : rules.functional_categories) {
    require(!category.empty(), "a functional category is empty; that would be all places without a category");
    require(is_utf8(category),
            "the functional category " + shown(category) + " is not UTF-8, as every category of a log is");
  }
  for (const auto* types : {&rules.search_types, &rules.click_types})
    for (const std::string& type : *types)
      require(!type.empty() && is_utf8(type),
              "the action type " + shown(type) + " is empty or not UTF-8; name a word that the log has");
  for (const std::string& type : rules.search_types)
    require(std::find(rules.click_types.begin(), rules.click_types.end(), type) == rules.click_types.end(),
            "the type " + shown(type) + " counts as search and as click; take it from one of them");
}

template <class F> void for_each_action(const ActionSource& source, F f) {
  const ActionPass next = source();
  for (LoggedAction action; next(action);) f(action);
}

void require_users(const CleansingReport& report) {
  const auto count = [](const CleansingStep& step) {
    return std::to_string(step.actions) + " actions of " + std::to_string(step.sequences) + " users";
  };
  if (report.coarse.actions == 0) throw DataError("cleanse: there are no actions");
  if (report.sequence_level.sequences == 0)
    throw DataError("cleanse: nobody stays: of " + count(report.coarse) + ", " + count(report.action_level) +
                    " are interest-based, and none of these users is rich enough; name fewer functional categories, "
                    "raise most_searched or lower least_richness");
}

}  // namespace

CleansingReport cleanse(const ActionSource& source, const CleansingRules& rules,
                        const std::function<void(const LoggedAction&)>& keep) {
  check(rules);
  CleansingReport report;
  report.rules = rules;
  PlaceIntents places(rules);
  for_each_action(source, [&](const LoggedAction& action) { places.count(action); });
  UserRichness users(rules.least_richness);
  for_each_action(source, [&](const LoggedAction& action) { users.count(action, places.of(action.place)); });
  places.report(report);
  users.report(report);
  require_users(report);
  std::uint64_t written = 0;
  for_each_action(source, [&](LoggedAction& action) {
    if (!users.stays(action.user)) return;
    action.interest = !places.of(action.place).functional;
    keep(action);
    ++written;
  });
  if (written != report.written)
    throw DataError("cleanse: the log changed while it was read; cleanse it again, from a copy");
  return report;
}

CleansingReport cleanse_file(const std::string& data, const std::string& out, const CleansingRules& rules) {
  check(rules);
  ActionWriter writer(out);
  CleansingReport report = cleanse(actions_in(data), rules, [&](const LoggedAction& action) { writer.write(action); });
  writer.finish();
  return report;
}

}  // namespace chronotope
