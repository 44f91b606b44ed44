// Coordinate search: one weight after the other is set to the value of a fixed grid that gives the best acc@1 +
// MRR / 2, and stays where it is when none improves. A step costs one pass over the cases for the whole grid.

#include "counter_search.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace chronotope::counting {
namespace {

constexpr std::array<double, 9> grid{0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6};
constexpr int rounds = 2;
constexpr double start = 0.1;

constexpr std::array<CounterPart, 9> searched{
    CounterPart::popularity,    CounterPart::user_frequency, CounterPart::user_recent,
    CounterPart::user_last,     CounterPart::user_markov,    CounterPart::global_markov,
    CounterPart::near_last,     CounterPart::user_hour,      CounterPart::hour_popularity};
constexpr std::size_t without_time = 7;  // the first ones do not see the time

// Found on the validation targets of New York; in the order of `searched`.
constexpr std::array<double, 7> default_plain{0.01, 1.6, 0.2, 0.01, 0.4, 0.2, 0.03};
constexpr std::array<double, 9> default_timed{0.03, 0, 0.2, 0, 0.4, 0.1, 0.2, 1.6, 0.1};

template <std::size_t N>
CounterWeights in_place(const std::array<double, N>& values) {
  CounterWeights weights{};
  for (std::size_t k = 0; k < N; ++k) weights[index(searched[k])] = values[k];
  return weights;
}

std::array<double, grid.size()> objective(QueryRanker& ranker, std::span<const Case> cases,
                                          const CounterWeights& weights, CounterPart part) {
  std::array<double, grid.size()> sum{};
  std::array<RankedTarget, grid.size()> ranks;  // ties shared out: won, they would draw the search to coarse scores
  for (const Case& c : cases) {
    ranker.rank(c.query, weights, part, grid, c.own, ranks);
    for (std::size_t i = 0; i < grid.size(); ++i) sum[i] += hit(ranks[i], 1) + 0.5 * reciprocal_rank(ranks[i]);
  }
  for (double& s : sum) s /= static_cast<double>(cases.size());
  return sum;
}

}  // namespace

std::size_t search_stride(std::size_t cases, std::size_t floats) {
  constexpr std::size_t limit = 100'000'000, fewest = 64;
  const std::size_t needed = (floats + limit - 1) / limit;
  return std::max<std::size_t>(std::min(needed, cases / fewest), 1);
}

CounterWeights mixture_weights(const CounterTables& tables, std::span<const Case> cases, bool with_time) {
  if (cases.empty()) return with_time ? in_place(default_timed) : in_place(default_plain);
  const auto parts = std::span(searched).first(with_time ? searched.size() : without_time);
  CounterWeights weights{};
  for (CounterPart part : parts) weights[index(part)] = start;
  QueryRanker ranker(tables);
  double best = -1;
  for (int round = 0; round < rounds; ++round)
    for (CounterPart part : parts) {
      const auto value = objective(ranker, cases, weights, part);
      double pick = weights[index(part)];
      for (std::size_t i = 0; i < grid.size(); ++i)
        if (value[i] > best + 1e-9) {
          best = value[i];
          pick = grid[i];
        }
      weights[index(part)] = pick;
    }
  return weights;
}

}  // namespace chronotope::counting
