#pragma once
// What cleansing took away, in the form of the paper's Table 2 (Spacetime-GR, 3.2.1).

#include <string>

#include "chronotope/data/cleansing.hpp"

namespace chronotope {

/// A line for each step: users (sequences) and interest-based actions, their shares of what came in, and what this step
/// took of the actions that the one before had left (the paper's "filter ratio"). Then, in words, which places are
/// functional by which rule, and categories that were named and never seen.
std::string format_cleansing(const CleansingReport& report);

/// {"steps": [{"step", "sequences", "actions", "sequence_share", "action_share", "filter_ratio" (null in the first)}],
/// "written_actions", "places": {"all", "functional_by_category", "functional_by_ratio", "functional_by_both"},
/// "rules": {"functional_categories", "most_searched" (null: off), "search_types", "click_types", "least_richness"},
/// "unseen_categories"}
std::string cleansing_json(const CleansingReport& report);

}  // namespace chronotope
