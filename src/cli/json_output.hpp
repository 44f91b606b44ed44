#pragma once
// Recommendations as JSON and as a table.

#include <string>
#include <vector>

#include "chronotope/serve/recommender.hpp"

namespace chronotope::cli {

std::string recommendations_json(const std::string& user, const std::string& asked_time, const std::vector<Recommendation>& places);
std::string recommendations_table(const std::vector<Recommendation>& places);

}  // namespace chronotope::cli
