#include "chronotope/train/action_counters.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

constexpr double hour_width = 1.5, other_half_of_week = 0.3, near_km = 0.5, far_km = 15;

using Parts = ActionCounterParts;

void normalise(std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += v;
  if (sum > 0)
    for (float& v : values) v = static_cast<float>(v / sum);
}

double hour_likeness(int a, int b) {
  const int apart = std::min(std::abs(a - b), 24 - std::abs(a - b));
  return std::exp(-0.5 * apart * apart / (hour_width * hour_width));
}

std::vector<float>& part(Parts& parts, ActionCounterPart which) { return parts[static_cast<std::size_t>(which)]; }

double weighted(const Parts& parts, const ActionCounterWeights& weights, std::size_t place) {
  double sum = 0;
  for (std::size_t p = 0; p < action_counter_parts; ++p) sum += weights[p] * static_cast<double>(parts[p][place]);
  return sum;
}

std::int64_t rank_of(const Parts& parts, const ActionCounterWeights& weights, std::uint32_t target) {
  const double own = weighted(parts, weights, target);
  std::int64_t above = 0;
  for (std::size_t place = 1; place < parts[0].size(); ++place) above += weighted(parts, weights, place) > own;
  return above + 1;
}

double value_of(std::span<const Parts> parts, const ActionCounterWeights& weights, std::span<const std::uint32_t> targets) {
  double value = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto rank = static_cast<double>(rank_of(parts[i], weights, targets[i]));
    value += (rank == 1) + 0.5 / rank;
  }
  return value;
}

ActionCounterWeights search(std::span<const Parts> parts, std::span<const std::uint32_t> targets) {
  ActionCounterWeights weights;
  weights.fill(1);
  double best = value_of(parts, weights, targets);
  for (int round = 0; round < 2; ++round)
    for (double& weight : weights) {
      const double kept = weight;
      double chosen = kept;
      for (const double factor : {0.0, 0.2, 0.5, 2.0, 5.0}) {
        weight = kept * factor;
        if (const double now = value_of(parts, weights, targets); now > best) best = now, chosen = weight;
      }
      weight = chosen;
    }
  return weights;
}

}  // namespace

std::string_view counter_name(ActionCounterPart part) {
  constexpr std::string_view names[] = {"popularity", "user_frequency", "user_hour", "user_weekday", "own_near", "near_user", "near_hour", "near_own", "after_last"};
  return names[static_cast<std::size_t>(part)];
}

ActionCounters::ActionCounters(const ActionHistories& histories, const ActionTokenizer& tokenizer, std::int64_t until)
    : histories_(histories), tokenizer_(tokenizer), popularity_(tokenizer.places().places() + 1, 0), places_(popularity_.size()), followers_(popularity_.size()) {
  for (std::uint32_t n = 1; n < places_.size(); ++n) places_[n] = tokenizer.seen(n);
  for (auto& shares : category_at_) shares.assign(tokenizer.vocabulary().categories.size() + 1, 0);
  std::vector<std::map<std::uint32_t, float>> after(popularity_.size());
  for (std::size_t user = 0; user < histories.users.size(); ++user)
    for (std::size_t i = histories.begin[user]; i < histories.begin[user + 1]; ++i) {
      const PastAction& a = histories.actions[i];
      if (a.utc >= until || !a.interest || a.place == 0) continue;
      ++popularity_[a.place];
      const int hour = calendar_fields(a.local).hour;
      for (int h = 0; h < 24; ++h) category_at_[static_cast<std::size_t>(h)][static_cast<std::size_t>(a.category)] += static_cast<float>(hour_likeness(h, hour));
      if (i > histories.begin[user]) ++after[histories.actions[i - 1].place][a.place];
    }
  for (auto& shares : category_at_) normalise(shares);
  for (std::size_t n = 0; n < after.size(); ++n) followers_[n].assign(after[n].begin(), after[n].end());
}

CountedMoment ActionCounters::moment(const ActionWindow& w) const {
  const PastAction& target = histories_.actions[w.end - 1];
  CountedMoment moment{histories_.begin[w.user], w.end - 1, target.local, {}};
  if (target.user_placed()) moment.position = GeoPosition{target.user_latitude, target.user_longitude};
  return moment;
}

Parts ActionCounters::parts(const CountedMoment& m) const {
  Parts all;
  for (auto& values : all) values.assign(popularity_.size(), 0);
  const CalendarFields when = calendar_fields(m.local);
  std::vector<double> own(category_at_[0].size(), 0);  // categories of the user at such an hour
  for (std::size_t i = m.begin; i < m.end; ++i) {
    const PastAction& a = histories_.actions[i];
    if (!a.interest) continue;  // as the target is not one of them
    const CalendarFields then = calendar_fields(a.local);
    const double alike = hour_likeness(when.hour, then.hour), likeness = alike * ((when.weekday >= 5) == (then.weekday >= 5) ? 1 : other_half_of_week);
    own[static_cast<std::size_t>(a.category)] += likeness;
    part(all, ActionCounterPart::user_frequency)[a.place] += 1;
    part(all, ActionCounterPart::user_hour)[a.place] += static_cast<float>(likeness);
    if (when.weekday == then.weekday) part(all, ActionCounterPart::user_weekday)[a.place] += static_cast<float>(alike);
  }
  const auto& shares = category_at_[static_cast<std::size_t>(when.hour)];
  for (std::size_t n = 1; n < places_.size(); ++n) {
    part(all, ActionCounterPart::popularity)[n] = popularity_[n];
    if (!m.position || !places_[n].placed() || std::abs(places_[n].latitude - m.position->latitude) > far_km / 111) continue;
    const double km = distance_km(m.position->latitude, m.position->longitude, places_[n].latitude, places_[n].longitude);
    const double nearness = std::exp(-km / near_km), near = (popularity_[n] + 0.1) * nearness;
    part(all, ActionCounterPart::own_near)[n] = static_cast<float>(part(all, ActionCounterPart::user_hour)[n] * nearness);
    part(all, ActionCounterPart::near_user)[n] = static_cast<float>(near);
    part(all, ActionCounterPart::near_own)[n] = static_cast<float>(near * (own[static_cast<std::size_t>(places_[n].category)] + shares[static_cast<std::size_t>(places_[n].category)]));
    part(all, ActionCounterPart::near_hour)[n] = static_cast<float>(near * shares[static_cast<std::size_t>(places_[n].category)]);
  }
  if (m.end > m.begin)
    for (const auto& [next, count] : followers_[histories_.actions[m.end - 1].place]) part(all, ActionCounterPart::after_last)[next] += count;
  for (auto& values : all) values[0] = 0, normalise(values);
  return all;
}

std::vector<std::uint32_t> ActionCounters::best_places(const CountedMoment& moment, const ActionCounterWeights& weights, std::size_t most) const {
  const Parts all = parts(moment);
  std::vector<std::pair<double, std::uint32_t>> scored;
  for (std::uint32_t n = 1; n < places_.size(); ++n)
    if (const double score = weighted(all, weights, n); score > 0 && tokenizer_.places().place(n)) scored.emplace_back(-score, n);
  const std::size_t kept = std::min(most, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(kept), scored.end());
  std::vector<std::uint32_t> best;
  for (std::size_t i = 0; i < kept; ++i) best.push_back(scored[i].second);
  return best;
}

ActionCounterWeights mixture_weights(const ActionCounters& counters, const ActionHistories& histories, std::span<const ActionWindow> validation) {
  std::vector<Parts> tuning;
  std::vector<std::uint32_t> wanted;
  for (const ActionWindow& w : validation) tuning.push_back(counters.parts(w)), wanted.push_back(histories.actions[w.end - 1].place);
  return search(tuning, wanted);
}

std::vector<CountedRanks> counted_ranks(const ActionCounters& counters, const ActionHistories& histories, std::span<const ActionWindow> targets,
                                        const ActionCounterWeights& mixture) {
  std::vector<ActionCounterWeights> weights(action_counter_parts + 1);
  for (std::size_t p = 0; p < action_counter_parts; ++p) weights[p] = {}, weights[p][p] = 1;
  weights.back() = mixture;
  std::vector<CountedRanks> ranked;
  for (std::size_t p = 0; p < action_counter_parts; ++p) ranked.push_back({std::string(counter_name(static_cast<ActionCounterPart>(p))), {}});
  ranked.push_back({"mixture", {}});
  for (const ActionWindow& w : targets) {
    const Parts parts = counters.parts(w);
    for (std::size_t p = 0; p < weights.size(); ++p) {
      const std::uint32_t target = histories.actions[w.end - 1].place;
      const double own = p < action_counter_parts ? static_cast<double>(parts[p][target]) : 1;
      ranked[p].ranks.push_back(own > 0 ? rank_of(parts, weights[p], target) : 0);
    }
  }
  return ranked;
}

}  // namespace chronotope
