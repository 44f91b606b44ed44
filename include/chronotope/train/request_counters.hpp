#pragma once
// Counting predictors of clicks on shown places: what a ranking model has to beat.

#include <string>

#include "chronotope/train/request_histories.hpp"

namespace chronotope {

/// Scores of candidates, in the order of the requests asked for.
struct CountedScores {
  std::string name;
  std::vector<float> scores;
};

/// place_clicks: the place's share of clicks in requests before `until`, smoothed by that of its category; category_hour: the category's share
/// at the hour; near: how near the user is; history, category_history: the user's earlier actions there and in the category; logistic: a
/// logistic regression on the logarithms of all of them, fitted to the requests before `until` (a row's own click taken out of its place's
/// share). O(shown places x actions of the user).
std::vector<CountedScores> counted_scores(const RequestHistories& requests, const ActionHistories& histories, std::int64_t until, std::span<const std::uint32_t> some);

}  // namespace chronotope
