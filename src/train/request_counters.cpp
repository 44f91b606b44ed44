#include "chronotope/train/request_counters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "eval/logistic_fit.hpp"

namespace chronotope {
namespace {

constexpr double place_prior = 20, category_prior = 50;  // shown places that a share is smoothed by
constexpr std::size_t features = 5;

/// Clicks among shown places, by some key.
struct Share {
  double clicked = 0, shown = 0;
  double smoothed(double towards, double prior) const { return (clicked + prior * towards) / (shown + prior); }
};

int hour_of(const AskedRequest& r) { return calendar_fields(r.at.local).hour; }

/// What training requests tell. Categories at hours are keyed category * 24 + hour.
class ClickShares {
 public:
  ClickShares(const RequestHistories& h, std::span<const std::uint32_t> training) {
    for (const std::uint32_t number : training) {
      const AskedRequest& r = h.requests[number];
      for (std::size_t i = r.first_shown; i < r.first_shown + r.shown; ++i) {
        const SeenPlace& p = h.shown[i];
        for (Share* share : {&at(places_, p.place), &at(categories_, static_cast<std::size_t>(p.category) * 24 + static_cast<std::size_t>(hour_of(r))), &all_})
          share->clicked += h.clicked[i], ++share->shown;
      }
    }
  }
  /// Its clicks taken out again, for a row that was counted itself.
  double category(const SeenPlace& p, int hour) const {
    const std::size_t key = static_cast<std::size_t>(p.category) * 24 + static_cast<std::size_t>(hour);
    return (key < categories_.size() ? categories_[key] : Share{}).smoothed(all_.smoothed(0.1, 1), category_prior);
  }
  double place(const SeenPlace& p, int hour, const std::uint8_t* own) const {
    Share share = p.place < places_.size() ? places_[p.place] : Share{};
    if (own) share.clicked -= *own, --share.shown;
    return share.smoothed(category(p, hour), place_prior);
  }

 private:
  static Share& at(std::vector<Share>& shares, std::size_t key) {
    if (shares.size() <= key) shares.resize(key + 1);
    return shares[key];
  }
  std::vector<Share> places_, categories_;
  Share all_;
};

/// Features of one candidate, larger for likelier clicks.
std::array<float, features> describe(const ClickShares& shares, const ActionHistories& histories, const AskedRequest& r, const SeenPlace& p, const std::uint8_t* own) {
  double visits = 0, same_category = 0, km = 10;
  for (std::size_t i = r.begin; i < r.end; ++i) {
    visits += p.place != 0 && histories.actions[i].place == p.place;
    same_category += histories.actions[i].category == p.category;
  }
  if (r.at.position && p.placed()) km = distance_km(r.at.position->latitude, r.at.position->longitude, p.latitude, p.longitude);
  const double count = static_cast<double>(r.end - r.begin), hour = static_cast<double>(hour_of(r));
  return {static_cast<float>(std::log(shares.place(p, static_cast<int>(hour), own))), static_cast<float>(std::log(shares.category(p, static_cast<int>(hour)))),
          static_cast<float>(-std::log(km + 0.1)), static_cast<float>(std::log1p(visits)), static_cast<float>(std::log((same_category + 0.5) / (count + 10)))};
}

std::vector<float> all_features(const ClickShares& shares, const RequestHistories& h, const ActionHistories& histories, std::span<const std::uint32_t> some, bool counted) {
  std::vector<float> values;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = h.requests[number];
    for (std::size_t i = r.first_shown; i < r.first_shown + r.shown; ++i) {
      const auto row = describe(shares, histories, r, h.shown[i], counted ? &h.clicked[i] : nullptr);
      values.insert(values.end(), row.begin(), row.end());
    }
  }
  return values;
}

}  // namespace

std::vector<CountedScores> counted_scores(const RequestHistories& requests, const ActionHistories& histories, std::int64_t until, std::span<const std::uint32_t> some) {
  const auto training = requests_between(requests, 0, until, RequestNeeds::anything);
  const ClickShares shares(requests, training);
  const std::vector<float> rows = all_features(shares, requests, histories, some, false);
  const char* names[features] = {"place_clicks", "category_hour", "near", "history", "category_history"};
  std::vector<CountedScores> scored;
  for (std::size_t f = 0; f < features; ++f) {
    scored.push_back({names[f], {}});
    for (std::size_t i = f; i < rows.size(); i += features) scored.back().scores.push_back(rows[i]);
  }
  const std::vector<double> weights = counting::fit_logistic(all_features(shares, requests, histories, training, true), requests.labels(training).clicked, 1);
  scored.push_back({"logistic", {}});
  for (std::size_t i = 0; i < rows.size(); i += features)
    scored.back().scores.push_back(static_cast<float>(std::inner_product(rows.begin() + static_cast<std::ptrdiff_t>(i), rows.begin() + static_cast<std::ptrdiff_t>(i + features), weights.begin() + 1, weights[0])));
  return scored;
}

}  // namespace chronotope
