#include "chronotope/train/action_histories.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "chronotope/core/error.hpp"
#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

constexpr double home_cell_degrees = 0.1;  // about 11 km: home and work of most people share one or two

struct Spot {
  double latitude = 0, longitude = 0;
};

/// The user's position, else the place's.
std::optional<Spot> whereabouts(const PastAction& a) {
  if (a.user_placed()) return Spot{a.user_latitude, a.user_longitude};
  if (a.placed()) return Spot{a.latitude, a.longitude};
  return {};
}

/// The mean position within the cell in which most actions were made.
std::optional<Spot> home_of(std::span<const PastAction> actions) {
  struct Cell {
    std::size_t count = 0;
    double latitude = 0, longitude = 0;
  };
  std::map<std::pair<long, long>, Cell> cells;
  for (const PastAction& a : actions)
    if (const auto at = whereabouts(a)) {
      Cell& cell = cells[{std::lround(at->latitude / home_cell_degrees), std::lround(at->longitude / home_cell_degrees)}];
      ++cell.count, cell.latitude += at->latitude, cell.longitude += at->longitude;
    }
  const auto most = std::max_element(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.second.count < b.second.count; });
  if (most == cells.end()) return {};
  const auto n = static_cast<double>(most->second.count);
  return Spot{most->second.latitude / n, most->second.longitude / n};
}

void append_categories(const PlaceCatalogue& places, std::set<std::string, std::less<>>& names) {
  for (std::uint32_t n = 1; n <= places.places(); ++n)
    if (const auto place = places.place(n); place && !place->category.empty() && !names.contains(place->category)) names.emplace(place->category);
}

}  // namespace

ActionVocabulary make_vocabulary(const ActionSource& source, const PlaceCatalogue& places, const VocabularyOptions& o) {
  std::set<std::string, std::less<>> types, categories;
  std::map<std::string, std::string> profile_of;  // a user's first, as ActionHistories has it
  std::vector<std::int64_t> times;
  const ActionPass next = source();
  for (LoggedAction a; next(a);) {
    times.push_back(a.time);
    if (!a.type.empty()) types.insert(a.type);
    if (!a.profile.empty()) profile_of.emplace(a.user, a.profile);
  }
  if (times.empty()) throw DataError("the log has no actions");
  std::sort(times.begin(), times.end());
  append_categories(places, categories);
  const auto n = static_cast<double>(times.size());
  const auto cut = [&](double share) { return share <= 0 ? times.back() + 1 : times[static_cast<std::size_t>(std::min(n - 1, n * (1 - share)))]; };
  std::vector<CountedText> texts;
  for (const auto& [user, text] : profile_of) texts.push_back({text, 1});
  ActionVocabulary v{places.index().info().fingerprint, {categories.begin(), categories.end()}, {types.begin(), types.end()}, o.cells, o.geo_rows,
                     cut(o.validation_share + o.test_share), cut(o.test_share), TextTokenizer::train(texts, o.profile_pieces)};
  if (v.validation_from <= times.front()) throw DataError("no action lies before the validation split: there is nothing to train on");
  return v;
}

std::vector<TravelStatus> travel_statuses(std::span<const PastAction> actions, std::size_t known, double travel_km) {
  const auto home = home_of(actions.first(known));
  std::vector<TravelStatus> statuses;
  for (const PastAction& a : actions) {
    const auto at = whereabouts(a);
    const bool away = home && at && distance_km(home->latitude, home->longitude, at->latitude, at->longitude) > travel_km;
    const bool aims = home && a.placed() && distance_km(home->latitude, home->longitude, a.latitude, a.longitude) > travel_km;
    statuses.push_back(away ? TravelStatus::in_travel : aims ? TravelStatus::pre_travel : TravelStatus::local);
  }
  return statuses;
}

ActionHistories::ActionHistories(const ActionSource& source, const ActionTokenizer& tokenizer, double travel_km) {
  std::map<std::string, std::pair<std::string, std::vector<PastAction>>> by_user;
  const ActionPass next = source();
  for (LoggedAction a; next(a);) {
    auto& [profile, own] = by_user[a.user];
    if (profile.empty()) profile = a.profile;
    own.push_back(tokenizer.past(a));
  }
  begin.push_back(0);
  for (auto& [user, data] : by_user) {
    auto& [profile, own] = data;
    std::stable_sort(own.begin(), own.end(), [](const PastAction& a, const PastAction& b) { return a.utc < b.utc; });
    users.push_back(user), profiles.push_back(std::move(profile));
    const auto known = std::partition_point(own.begin(), own.end(), [&](const PastAction& a) { return a.utc < tokenizer.vocabulary().validation_from; });
    const auto statuses = travel_statuses(own, static_cast<std::size_t>(known - own.begin()), travel_km);
    status.insert(status.end(), statuses.begin(), statuses.end());
    actions.insert(actions.end(), own.begin(), own.end());
    own = {};
    begin.push_back(actions.size());
  }
}

std::optional<std::size_t> ActionHistories::user(const std::string& id) const {
  const auto found = std::lower_bound(users.begin(), users.end(), id);
  if (found == users.end() || *found != id) return {};
  return static_cast<std::size_t>(found - users.begin());
}

}  // namespace chronotope
