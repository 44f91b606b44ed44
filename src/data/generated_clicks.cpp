#include "chronotope/data/generated_clicks.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "chronotope/data/click_builder.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t first_day = 1'646'611'200;  // Monday 2022-03-07 00:00
constexpr int days = 56, request_day = 28, validation_day = 42, test_day = 49;
constexpr int place_groups = 3, cells_of_group = 8, shops_of_cell = 2;
constexpr int most_cold = 9;

template <class Number> void check(const char* name, Number value, double least, double most) {
  if (value >= least && value <= most) return;  // so that NaN fails
  throw ConfigError("generate_clicks: " + std::string(name) + " = " + std::to_string(value) +
                    " is out of range: " + std::to_string(least) + " to " + std::to_string(most));
}

void check(const GeneratedClickOptions& o) {
  check("users", o.users, 1, 1e6);
  check("requests", o.requests, 1, 1e4);
  check("behaviours", o.behaviours, 1, 20'000);
  check("cold", o.cold, 0, 1);
  check("categories", o.categories, 1, 1000);
  check("items", o.items, 3. * o.categories, 1e6);
  check("contrast", o.contrast, 0, 10);
  for (const auto& [name, value] :
       {std::pair{"hour", o.hour}, {"week", o.week}, {"place", o.place}, {"quality", o.quality}, {"bias", o.bias}})
    check(name, value, -10, 10);
  check("memory", o.memory, 1e-6, 1e6);
}

/// One stream of random numbers for each purpose and user.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number)
      : seed_(seed), counter_(purpose << 40 | number) {}

  std::uint32_t word() {
    if (at_ % 4 == 0) block_ = philox(seed_, counter_, at_ / 4);
    return block_[at_++ % 4];
  }
  double uniform() { return (word() + 0.5) * 0x1p-32; }  // never 0 or 1
  int below(int count) { return static_cast<int>(std::uint64_t{word()} * static_cast<std::uint64_t>(count) >> 32); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t seed_, counter_, at_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

enum Purpose : std::uint64_t { qualities = 1, items = 2, histories = 3, requests = 4 };

/// A cell of a group: two letters that decide the group, four that tell cells apart.
std::uint32_t cell_geohash(int group, int cell) {
  static constexpr const char* heads[place_groups][4] = {
      {"xn", "yb", "ux", "ze"}, {"w4", "w7", "wb", "wj"}, {"wk", "wm", "wt", "wz"}};
  std::string text = heads[group][cell % 4];
  for (int i = 0; i < 4; ++i) text += "pqrstuvw"[(cell * 5 + i * 3 + group) % 8];
  text.back() = "01234567"[cell];
  return pack_geohash6(text);
}

/// What follows from an item's number (from 0).
class Items {
 public:
  explicit Items(const GeneratedClickOptions& o) : options_(o), quality_(static_cast<std::size_t>(o.items) + 1) {
    Random random(o.seed, qualities, 0);
    for (int i = 1; i <= o.items; ++i) quality_[i] = random.normal();
    Random draw(o.seed, items, 0);
    for (int i = 0; i < o.items; ++i) {
      cells_.push_back(draw.below(cells_of_group));
      prices_.push_back(static_cast<float>(std::log1p(5 + draw.below(60)) / 4));
    }
  }

  int category(int item) const { return item % options_.categories; }
  int group(int item) const { return item / options_.categories % place_groups; }
  int cell(int item) const { return group(item) * cells_of_group + cells_[item]; }
  int shop(int item) const { return cell(item) * shops_of_cell + item % shops_of_cell; }
  float price(int item) const { return prices_[item]; }
  const std::vector<double>& quality() const { return quality_; }

  /// A random item of category and group: they repeat every categories x groups numbers.
  int pick(int category, int group, Random& random) const {
    const int first = group * options_.categories + category, step = options_.categories * place_groups;
    return first + step * random.below((options_.items - 1 - first) / step + 1);
  }

 private:
  const GeneratedClickOptions& options_;
  std::vector<double> quality_;
  std::vector<int> cells_;
  std::vector<float> prices_;
};

struct When {
  std::int64_t time;
  int hour, weekday;
};

When draw_time(int from_day, Random& random) {
  static constexpr int begins[] = {3, 11, 17}, lengths[] = {8, 6, 10};
  const int day = from_day + random.below(days - from_day), group = random.below(3);
  const int hour = (begins[group] + random.below(lengths[group])) % 24;
  return {first_day + day * day_seconds + hour * 3600 + random.below(3600), hour, day % 7};
}

std::vector<When> draw_times(int count, int from_day, Random& random) {
  std::vector<When> times;
  for (int i = 0; i < count; ++i) times.push_back(draw_time(from_day, random));
  std::stable_sort(times.begin(), times.end(), [](const When& a, const When& b) { return a.time < b.time; });
  return times;
}

class Person {
 public:
  Person(const GeneratedClickOptions& o, int number) : options_(o), random_(o.seed, histories, number) {
    home_ = random_.below(place_groups);
    const bool cold = random_.uniform() < o.cold;
    const int least = cold ? 0 : (o.behaviours + 1) / 2, most = cold ? std::min(most_cold, o.behaviours) : o.behaviours;
    seen_ = least + random_.below(most - least + 1);
    for (auto& tastes : tastes_) {
      for (int i = 0; i < o.categories; ++i) tastes.push_back(o.contrast * random_.normal());
    }
  }

  /// Behaviours a sample sees, and those of all eight weeks: four weeks hold about what a sample sees.
  int seen() const { return seen_; }
  int count() const { return 2 * seen_; }
  Random& random() { return random_; }
  int draw_place(Random& random) const { return random.uniform() < .6 ? home_ : random.below(place_groups); }

  int draw_category(const When& when, int place) {
    const auto& by_hour = tastes_[hour_group(when.hour)];
    const auto& by_week = tastes_[3 + week_group(when.weekday)];
    const auto& by_place = tastes_[5 + place];
    sums_.resize(by_hour.size());
    double sum = 0;
    for (std::size_t c = 0; c < sums_.size(); ++c) sums_[c] = sum += std::exp(by_hour[c] + by_week[c] + by_place[c]);
    const auto chosen = std::upper_bound(sums_.begin(), sums_.end(), random_.uniform() * sum);
    return std::min(static_cast<int>(chosen - sums_.begin()), options_.categories - 1);
  }

 private:
  const GeneratedClickOptions& options_;
  Random random_;
  int home_ = 0, seen_ = 0;
  std::vector<double> tastes_[8];  // three groups of hours, two of weekdays, three of places
  std::vector<double> sums_;
};

class Generator {
 public:
  explicit Generator(const GeneratedClickOptions& o) : options_(o), items_(o) {
    const int cells = place_groups * cells_of_group;
    out_.behaviour_ids = {{"item", "item", FeaturePart::item, o.items + 1, {}},
                          {"category", "category", FeaturePart::item, o.categories + 1, {}},
                          {"shop", "shop", FeaturePart::item, cells * shops_of_cell + 1, {}},
                          {"geohash", "geohash", FeaturePart::item, cells + 1, {}}};
    out_.ids = out_.behaviour_ids;
    out_.ids.push_back({"user", "user", FeaturePart::user, o.users + 1, {}});
    out_.ids.push_back({"request_geohash", "geohash", FeaturePart::context, cells + 1, {}});
    out_.numbers = out_.behaviour_numbers = {{"price", FeaturePart::item, {}}};
    out_.semi_synthetic = true;
  }

  GeneratedClicks generate() {
    for (int user = 0; user < options_.users; ++user) {
      Person person(options_, user);
      const std::size_t begin = out_.behaviours_at.time.size();
      add_behaviours(person);
      add_samples(person, user, begin);
    }
    GeneratedClicks result;
    draw_clicks(result.truth);
    result.item_quality = items_.quality();
    result.log = make_click_log(std::move(out_));
    return result;
  }

 private:
  void add_item(int item, std::vector<ClickColumns::Ids>& ids, ClickColumns::Numbers& price) {
    const int values[] = {item, items_.category(item), items_.shop(item), items_.cell(item)};
    for (std::size_t i = 0; i < 4; ++i) ids[i].values.push_back(values[i] + 1);
    price.values.push_back(items_.price(item));
  }

  void add_behaviours(Person& person) {
    for (const When& when : draw_times(person.count(), 0, person.random())) {
      const int place = person.draw_place(person.random());
      const int item = items_.pick(person.draw_category(when, place), place, person.random());
      const std::uint32_t geohash = cell_geohash(place, items_.cell(item) % cells_of_group);
      out_.behaviours_at.add(when.time, when.hour, when.weekday, geohash);
      add_item(item, out_.behaviour_ids, out_.behaviour_numbers[0]);
    }
  }

  void add_samples(const Person& person, int user, std::size_t begin) {
    Random random(options_.seed, requests, static_cast<std::uint64_t>(user));
    const auto& times = out_.behaviours_at.time;
    for (const When& when : draw_times(options_.requests, request_day, random)) {
      const int place = person.draw_place(random), cell = random.below(cells_of_group);
      const int item = items_.pick(random.below(options_.categories), place, random);
      const std::int64_t day = (when.time - first_day) / day_seconds;
      out_.split.push_back(day < validation_day ? Split::train : day < test_day ? Split::validation : Split::test);
      out_.at.add(when.time, when.hour, when.weekday, cell_geohash(place, cell));
      add_item(item, out_.ids, out_.numbers[0]);
      out_.ids[4].values.push_back(user + 1);
      out_.ids[5].values.push_back(place * cells_of_group + cell + 1);
      const auto before = std::upper_bound(times.begin() + static_cast<std::ptrdiff_t>(begin), times.end(), when.time);
      const auto last = static_cast<std::size_t>(before - times.begin());
      out_.first.push_back(last - std::min(last - begin, static_cast<std::size_t>(person.seen())));
      out_.last.push_back(last);
      out_.click.push_back(random.word() & 1);  // until draw_clicks
    }
  }

  void draw_clicks(std::vector<double>& truth) {
    const ClickLog log = view_click_columns(out_);
    truth.resize(log.size());
    Random random(options_.seed, requests, (std::uint64_t{1} << 40) - 1);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      truth[i] = planted_truth(log, i, options_, items_.quality());
      out_.click[i] = random.uniform() < truth[i];
    }
  }

  const GeneratedClickOptions& options_;
  Items items_;
  ClickColumns out_;
};

}  // namespace

int hour_group(int hour) { return hour >= 3 && hour <= 10 ? 0 : hour >= 11 && hour <= 16 ? 1 : 2; }

int week_group(int weekday) { return weekday >= 5; }

int geohash_group(std::uint32_t packed) {
  if (geohash_letter(packed, 0) != 'w') return 0;
  return geohash_letter(packed, 1) <= 'j' ? 1 : 2;
}

double planted_truth(const ClickLog& log, std::size_t i, const GeneratedClickOptions& o,
                     const std::vector<double>& item_quality) {
  const Moments& at = log.behaviours.at;
  const std::span<const std::int32_t> categories = log.behaviours.ids[1].values;
  const std::int32_t category = log.ids[1].values[i];
  double weights[3] = {};  // of the request's hour, week and place group
  for (std::size_t j = log.first[i]; j < log.last[i]; ++j) {
    if (categories[j] != category) continue;
    const double age = o.age == Age::position ? static_cast<double>(log.last[i] - 1 - j)
                                              : static_cast<double>(log.at.time[i] - at.time[j]) / day_seconds;
    const double weight = std::exp(-age / o.memory);
    if (hour_group(at.hour[j]) == hour_group(log.at.hour[i])) weights[0] += weight;
    if (week_group(at.weekday[j]) == week_group(log.at.weekday[i])) weights[1] += weight;
    if (geohash_group(at.geohash[j]) == geohash_group(log.at.geohash[i])) weights[2] += weight;
  }
  const double logit = o.bias + o.quality * item_quality[static_cast<std::size_t>(log.ids[0].values[i])] +
                       o.hour * std::log1p(weights[0]) + o.week * std::log1p(weights[1]) +
                       o.place * std::log1p(weights[2]);
  return 1 / (1 + std::exp(-logit));
}

GeneratedClicks generate_clicks(const GeneratedClickOptions& options) {
  check(options);
  return Generator(options).generate();
}

}  // namespace chronotope
