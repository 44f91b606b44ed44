#pragma once
// A judge by what users did afterwards, for Table 5 without a language model (Spacetime-GR, 4.1.5): a recommended place fits where the
// user's own later actions show an interest in it.

#include "chronotope/eval/judge.hpp"
#include "chronotope/train/request_histories.hpp"

namespace chronotope {

struct InterestRule {
  std::int64_t days = 14;      ///< how long after the request actions count
  double near_km = 3;          ///< a place of the category of a place gone to, no farther from it, fits too
  double likeness = 0.25;      ///< what such a place is worth beside 1 for a place gone to
};

/// What a request's user did within so many days after it, oldest first. O(log actions).
std::span<const PastAction> later_actions(const ActionHistories& histories, const AskedRequest& request, const InterestRule& rule);

/// 1 for a place that is among the interest-based actions of `later`, rule.likeness for one like them, else 0. O(later).
double interest_in(const SeenPlace& place, std::span<const PastAction> later, const InterestRule& rule);

/// Judges cases whose `request` is a number of `requests` by interest_in: the list with the greater sum is better, and places above 0 fit. Keeps
/// references. Throws DataError for a case whose request is not there.
RuleJudge interest_judge(const RequestHistories& requests, const ActionHistories& histories, const ActionTokenizer& tokenizer, const InterestRule& rule);

/// A case for a judge: the request in words, the user's profile and latest `most` actions, and the two lists, places by number of the catalogue.
JudgeCase judge_case(const RequestHistories& requests, const ActionHistories& histories, const ActionTokenizer& tokenizer, std::uint32_t request,
                     std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::size_t most = 50);

}  // namespace chronotope
