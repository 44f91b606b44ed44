#include "chronotope/data/checkin_requests.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "chronotope/core/error.hpp"
#include "invented.hpp"
#include "near_draw.hpp"

namespace chronotope {
namespace {

constexpr std::size_t fewest_earlier = 3;  // a click needs that many rows of the user before it
constexpr int popular_tries = 8;           // a place; most draws find one that is not there yet

void check(const CheckinRequestOptions& o) {
  const auto require = [](bool good, const std::string& what, const std::string& rule) {
    if (!good) throw ConfigError("semi_synthetic_requests: " + what + " is out of range: " + rule);
  };
  require(o.shown >= 2 && o.shown <= 60, "shown = " + std::to_string(o.shown), "2 to 60");
  require(o.nearby >= o.shown && o.nearby <= 1000, "nearby = " + std::to_string(o.nearby), "`shown` to 1,000");
  require(o.decay_km > 0 && std::isfinite(o.decay_km), "decay_km = " + std::to_string(o.decay_km), "a number above 0");
}

/// The places of the training rows, numbered from 0.
struct KnownPlaces {
  std::vector<std::int32_t> number;   // by place of the table; -1: not in training
  std::vector<const Checkin*> first;  // row of training
  std::vector<std::int32_t> visits;   // the number of the place of every training row: a draw is one by popularity

  explicit KnownPlaces(const CheckinTable& table) : number(table.places.size(), -1) {
    for (const Checkin& row : table.rows) {
      if (row.split != Split::train) continue;
      std::int32_t& known = number[static_cast<std::size_t>(row.place)];
      if (known < 0) {
        known = static_cast<std::int32_t>(first.size());
        first.push_back(&row);
      }
      visits.push_back(known);
    }
  }

  std::vector<WeightedPlace> weighted() const {
    std::vector<int> rows(first.size(), 0);
    for (const std::int32_t place : visits) ++rows[static_cast<std::size_t>(place)];
    std::vector<WeightedPlace> out;
    for (std::size_t i = 0; i < first.size(); ++i)
      out.push_back({first[i]->latitude, first[i]->longitude, std::log(static_cast<double>(rows[i]))});
    return out;
  }
};

class Requests {
 public:
  Requests(const CheckinTable& table, const CheckinRequestOptions& options)
      : table_(table),
        options_(options),
        known_(table),
        near_(known_.weighted(), options.decay_km, options.nearby, options.seed) {}

  std::uint64_t make(const std::function<void(const SemiSyntheticRequest&)>& keep) {
    std::uint64_t made = 0;
    for (std::size_t user = 0; user < table_.users.size(); ++user)
      for (std::size_t row = table_.begin[user] + fewest_earlier; row < table_.begin[user + 1]; ++row) {
        const std::int32_t visited = number_of(table_.rows[row]);
        if (visited < 0) continue;
        keep(request(user, row, visited));
        ++made;
      }
    return made;
  }

 private:
  std::int32_t number_of(const Checkin& row) const { return known_.number[static_cast<std::size_t>(row.place)]; }

  SemiSyntheticRequest request(std::size_t user, std::size_t row, std::int32_t visited) {
    const Checkin &at = table_.rows[row], &before = table_.rows[row - 1];
    SemiSyntheticRequest out;
    out.split = at.split;
    out.request.user = table_.users[user];
    out.request.time = at.utc;
    out.request.offset = static_cast<int>(std::lround(static_cast<double>(at.local - at.utc) / 60));
    out.request.user_position = GeoPosition{before.latitude, before.longitude};
    for (const std::int32_t place : shown(user, row, visited)) {
      const Checkin& first = *known_.first[static_cast<std::size_t>(place)];
      out.request.shown.push_back({table_.places[static_cast<std::size_t>(first.place)],
                                   GeoPosition{first.latitude, first.longitude},
                                   table_.categories[static_cast<std::size_t>(first.category)], place == visited});
    }
    return out;
  }

  std::vector<std::int32_t> shown(std::size_t user, std::size_t row, std::int32_t visited) {
    invented::Random random(options_.seed, row);
    std::vector<std::int32_t> all{visited};
    const auto count = static_cast<std::size_t>(options_.shown), third = (count - 1) / 3;
    add_own(user, row, 1 + third, random, all);
    const Checkin& before = table_.rows[row - 1];
    const std::size_t own = all.size();
    for (const std::int32_t place : near_.draw(row, before.latitude, before.longitude, visited, options_.shown))
      if (all.size() < own + third || all.size() < 1 + 2 * third) add(place, all);
    for (int tries = popular_tries * options_.shown; tries > 0 && all.size() < count; --tries)
      add(known_.visits[static_cast<std::size_t>(random.next() % known_.visits.size())], all);
    for (std::int32_t place = 0; all.size() < std::min(count, known_.first.size()); ++place) add(place, all);
    for (int i = static_cast<int>(all.size()) - 1; i > 0; --i) std::swap(all[i], all[random.below(i + 1)]);
    return all;
  }

  // Of the rows before, each as likely; up to `size` in all.
  void add_own(std::size_t user, std::size_t row, std::size_t size, invented::Random& random,
               std::vector<std::int32_t>& all) {
    const std::size_t begin = table_.begin[user];
    for (std::size_t tries = 4 * size; tries > 0 && all.size() < size; --tries) {
      const std::int32_t place = number_of(table_.rows[begin + random.next() % (row - begin)]);
      if (place >= 0) add(place, all);
    }
  }

  static void add(std::int32_t place, std::vector<std::int32_t>& all) {
    if (std::find(all.begin(), all.end(), place) == all.end()) all.push_back(place);
  }

  const CheckinTable& table_;
  CheckinRequestOptions options_;
  KnownPlaces known_;
  NearDraw near_;
};

}  // namespace

void semi_synthetic_requests(const CheckinTable& table, const CheckinRequestOptions& options,
                             const std::function<void(const SemiSyntheticRequest&)>& keep) {
  check(options);
  if (std::none_of(table.rows.begin(), table.rows.end(), [](const Checkin& row) { return row.split == Split::train; }))
    throw DataError("semi_synthetic_requests: the table has no training rows");
  if (Requests(table, options).make(keep) == 0)
    throw DataError(
        "semi_synthetic_requests: no check-in at a place known from training has three earlier ones of its user");
}

}  // namespace chronotope
