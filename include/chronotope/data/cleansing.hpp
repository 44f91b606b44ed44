#pragma once
// Data cleansing (Spacetime-GR, 3.2.1): actions that say nothing about interests are marked, users who do little but
// repeat themselves are dropped.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "chronotope/data/action_source.hpp"

namespace chronotope {

struct CleansingRules {
  /// A place is functional if any of its actions has one of these categories, to the letter: home, office, hospital.
  std::vector<std::string> functional_categories;
  /// A place is functional if it has more searches a click than this, over the whole log. Infinity: the rule is off.
  /// Searches without a click are infinitely many a click; about a place with neither the rule says nothing.
  double most_searched = std::numeric_limits<double>::infinity();
  std::vector<std::string> search_types{"search"};  ///< action types that count as active searches
  std::vector<std::string> click_types{"click"};    ///< action types that count as passive clicks
  /// A user is dropped whose richness is less: distinct places / actions, of the interest-based actions.
  double least_richness = 0.3;
};

/// A line of the paper's Table 2. A sequence is all of a user.
struct CleansingStep {
  std::uint64_t sequences = 0, actions = 0;
};

struct CleansingReport {
  CleansingStep coarse;          ///< what came in
  CleansingStep action_level;    ///< interest-based actions, and users who have any
  CleansingStep sequence_level;  ///< interest-based actions of the users who stay
  std::uint64_t written = 0;     ///< all actions of the users who stay, functional ones with them
  std::uint64_t places = 0;
  std::uint64_t functional_by_category = 0, functional_by_ratio = 0,
                functional_by_both = 0;        ///< places; "both" is in each
  std::vector<std::string> unseen_categories;  ///< functional categories that no action has: misspelt?
  CleansingRules rules;
};

/// Cleanses in three passes.
/// 1. Counts searches and clicks of every place: O(places) memory. What is functional is a matter of the place, so an
///    action without a category is judged by the others at its place.
/// 2. Action level, then sequence level, as in the paper: functional actions neither count for a user's richness nor as
///    an action of the user, and a user with nothing else is dropped. O(users + distinct pairs of user and place)
///    memory.
/// 3. Hands the actions of the users who stay to `keep`, in their order, with `interest` set to 1 or 0 whatever it was;
///    functional ones are context that a model reads but does not learn to predict.
/// O(actions) time. Throws ConfigError for rules that cannot be (NaN, a negative ratio, a richness outside 0 to 1, an
/// empty category, a type that is both search and click), DataError for a source without actions, when nobody stays
/// (with the counts), or when a pass differs from the first; and what source and `keep` throw. Until pass 3 begins,
/// `keep` is not called.
CleansingReport cleanse(const ActionSource& source, const CleansingRules& rules,
                        const std::function<void(const LoggedAction&)>& keep);

/// The same from a file that actions_in reads to one that ActionWriter writes; after an error there is no new file. The
/// two may be the same.
CleansingReport cleanse_file(const std::string& data, const std::string& out, const CleansingRules& rules);

}  // namespace chronotope
