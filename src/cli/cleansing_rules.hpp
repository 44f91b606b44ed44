#pragma once
// Rules of cleansing as an object of a JSON file (docs/config.md).

#include "chronotope/data/cleansing.hpp"
#include "cli/json_section.hpp"

namespace chronotope::cli {

/// Keys that are missing keep their defaults. Throws ConfigError naming a key that is unknown or of the wrong type.
inline CleansingRules cleansing_rules(const JsonSection& section) {
  section.check_keys({"functional", "most_searched", "search_types", "click_types", "least_richness"});
  CleansingRules rules;
  section.read("functional", rules.functional_categories);
  section.read("most_searched", rules.most_searched);
  section.read("search_types", rules.search_types), section.read("click_types", rules.click_types);
  section.read("least_richness", rules.least_richness);
  return rules;
}

}  // namespace chronotope::cli
