#include "chronotope/data/checkin_clicks.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/click_builder.hpp"
#include "chronotope/data/geohash.hpp"
#include "near_draw.hpp"

namespace chronotope {
namespace {

constexpr std::size_t fewest_earlier = 3;  // a click needs that many rows of the user before it

template <class Number> void check(const char* name, Number value, bool good, const char* rule) {
  if (good) return;
  throw ConfigError("checkins_as_clicks: " + std::string(name) + " = " + std::to_string(value) +
                    " is out of range: " + rule);
}

void check(const CheckinClicksOptions& o) {
  check("negatives", o.negatives, o.negatives >= 0 && o.negatives < 60, "0 to 59");
  check("nearby", o.nearby, o.nearby > o.negatives && o.nearby <= 1000, "negatives + 1 to 1,000");
  check("decay_km", o.decay_km, o.decay_km > 0 && std::isfinite(o.decay_km), "a number above 0");
}

std::uint32_t packed_geohash(double latitude, double longitude) {
  return static_cast<std::uint32_t>(geohash_prefixes(latitude, longitude)[5]) | std::uint32_t{1} << 30;
}

/// What training rows know: an id for every user, place, category and geohash in them, 0 for the rest.
class Vocabulary {
 public:
  struct Place {
    double latitude = 0, longitude = 0;
    std::int32_t category = 0, geohash = 0;
    std::int64_t rows = 0;  // in training
  };

  explicit Vocabulary(const CheckinTable& table)
      : users_(table.users.size()), items_(table.places.size()), categories_(table.categories.size()) {
    for (std::size_t u = 0; u < table.users.size(); ++u)
      for (const Checkin& row : table.history(u))
        if (row.split == Split::train) {
          users_[u] = items_[row.place] = categories_[row.category] = 1;
          geohashes_[packed_geohash(row.latitude, row.longitude)] = 0;
        }
    categories_[0] = 0;  // "" says nothing
    for (auto* ids : {&users_, &items_, &categories_}) number(*ids);
    std::int32_t next = 1;
    for (auto& [cell, id] : geohashes_) id = next++;
    places_.resize(static_cast<std::size_t>(rows_of(items_)));
    for (const Checkin& row : table.rows) learn(row);
  }

  std::int32_t user(std::size_t u) const { return users_[u]; }
  std::int32_t item(const Checkin& row) const { return items_[row.place]; }
  std::int32_t category(const Checkin& row) const { return categories_[row.category]; }
  std::int32_t geohash(std::uint32_t packed) const {
    const auto found = geohashes_.find(packed);
    return found == geohashes_.end() ? 0 : found->second;
  }
  /// By item id; 0 is nowhere.
  const std::vector<Place>& places() const { return places_; }

  /// Columns without values, of the samples or the behaviours.
  std::vector<ClickColumns::Ids> columns(bool of_samples) const {
    const auto geohash_rows = static_cast<std::int32_t>(geohashes_.size() + 1);
    std::vector<ClickColumns::Ids> out{{"item", "item", FeaturePart::item, rows_of(items_), {}},
                                       {"category", "category", FeaturePart::item, rows_of(categories_), {}},
                                       {"geohash", "geohash", FeaturePart::item, geohash_rows, {}}};
    if (!of_samples) return out;
    out.push_back({"user", "user", FeaturePart::user, rows_of(users_), {}});
    out.push_back({"request_geohash", "geohash", FeaturePart::context, geohash_rows, {}});
    return out;
  }

 private:
  // Texts stand in ascending order in the table, so counting keeps that order.
  static void number(std::vector<std::int32_t>& ids) {
    std::int32_t next = 1;
    for (std::int32_t& id : ids)
      if (id) id = next++;
  }
  static std::int32_t rows_of(const std::vector<std::int32_t>& ids) {
    return *std::max_element(ids.begin(), ids.end()) + 1;
  }

  void learn(const Checkin& row) {
    if (row.split != Split::train) return;
    Place& place = places_[items_[row.place]];
    if (place.rows++ > 0) return;
    const std::uint32_t cell = packed_geohash(row.latitude, row.longitude);
    place = {row.latitude, row.longitude, category(row), geohash(cell), 1};
  }

  std::vector<std::int32_t> users_, items_, categories_;
  std::map<std::uint32_t, std::int32_t> geohashes_;
  std::vector<Place> places_;
};

std::vector<WeightedPlace> weighted(const Vocabulary& vocabulary) {
  std::vector<WeightedPlace> out;
  for (std::size_t i = 1; i < vocabulary.places().size(); ++i) {
    const Vocabulary::Place& p = vocabulary.places()[i];
    out.push_back({p.latitude, p.longitude, std::log(static_cast<double>(p.rows))});
  }
  return out;
}

class Maker {
 public:
  Maker(const CheckinTable& table, const CheckinClicksOptions& options)
      : table_(table),
        vocabulary_(table),
        negatives_(options.negatives),
        shown_(weighted(vocabulary_), options.decay_km, options.nearby, options.seed) {
    out_.semi_synthetic = true;
    out_.ids = vocabulary_.columns(true);
    out_.behaviour_ids = vocabulary_.columns(false);
    out_.numbers = {{"distance", FeaturePart::context, {}}, {"popularity", FeaturePart::item, {}}};
  }

  ClickLog make() {
    add_behaviours();
    for (std::size_t user = 0; user < table_.users.size(); ++user)
      for (std::size_t row = table_.begin[user] + fewest_earlier; row < table_.begin[user + 1]; ++row)
        add_impression(user, row);
    if (out_.click.empty())
      throw DataError(
          "checkins_as_clicks: no check-in at a place known from training has three earlier ones of its user");
    return make_click_log(std::move(out_));
  }

 private:
  void add_behaviours() {
    for (std::size_t user = 0; user < table_.users.size(); ++user) {
      std::int64_t latest = 0;
      for (const Checkin& row : table_.history(user)) {
        latest = &row == table_.history(user).data() ? row.local : std::max(latest, row.local);
        const CalendarFields fields = calendar_fields(row.local);
        const std::uint32_t cell = packed_geohash(row.latitude, row.longitude);
        out_.behaviours_at.add(latest, fields.hour, fields.weekday, cell);
        const std::int32_t values[] = {vocabulary_.item(row), vocabulary_.category(row), vocabulary_.geohash(cell)};
        for (std::size_t i = 0; i < 3; ++i) out_.behaviour_ids[i].values.push_back(values[i]);
      }
    }
  }

  void add_impression(std::size_t user, std::size_t row) {
    const std::int32_t clicked = vocabulary_.item(table_.rows[row]);
    if (clicked == 0) return;
    add_sample(user, row, clicked, true);
    const Checkin& before = table_.rows[row - 1];  // the tree counts from 0, items from 1
    for (const std::int32_t place : shown_.draw(row, before.latitude, before.longitude, clicked - 1, negatives_))
      add_sample(user, row, place + 1, false);
  }

  void add_sample(std::size_t user, std::size_t row, std::int32_t item, bool click) {
    const Checkin& before = table_.rows[row - 1];
    const Vocabulary::Place& place = vocabulary_.places()[static_cast<std::size_t>(item)];
    const auto& clock = out_.behaviours_at;  // one behaviour a row, so this row's clock is there
    const std::uint32_t cell = clock.geohash[row - 1];
    out_.click.push_back(click);
    out_.split.push_back(table_.rows[row].split);
    out_.at.add(clock.time[row], clock.hour[row], clock.weekday[row], cell);
    const std::int32_t ids[] = {item, place.category, place.geohash, vocabulary_.user(user), vocabulary_.geohash(cell)};
    for (std::size_t i = 0; i < 5; ++i) out_.ids[i].values.push_back(ids[i]);
    const double km = distance_km(before.latitude, before.longitude, place.latitude, place.longitude);
    out_.numbers[0].values.push_back(static_cast<float>(std::log1p(km)));
    out_.numbers[1].values.push_back(static_cast<float>(std::log1p(static_cast<double>(place.rows)) / 5));
    out_.first.push_back(table_.begin[user]);
    out_.last.push_back(row);
  }

  const CheckinTable& table_;
  Vocabulary vocabulary_;
  int negatives_;
  NearDraw shown_;  // and not clicked
  ClickColumns out_;
};

}  // namespace

ClickLog checkins_as_clicks(const CheckinTable& table, const CheckinClicksOptions& options) {
  check(options);
  if (table.rows.empty()) throw DataError("checkins_as_clicks: the table has no check-ins");
  return Maker(table, options).make();
}

}  // namespace chronotope
