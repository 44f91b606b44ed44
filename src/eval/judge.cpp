#include "chronotope/eval/judge.hpp"

#include <cmath>
#include <compare>
#include <limits>
#include <utility>

#include "chronotope/core/shuffle.hpp"
#include "chronotope/eval/command_judge.hpp"
#include "chronotope/eval/ranking_metrics.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

/// The same verdict on the lists exchanged.
Verdict turned(const Verdict& v) {
  const BetterList better = v.better == BetterList::a ? BetterList::b : v.better == BetterList::b ? BetterList::a : v.better;
  return {better, v.fit_b, v.fit_a};
}

Verdict asked_in_some_order(const JudgeCase& asked, const Judge& judge, bool exchanged) {
  if (!exchanged) return judge(asked);
  JudgeCase other = asked;
  std::swap(other.a, other.b);
  return turned(judge(other));
}

void check(const Verdict& v, const JudgeCase& asked) {
  if (v.fit_a <= asked.a.size() && v.fit_b <= asked.b.size()) return;
  throw DataError("request " + std::to_string(asked.request) + ": the judge says that " + std::to_string(v.fit_a) + " and " +
                  std::to_string(v.fit_b) + " places fit, of lists of " + std::to_string(asked.a.size()) + " and " +
                  std::to_string(asked.b.size()));
}

/// What is averaged over cases: NaN where there is no verdict.
class Outcomes {
 public:
  explicit Outcomes(std::size_t cases) : values_(cases, std::numeric_limits<double>::quiet_NaN()) {}

  /// 1 for the first's win, 0 for even, -1.
  void set(std::size_t i, std::strong_ordering first_against_second) {
    values_[i] = first_against_second > 0 ? 1 : first_against_second < 0 ? -1 : 0;
  }
  JudgeShares shares(std::span<const std::size_t> users, const BootstrapOptions& options) const {
    const auto share = [&](double outcome) {
      std::vector<double> equal = values_;
      for (double& v : equal)
        if (!std::isnan(v)) v = v == outcome;
      return mean_by_user(equal, users, options);
    };
    return {share(1), share(0), share(-1), mean_by_user(values_, users, options)};
  }

 private:
  std::vector<double> values_;
};

double share(std::size_t fit, std::size_t places) { return static_cast<double>(fit) / static_cast<double>(places); }

}  // namespace

RuleJudge::RuleJudge(Score score, double threshold, double margin)
    : score_(std::move(score)), threshold_(threshold), margin_(margin) {
  if (std::isnan(threshold) || !(margin >= 0))
    throw ConfigError("a judge by rule needs a threshold that is a number and a margin of 0 or more; " + std::to_string(threshold) +
                      " and " + std::to_string(margin) + " were given");
}

Verdict RuleJudge::operator()(const JudgeCase& asked) const {
  const auto sum = [&](const std::vector<JudgedPlace>& places, std::size_t& fit) {
    double total = 0;
    for (const JudgedPlace& place : places) {
      const double score = score_(asked, place);
      if (std::isnan(score)) throw DataError("request " + std::to_string(asked.request) + ": the score of place " + place.place + " is NaN");
      total += score;
      fit += score > threshold_;
    }
    return total;
  };
  Verdict verdict;
  const double a = sum(asked.a, verdict.fit_a), b = sum(asked.b, verdict.fit_b);
  if (a > b + margin_) verdict.better = BetterList::a;
  if (b > a + margin_) verdict.better = BetterList::b;
  return verdict;
}

JudgeTable judge_lists(std::span<const JudgeCase> cases, const Judge& judge, const JudgeOptions& options) {
  if (cases.empty()) throw DataError("no cases to judge; at least one is needed");
  resampling::check(options.intervals, "judge_lists");  // before hours of judging, not after
  JudgeTable table{options.first, options.second, cases.size(), 0, {}, options.intervals.level, {}, {}, {}, {}};
  Outcomes system(cases.size()), place(cases.size());
  std::vector<std::size_t> users;
  std::vector<double> first(cases.size(), std::numeric_limits<double>::quiet_NaN()), second = first;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const JudgeCase& asked = cases[i];
    users.push_back(asked.user);
    try {
      const Verdict v = asked_in_some_order(asked, judge, draw_below(options.seed, 0, i, 2) == 1);
      check(v, asked);
      system.set(i, BetterList::even <=> v.better);
      place.set(i, v.fit_a <=> v.fit_b);
      first[i] = share(v.fit_a, asked.a.size()), second[i] = share(v.fit_b, asked.b.size());
    } catch (const JudgeError& e) {
      if (table.failed == options.most_failures) throw;
      if (table.failed++ == 0) table.first_failure = e.what();
    }
  }
  table.system = system.shares(users, options.intervals), table.place = place.shares(users, options.intervals);
  table.fitting_first = mean_by_user(first, users, options.intervals);
  table.fitting_second = mean_by_user(second, users, options.intervals);
  return table;
}

}  // namespace chronotope
