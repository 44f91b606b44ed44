#pragma once
// Two recommended lists compared by a judge (Spacetime-GR, 4.1.5, Table 5): a language model behind a command
// (command_judge.hpp), a rule, or a function of yours.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {

/// A recommended place as a judge sees it.
struct JudgedPlace {
  std::string place;                  ///< id or name
  std::string category;               ///< "" when not known
  std::optional<double> distance_km;  ///< from the user
  std::string description;            ///< anything else worth knowing; may be ""
};

/// What a judge is asked: which of two lists suits the user better.
struct JudgeCase {
  std::uint64_t request = 0;         ///< any number, by which a judge of yours may know the request
  std::size_t user = 0;              ///< cases of one user are drawn together in intervals; not shown to commands
  std::string context;               ///< when and where the request was made, in words
  std::string profile;               ///< "age: 34; occupation: teacher"
  std::vector<std::string> history;  ///< an action a line, oldest first
  std::vector<JudgedPlace> a, b;     ///< best first
};

enum class BetterList : std::uint8_t { a, even, b };

struct Verdict {
  BetterList better = BetterList::even;  ///< as a whole
  std::size_t fit_a = 0, fit_b = 0;      ///< places that fit the user's interests, of either list
};

using Judge = std::function<Verdict(const JudgeCase&)>;

/// Judges by a score: the list with the greater sum is better, a place fits when its score is above the threshold. On a
/// generated world the planted probability of a visit is such a score.
class RuleJudge {
 public:
  using Score = std::function<double(const JudgeCase&, const JudgedPlace&)>;

  /// Sums that differ by no more than `margin` are even. Throws ConfigError for a negative margin or NaN.
  RuleJudge(Score score, double threshold, double margin = 0);

  /// Throws DataError for a score that is NaN.
  Verdict operator()(const JudgeCase& asked) const;

 private:
  Score score_;
  double threshold_, margin_;
};

struct JudgeOptions {
  std::string first = "first", second = "second";  ///< whose lists a and b are
  std::uint64_t seed = 1;                          ///< which cases are shown with their lists exchanged
  std::size_t most_failures = 0;                   ///< cases without a verdict (JudgeError) that are put up with
  BootstrapOptions intervals = {};
};

/// Shares of cases, from the first's side.
struct JudgeShares {
  MeasuredInterval win, even, lose;
  MeasuredInterval ahead;  ///< win minus lose
};

/// Table 5. Intervals draw whole users.
struct JudgeTable {
  std::string first, second;
  std::size_t cases = 0, failed = 0;  ///< failed: of the cases, those without a verdict, left out of all shares
  std::string first_failure;          ///< its message
  double level = 0.95;
  JudgeShares system, place;                         ///< place level: whose list has more places that fit
  MeasuredInterval fitting_first, fitting_second;  ///< share of the places of a list that fit; empty lists have none
};

/// Asks the judge about every case. Each case's lists are exchanged with probability 1/2, so that a judge who prefers a
/// position gains nothing for either side. Throws DataError for no cases, or a verdict with more fitting places than a
/// list has; ConfigError for intervals out of range; the judge's JudgeError once more than most_failures cases have
/// failed; whatever else the judge throws.
JudgeTable judge_lists(std::span<const JudgeCase> cases, const Judge& judge, const JudgeOptions& options = {});

/// The table in columns, then in words whether the first's lists are better.
std::string format_judge_table(const JudgeTable& table);

/// {"first", "second", "cases", "failed", "system": S, "place": S, "fitting_first": I, "fitting_second": I} with
/// S = {"win", "even", "lose", "ahead": I each} and I = {"value", "standard_error", "interval": [low, high]}; what is not
/// defined is null.
std::string judge_table_json(const JudgeTable& table);

}  // namespace chronotope
