#include "counter_query.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace chronotope::counting {
namespace {

constexpr double memory_days = 14, hour_width = 1.5, other_kind_of_day = 0.3, reach_km = 1;
constexpr double km_per_degree = 111.2;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

// Flat-earth distances are good to a fraction of the reach wherever the exponential matters.
std::vector<float> popularity_near(const CounterTables& tables, const Checkin& last) {
  const double shrink = std::cos(last.latitude * std::numbers::pi / 180);
  std::vector<double> value(tables.place.size());
  double sum = 0;
  for (std::size_t c = 0; c < value.size(); ++c) {
    const double north = tables.latitude[c] - last.latitude;
    double east = tables.longitude[c] - last.longitude;
    if (std::abs(east) > 180) east = 360 - std::abs(east);
    east *= shrink;
    value[c] = tables.popularity[c] * std::exp(-km_per_degree / reach_km * std::sqrt(north * north + east * east));
    sum += value[c];
  }
  std::vector<float> share(value.size(), 0.0f);
  if (sum > 0)
    for (std::size_t c = 0; c < value.size(); ++c) share[c] = static_cast<float>(value[c] / sum);
  return share;
}

}  // namespace

int hour_of_day(std::int64_t local) {
  const std::int64_t hour = floor_divide(local, 3600) % 24;
  return static_cast<int>(hour < 0 ? hour + 24 : hour);
}

bool is_weekend(std::int64_t local) {
  const std::int64_t weekday = (floor_divide(local, 86400) % 7 + 7 + 3) % 7;  // 1970-01-01 was a Thursday
  return weekday >= 5;
}

double hour_kernel(int a, int b) {
  const int apart = std::abs(a - b);
  const double z = std::min(apart, 24 - apart) / hour_width;
  return std::exp(-0.5 * z * z);
}

double& QueryMaker::at(std::int32_t candidate, CounterPart part) {
  std::int32_t& slot = slot_[static_cast<std::size_t>(candidate)];
  if (slot < 0) {
    slot = static_cast<std::int32_t>(sums_.size());
    sums_.push_back({candidate, {}});
  }
  return sums_[static_cast<std::size_t>(slot)].value[index(part)];
}

void QueryMaker::count_visits(std::span<const Checkin> history, std::int64_t local_time) {
  const bool weekend = is_weekend(local_time);
  std::array<double, 24> likeness{};
  for (int h = 0; h < 24; ++h) likeness[static_cast<std::size_t>(h)] = hour_kernel(h, hour_of_day(local_time));
  for (const Checkin& visit : history) {
    const std::int32_t c = tables_.candidate[static_cast<std::size_t>(visit.place)];
    if (c < 0) continue;
    const double seconds = static_cast<double>(history.back().utc) - static_cast<double>(visit.utc);
    at(c, CounterPart::user_frequency) += 1;
    at(c, CounterPart::user_recent) += std::exp(-std::max(seconds, 0.0) / 86400 / memory_days);
    at(c, CounterPart::user_hour) += likeness[static_cast<std::size_t>(hour_of_day(visit.local))] *
                                     (is_weekend(visit.local) == weekend ? 1 : other_kind_of_day);
    if (visit.split == Split::train) at(c, CounterPart::user_frequency_training) += 1;
  }
}

void QueryMaker::count_followers(std::span<const Checkin> history) {
  const auto known = [&](const Checkin& row) { return tables_.candidate[static_cast<std::size_t>(row.place)]; };
  const std::int32_t last = known(history.back());
  if (last < 0) return;
  at(last, CounterPart::user_last) = 1;
  for (std::size_t i = 1; i < history.size(); ++i)
    if (const std::int32_t next = known(history[i]); next >= 0 && known(history[i - 1]) == last)
      at(next, CounterPart::user_markov) += 1;
  const auto row = static_cast<std::size_t>(last);
  for (std::size_t i = tables_.follower_begin[row]; i < tables_.follower_begin[row + 1]; ++i)
    at(tables_.follower[i], CounterPart::global_markov) = tables_.follower_share[i];
}

std::vector<CounterQuery::Entry> QueryMaker::normalised() {
  std::array<double, counter_parts> total{};
  for (const Sums& s : sums_)
    for (std::size_t k = 0; k < counter_parts; ++k) total[k] += s.value[k];
  std::vector<CounterQuery::Entry> entries;
  entries.reserve(sums_.size());
  for (const Sums& s : sums_) {
    auto& entry = entries.emplace_back(CounterQuery::Entry{s.candidate, {}});
    for (std::size_t k = 0; k < counter_parts; ++k)
      if (total[k] > 0) entry.value[k] = static_cast<float>(s.value[k] / total[k]);
    slot_[static_cast<std::size_t>(s.candidate)] = -1;
  }
  sums_.clear();
  return entries;
}

CounterQuery QueryMaker::make(std::span<const Checkin> history, std::int64_t local_time) {
  CounterQuery query;
  query.hour = hour_of_day(local_time);
  if (history.empty()) {  // no last position either: nearness falls back to popularity
    query.near_last = tables_.popularity;
    return query;
  }
  count_visits(history, local_time);
  count_followers(history);
  query.entries = normalised();
  query.near_last = popularity_near(tables_, history.back());
  return query;
}

std::span<const float> QueryRanker::dense(const CounterQuery& query, CounterPart part) const {
  if (part == CounterPart::popularity) return tables_.popularity;
  if (part == CounterPart::near_last) return query.near_last;
  const std::size_t n = tables_.place.size();
  return std::span(tables_.hour_popularity).subspan(static_cast<std::size_t>(query.hour) * n, n);
}

std::span<const double> QueryRanker::scores(const CounterQuery& query, const CounterWeights& weights) {
  std::fill(base_.begin(), base_.end(), 0.0);
  for (std::size_t k = 0; k < counter_parts; ++k) {
    const auto part = static_cast<CounterPart>(k);
    if (weights[k] == 0) continue;
    if (is_dense(part)) {
      const std::span<const float> value = dense(query, part);
      for (std::size_t c = 0; c < base_.size(); ++c) base_[c] += weights[k] * static_cast<double>(value[c]);
    } else {
      for (const auto& e : query.entries)
        base_[static_cast<std::size_t>(e.candidate)] += weights[k] * static_cast<double>(e.value[k]);
    }
  }
  return base_;
}

void QueryRanker::rank(const CounterQuery& query, CounterWeights weights, CounterPart part,
                       std::span<const double> grid, std::int32_t own, std::span<RankedTarget> out) {
  weights[index(part)] = 0;
  scores(query, weights);
  std::span<const float> step;
  if (is_dense(part)) {
    step = dense(query, part);
  } else {
    std::fill(step_.begin(), step_.end(), 0.0f);
    for (const auto& e : query.entries) step_[static_cast<std::size_t>(e.candidate)] = e.value[index(part)];
    step = step_;
  }
  const auto y = static_cast<std::size_t>(own);
  const auto score = [&](std::size_t c, double g) { return base_[c] + g * static_cast<double>(step[c]); };
  const auto [low, high] = std::minmax_element(grid.begin(), grid.end());
  const double least = score(y, *low);  // parts and weights are not negative, so scores rise with the weight
  for (RankedTarget& r : out) r.greater = r.ties = 0;
  for (std::size_t c = 0; c < base_.size(); ++c) {
    if (score(c, *high) < least || c == y) continue;
    for (std::size_t i = 0; i < grid.size(); ++i) {
      const double mine = score(c, grid[i]), target = score(y, grid[i]);
      const bool unknown = target == 0;  // nothing is said about the target's place: popularity decides
      if (mine > target || (mine == target && unknown && tables_.count[c] > tables_.count[y])) ++out[i].greater;
      else if (mine == target && (!unknown || tables_.count[c] == tables_.count[y])) ++out[i].ties;
    }
  }
}

}  // namespace chronotope::counting
