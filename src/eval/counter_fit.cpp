// What the counters learn from the training rows.

#include <algorithm>
#include <array>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/counters.hpp"
#include "chronotope/eval/targets.hpp"
#include "counter_query.hpp"

namespace chronotope {
namespace {

void number_candidates(CounterTables& tables, std::span<const std::uint8_t> is_candidate) {
  tables.candidate.assign(is_candidate.size(), -1);
  for (std::size_t p = 0; p < is_candidate.size(); ++p) {
    if (!is_candidate[p]) continue;
    tables.candidate[p] = static_cast<std::int32_t>(tables.place.size());
    tables.place.push_back(static_cast<std::int32_t>(p));
  }
  if (tables.place.empty())
    throw DataError("counters: no row has split \"train\", so there is nothing to count and no candidate place");
}

std::size_t candidate_of(const CounterTables& tables, const Checkin& row) {
  return static_cast<std::size_t>(tables.candidate[static_cast<std::size_t>(row.place)]);
}

void count_places(CounterTables& tables, const CheckinTable& table) {
  const std::size_t n = tables.place.size();
  tables.count.assign(n, 0);
  tables.latitude.assign(n, 0);
  tables.longitude.assign(n, 0);
  std::uint64_t total = 0;
  for (const Checkin& row : table.rows) {
    if (row.split != Split::train) continue;
    const std::size_t c = candidate_of(tables, row);
    if (tables.count[c]++ == 0) {
      tables.latitude[c] = row.latitude;
      tables.longitude[c] = row.longitude;
    }
    ++total;
  }
  for (std::uint64_t count : tables.count)
    tables.popularity.push_back(static_cast<float>(static_cast<double>(count) / static_cast<double>(total)));
}

void count_hours(CounterTables& tables, const CheckinTable& table) {
  const std::size_t n = tables.place.size();
  std::vector<float> exact(24 * n, 0.0f);
  std::array<double, 24> rows{};
  for (const Checkin& row : table.rows) {
    if (row.split != Split::train) continue;
    const auto hour = static_cast<std::size_t>(counting::hour_of_day(row.local));
    ++exact[hour * n + candidate_of(tables, row)];
    ++rows[hour];
  }
  tables.hour_popularity.assign(24 * n, 0.0f);
  for (std::size_t h = 0; h < 24; ++h) {
    std::array<double, 24> weight{};
    double total = 0;
    for (std::size_t j = 0; j < 24; ++j) {
      weight[j] = counting::hour_kernel(static_cast<int>(h), static_cast<int>(j));
      total += weight[j] * rows[j];
    }
    for (std::size_t c = 0; c < n; ++c) {
      double sum = 0;
      for (std::size_t j = 0; j < 24; ++j) sum += weight[j] * static_cast<double>(exact[j * n + c]);
      tables.hour_popularity[h * n + c] = static_cast<float>(sum / total);
    }
  }
}

// Pairs of consecutive training rows of a user within one trajectory, sorted by the first place and counted.
void count_followers(CounterTables& tables, const CheckinTable& table) {
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::size_t user = 0; user < table.users.size(); ++user) {
    const Checkin* before = nullptr;
    for (const Checkin& row : table.history(user)) {
      if (row.split != Split::train) continue;
      if (before && before->trajectory == row.trajectory)
        pairs.emplace_back(candidate_of(tables, *before), candidate_of(tables, row));
      before = &row;
    }
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<double> total(tables.place.size(), 0.0);
  for (const auto& pair : pairs) ++total[static_cast<std::size_t>(pair.first)];
  tables.follower_begin.assign(tables.place.size() + 1, 0);
  for (auto at = pairs.begin(); at != pairs.end();) {
    const auto next = std::upper_bound(at, pairs.end(), *at);
    const auto from = static_cast<std::size_t>(at->first);
    tables.follower.push_back(at->second);
    tables.follower_share.push_back(static_cast<float>(static_cast<double>(next - at) / total[from]));
    tables.follower_begin[from + 1] = tables.follower.size();
    at = next;
  }
  for (std::size_t c = 1; c < tables.follower_begin.size(); ++c)  // candidates that nothing followed
    tables.follower_begin[c] = std::max(tables.follower_begin[c], tables.follower_begin[c - 1]);
}

}  // namespace

CounterTables fit_counters(const CheckinTable& table) {
  CounterTables tables;
  number_candidates(tables, training_places(table));
  count_places(tables, table);
  count_hours(tables, table);
  count_followers(tables, table);
  return tables;
}

}  // namespace chronotope
