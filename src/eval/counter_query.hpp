#pragma once
// Private to the counters: the parts of one target, and ranks under varying weights.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "chronotope/eval/counters.hpp"

namespace chronotope::counting {

constexpr std::size_t index(CounterPart part) { return static_cast<std::size_t>(part); }

/// Parts that are non-zero nearly everywhere; the others touch only the user's places and followers of the last one.
constexpr bool is_dense(CounterPart part) {
  return part == CounterPart::popularity || part == CounterPart::near_last || part == CounterPart::hour_popularity;
}

/// Hour of the day, 0 to 23, and whether it is a weekend, of a wall clock in seconds (negative before 1970).
int hour_of_day(std::int64_t local);
bool is_weekend(std::int64_t local);

/// Likeness of two hours of the day on the clock face: a Gaussian of 1.5 hours.
double hour_kernel(int a, int b);

/// The parts of one target. Values are rounded to float so that sums which differ by the order of addition alone tie.
struct CounterQuery {
  struct Entry {
    std::int32_t candidate = 0;
    std::array<float, counter_parts> value{};  ///< dense parts stay 0 here
  };
  std::vector<Entry> entries;
  std::vector<float> near_last;  ///< [C]
  int hour = 0;
};

/// Makes queries; keeps O(C) scratch between them.
class QueryMaker {
 public:
  explicit QueryMaker(const CounterTables& tables) : tables_(tables), slot_(tables.place.size(), -1) {}
  CounterQuery make(std::span<const Checkin> history, std::int64_t local_time);

 private:
  struct Sums {
    std::int32_t candidate = 0;
    std::array<double, counter_parts> value{};
  };
  double& at(std::int32_t candidate, CounterPart part);
  void count_visits(std::span<const Checkin> history, std::int64_t local_time);
  void count_followers(std::span<const Checkin> history);
  std::vector<CounterQuery::Entry> normalised();

  const CounterTables& tables_;
  std::vector<std::int32_t> slot_;  // candidate -> index into sums_, -1 for none
  std::vector<Sums> sums_;
};

/// Scores and ranks queries; keeps O(C) scratch between them.
class QueryRanker {
 public:
  explicit QueryRanker(const CounterTables& tables)
      : tables_(tables), base_(tables.place.size()), step_(tables.place.size()) {}

  /// [C], valid until the next call.
  std::span<const double> scores(const CounterQuery& query, const CounterWeights& weights);

  /// Ranks candidate `own` once for each value in `grid`, which replaces the weight of `part`. The sum of the other
  /// parts is formed once; a candidate that stays below the target for every value is passed over in one comparison.
  void rank(const CounterQuery& query, CounterWeights weights, CounterPart part, std::span<const double> grid,
            std::int32_t own, std::span<RankedTarget> out);

 private:
  std::span<const float> dense(const CounterQuery& query, CounterPart part) const;

  const CounterTables& tables_;
  std::vector<double> base_;
  std::vector<float> step_;
};

}  // namespace chronotope::counting
