#include "cleansing_levels.hpp"

#include <algorithm>

namespace chronotope {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

double share(std::uint64_t part, std::uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

PlaceIntents::PlaceIntents(const CleansingRules& rules)
    : rules_(rules), categories_(rules.functional_categories.begin(), rules.functional_categories.end()) {}

void PlaceIntents::count(const LoggedAction& action) {
  Count& place = places_.entry(action.place).count;
  place.searches += contains(rules_.search_types, action.type);
  place.clicks += contains(rules_.click_types, action.type);
  if (!categories_.contains(action.category)) return;
  place.by_category = true;
  seen_.insert(action.category);
}

// Searches at a place without clicks are infinitely many a click, which the division says by itself; 0 / 0 is NaN, of
// which no comparison holds; and nothing is more than an infinite threshold.
bool PlaceIntents::by_ratio(const Count& place) const {
  return share(place.searches, place.clicks) > rules_.most_searched;
}

PlaceIntents::Verdict PlaceIntents::of(const std::string& place) const {
  const auto& [number, count] = places_.known(place);
  return {number, count.by_category || by_ratio(count)};
}

void PlaceIntents::report(CleansingReport& to) const {
  to.places = places_.size();
  for (const auto& [place, entry] : places_.entries()) {
    const bool ratio = by_ratio(entry.count);
    to.functional_by_category += entry.count.by_category;
    to.functional_by_ratio += ratio;
    to.functional_by_both += entry.count.by_category && ratio;
  }
  for (const std::string& category : rules_.functional_categories)
    if (!seen_.contains(category)) to.unseen_categories.push_back(category);
}

void UserRichness::count(const LoggedAction& action, PlaceIntents::Verdict place) {
  auto& [number, user] = users_.entry(action.user);
  ++user.actions;
  if (place.functional) return;
  ++user.interest;
  user.places += pairs_.insert(std::uint64_t{number} << 32 | place.place).second;
}

bool UserRichness::is_rich(const Count& user) const {
  return user.interest > 0 && share(user.places, user.interest) >= least_;
}

void UserRichness::report(CleansingReport& to) const {
  const auto add = [](CleansingStep& step, std::uint64_t actions) { ++step.sequences, step.actions += actions; };
  for (const auto& [name, entry] : users_.entries()) {
    const Count& user = entry.count;
    add(to.coarse, user.actions);
    if (user.interest == 0) continue;
    add(to.action_level, user.interest);
    if (!is_rich(user)) continue;
    add(to.sequence_level, user.interest);
    to.written += user.actions;
  }
}

}  // namespace chronotope
