#include "chronotope/eval/ranking_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_map>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double discount(std::size_t position) { return 1 / std::log2(static_cast<double>(position) + 1); }

/// Of `targets` at the front of a list.
double best_gain(std::size_t targets, std::size_t k) {
  double gain = 0;
  for (std::size_t position = 1; position <= std::min(targets, k); ++position) gain += discount(position);
  return gain;
}

std::vector<std::uint64_t> distinct(std::vector<std::uint64_t> places) {
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

/// Where a place stands first, from 1; `never` when it does not.
std::size_t position_of(const RankedList& list, std::uint64_t place) {
  const auto at = std::find(list.places.begin(), list.places.end(), place);
  return at == list.places.end() ? never : static_cast<std::size_t>(at - list.places.begin()) + 1;
}

std::size_t first_position(const RankedList& list) {
  std::size_t first = never;
  for (const std::uint64_t target : list.targets) first = std::min(first, position_of(list, target));
  return first;
}

void check_cutoff(std::size_t k) {
  if (k == 0) throw ConfigError("a measure of the first 0 places of a list; at least 1 is needed");
}

void check_candidates(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  if (scores.size() != labels.size())
    throw DataError("ndcg: " + std::to_string(scores.size()) + " scores, but " + std::to_string(labels.size()) + " labels");
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (labels[i] > 1 || std::isnan(scores[i]))
      throw DataError("ndcg: candidate " + std::to_string(i) + " has the label " + std::to_string(labels[i]) +
                      " and the score " + std::to_string(scores[i]) + "; labels are 0 or 1, scores numbers");
}

template <class Measure> std::vector<double> of_each(std::span<const RankedList> lists, Measure measure) {
  std::vector<double> values;
  values.reserve(lists.size());
  for (const RankedList& list : lists) values.push_back(measure(list));
  return values;
}

/// Rounded down, also before 1970.
std::int64_t day_of(std::int64_t local) {
  constexpr std::int64_t day = 24 * 60 * 60;
  return local / day - (local % day < 0);
}

}  // namespace

double hit(const RankedList& list, std::size_t k) {
  if (list.targets.empty()) return undefined;
  const std::size_t first = first_position(list);
  return first != never && first <= k;
}

double reciprocal_rank(const RankedList& list) {
  if (list.targets.empty()) return undefined;
  const std::size_t first = first_position(list);
  return first == never ? 0 : 1 / static_cast<double>(first);
}

double ndcg(const RankedList& list, std::size_t k) {
  check_cutoff(k);
  if (list.targets.empty()) return undefined;
  const std::vector<std::uint64_t> targets = distinct(list.targets);
  double gain = 0;
  for (const std::uint64_t target : targets)
    if (const std::size_t position = position_of(list, target); position <= k && position != never)
      gain += discount(position);
  return gain / best_gain(targets.size(), k);
}

double ndcg(std::span<const float> scores, std::span<const std::uint8_t> labels, std::size_t k) {
  check_cutoff(k);
  check_candidates(scores, labels);
  const auto targets = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), 1));
  if (targets == 0) return undefined;
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double gain = 0;
  for (std::size_t from = 0, to = 0; from < std::min(order.size(), k); from = to) {
    double clicked = 0, discounts = 0;
    for (; to < order.size() && scores[order[to]] == scores[order[from]]; ++to) {
      clicked += labels[order[to]];
      if (to < k) discounts += discount(to + 1);
    }
    gain += discounts * clicked / static_cast<double>(to - from);  // each of the equal ones stands everywhere alike
  }
  return gain / best_gain(targets, k);
}

std::vector<double> hits(std::span<const RankedList> lists, std::size_t k) {
  return of_each(lists, [k](const RankedList& list) { return hit(list, k); });
}
std::vector<double> reciprocal_ranks(std::span<const RankedList> lists) {
  return of_each(lists, [](const RankedList& list) { return reciprocal_rank(list); });
}
std::vector<double> ndcgs(std::span<const RankedList> lists, std::size_t k) {
  return of_each(lists, [k](const RankedList& list) { return ndcg(list, k); });
}

std::vector<std::size_t> active_days_since(std::span<const std::uint64_t> places, std::span<const TimedPlace> history) {
  std::vector<std::int64_t> days;
  std::unordered_map<std::uint64_t, std::int64_t> last;  // day, by place
  for (const TimedPlace& action : history) {
    const std::int64_t day = day_of(action.local);
    days.push_back(day);
    const auto [at, added] = last.try_emplace(action.place, day);
    at->second = std::max(at->second, day);
  }
  std::sort(days.begin(), days.end());
  days.erase(std::unique(days.begin(), days.end()), days.end());
  std::vector<std::size_t> since;
  for (const std::uint64_t place : places) {
    const auto found = last.find(place);
    since.push_back(found == last.end()
                        ? never
                        : static_cast<std::size_t>(days.end() - std::lower_bound(days.begin(), days.end(), found->second)));
  }
  return since;
}

double discovery_rate(std::span<const std::size_t> since, std::size_t k, std::size_t m) {
  const auto top = since.first(std::min(k, since.size()));
  if (top.empty()) return undefined;
  const auto fresh = std::count_if(top.begin(), top.end(), [m](std::size_t days) { return days == never || days > m; });
  return static_cast<double>(fresh) / static_cast<double>(top.size());
}

ListMetrics measure_lists(std::span<const RankedList> lists, std::span<const std::size_t> users,
                          std::span<const std::size_t> cutoffs, const BootstrapOptions& options) {
  ListMetrics metrics;
  metrics.mrr = mean_by_user(reciprocal_ranks(lists), users, options);
  for (const std::size_t k : cutoffs)
    metrics.cutoffs.push_back({k, mean_by_user(hits(lists, k), users, options), mean_by_user(ndcgs(lists, k), users, options)});
  std::vector<std::uint64_t> seen;
  for (std::size_t i = 0; i < lists.size(); ++i)
    if (!lists[i].targets.empty()) seen.push_back(users[i]);
  metrics.requests = seen.size();
  metrics.without_targets = lists.size() - seen.size();
  metrics.users = distinct(std::move(seen)).size();
  return metrics;
}

}  // namespace chronotope
