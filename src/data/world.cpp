#include "chronotope/data/world.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "chronotope/core/error.hpp"
#include "world_days.hpp"
#include "world_show.hpp"

namespace chronotope {
namespace {

using namespace world;

constexpr std::int64_t day_seconds = 86'400;
constexpr std::uint64_t vectors_stream = std::uint64_t{1} << 41;

void check(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw ConfigError("World: " + std::string(name) + " = " + std::to_string(value) +
                    " is out of range: " + std::to_string(least) + " to " + std::to_string(most));
}

const WorldOptions& checked(const WorldOptions& o) {
  check("users", o.users, 1, 100'000'000);
  check("cities", o.cities, 2, 64);
  check("places", o.places, std::max(200, 40 * o.cities), 10'000'000);
  check("days", o.days, 28, 3650);
  check("actions_per_user", o.actions_per_user, 10, 2 * o.days);
  check("requests_per_user", o.requests_per_user, 0, o.days);
  check("shown", o.shown, 3, 48);
  check("travellers_percent", o.travellers_percent, 0, 100);
  check("robots_percent", o.robots_percent, 0, 100);
  return o;
}

/// Makes the rows of one user.
class Life {
 public:
  Life(const Map& map, const WorldOptions& options, std::uint32_t user)
      : map_(map), options_(options), random_(options.seed, std::uint64_t{user} + 1), walk_(map, traits_, random_) {
    traits_ = draw_traits(map, options, random_);
    char id[16];
    std::snprintf(id, sizeof id, "u%06u", user + 1);
    out_.id = id;
    out_.robot = traits_.robot;
    for (const Event& event : draw_events(map, options, traits_, walk_, user, random_)) add(event);
  }

  WorldUser take() { return std::move(out_); }

 private:
  void add(const Event& event) {
    const Moment& moment = event.moment;
    walk_.move(moment);
    locate();
    if (traits_.robot) return repeat(moment.utc);
    if (event.request) return ask(moment);
    const std::optional<std::uint32_t> errand = walk_.errand();
    const Choice* choice = errand ? nullptr : &walk_.choice();
    const std::uint32_t place = errand ? *errand : choice->draw(random_);
    WorldAction& row = add_action(moment.utc, place);
    row.action.type = draw_type(errand.has_value(), row.truth.status);
    if (choice) tell(row.truth, *choice, place);
  }

  // The user's position of the moment, with some noise; sometimes unknown.
  void locate() {
    Point at = walk_.where().at;
    at.x += random_.below(201) - 100;
    at.y += random_.below(201) - 100;
    position_.reset();
    if (!random_.chance(2)) position_ = map_.degrees(walk_.where().city, at);
  }

  WorldAction& add_action(std::int64_t utc, std::uint32_t place) {
    const Whereabouts& where = walk_.where();
    WorldAction& row = out_.actions.emplace_back();
    LoggedAction& a = row.action;
    a.user = out_.id;
    a.time = utc;
    a.offset = map_.offset_minutes(where.city);
    a.user_position = position_;
    a.place = place_id(place);
    a.position = map_.degrees(map_.city_of(place), map_.at(place));
    a.category = kinds()[map_.kind_of(place)].category;
    a.type = "click";
    a.profile = traits_.profile;
    row.truth.status = where.city != traits_.city            ? TravelStatus::in_travel
                       : map_.city_of(place) != traits_.city ? TravelStatus::pre_travel
                                                             : TravelStatus::local;
    walk_.accept(place, utc);
    memory_.add(utc, place);
    return row;
  }

  static constexpr double as_probability(std::int64_t mass) { return static_cast<double>(mass) / Choice::whole; }

  static void tell(ActionTruth& truth, const Choice& choice, std::uint32_t place) {
    truth.interest = true;
    const auto best = choice.best(10);
    truth.best = best[0].place;
    truth.best_probability = as_probability(best[0].mass);
    std::int64_t ten = 0;
    for (const auto& candidate : best) ten += candidate.mass;
    truth.best_ten = as_probability(ten);
    truth.probability = as_probability(choice.mass(place));
    truth.rank = choice.rank(place);
  }

  std::string draw_type(bool functional, TravelStatus status) {
    const int draw = random_.below(100);
    if (functional) return draw < 55 ? "search" : draw < 95 ? "navigate" : "click";
    if (status == TravelStatus::pre_travel) return draw < 70 ? "click" : draw < 92 ? "search" : "share";
    return draw < 80 ? "click" : draw < 92 ? "navigate" : "share";
  }

  void repeat(std::int64_t utc) {
    Choice choice;
    std::int64_t left = Choice::whole;
    for (const std::uint32_t place : traits_.repeated) {
      const std::int64_t mass = place == traits_.repeated.back() ? left : left / 5 * 4;
      choice.add(place, mass);
      left -= mass;
    }
    choice.settle();
    const std::uint32_t place = choice.draw(random_);
    tell(add_action(utc, place).truth, choice, place);
  }

  void ask(const Moment& moment) {
    const Choice choice = walk_.choice();
    memory_.forget(moment.utc);
    const Trip* trip = walk_.coming();
    const Shop shop(map_, traits_, walk_, choice, memory_, trip);
    WorldRequest& row = out_.requests.emplace_back();
    row.status = walk_.where().city != traits_.city ? TravelStatus::in_travel
                 : trip                             ? TravelStatus::pre_travel
                                                    : TravelStatus::local;
    LoggedRequest& request = row.request;
    request.user = out_.id;
    request.time = moment.utc;
    request.offset = map_.offset_minutes(walk_.where().city);
    request.user_position = position_;
    request.profile = traits_.profile;
    std::vector<std::uint32_t> clicked;
    for (const std::uint32_t place : shop.draw(options_.shown + random_.below(5) - 2, random_)) {
      const int probability = shop.click_probability(place);
      const bool click = random_.below(65536) < probability;
      row.click_probability.push_back(probability / 65536.0);
      request.shown.push_back({place_id(place), map_.degrees(map_.city_of(place), map_.at(place)),
                               kinds()[map_.kind_of(place)].category, click});
      if (click) clicked.push_back(place);
    }
    click_on(clicked, choice, moment.utc);
  }

  // All within a minute, before whatever comes next.
  void click_on(const std::vector<std::uint32_t>& places, const Choice& choice, std::int64_t utc) {
    const int step = places.empty() ? 0 : std::min(9, 58 / static_cast<int>(places.size()));
    for (const std::uint32_t place : places) {
      ActionTruth& truth = add_action(utc += step, place).truth;
      tell(truth, choice, place);
      truth.from_request = true;
    }
  }

  const Map& map_;
  const WorldOptions& options_;
  Traits traits_;
  Random random_;
  Walk walk_;
  Memory memory_;
  std::optional<GeoPosition> position_;
  WorldUser out_;
};

}  // namespace

class World::State {
 public:
  explicit State(const WorldOptions& o) : options(checked(o)), map(options) {}

  WorldOptions options;
  Map map;
};

World::World(const WorldOptions& options) : state_(std::make_unique<State>(options)) {}
World::~World() = default;
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;

const WorldOptions& World::options() const { return state_->options; }
std::uint32_t World::places() const { return state_->map.size(); }
// Local time is at most two hours ahead; things that would be at the same moment are moved on by minutes.
std::int64_t World::begin() const { return invented::first_day - 3 * 3600; }
std::int64_t World::end() const { return invented::first_day + options().days * day_seconds + 3 * 3600 - 1; }

WorldPlace World::place(std::uint32_t number) const {
  if (number >= places())
    throw DataError("World: place " + std::to_string(number) + " is not one of " + std::to_string(places()));
  const Map& map = state_->map;
  const int city = map.city_of(number);
  return {place_id(number),
          map.degrees(city, map.at(number)),
          kinds()[map.kind_of(number)].category,
          static_cast<double>(map.popularity(number)),
          city,
          map.quality(number),
          map.theme(number)};
}

// Directions are rows of a Hadamard matrix, orthogonal to one another: row 15 for quality, rows 1 to 8 for themes.
std::array<float, 16> World::vector(std::uint32_t number) const {
  const WorldPlace p = place(number);
  Random noise(options().seed, vectors_stream + number);
  const auto sign = [](int row, int column) { return std::popcount(static_cast<unsigned>(row & column)) % 2 ? -1 : 1; };
  std::array<float, 16> out{};
  for (int i = 0; i < 16; ++i) {
    int value = 16 * (2 * p.quality - 15) * sign(15, i) + 160 * sign(p.theme + 1, i);
    for (int draw = 0; draw < 4; ++draw) value += noise.below(257) - 128;
    out[i] = static_cast<float>(value) / 256;
  }
  return out;
}

WorldUser World::user(std::uint32_t number) const {
  if (number >= static_cast<std::uint32_t>(options().users))
    throw DataError("World: user " + std::to_string(number) + " is not one of " + std::to_string(options().users));
  return Life(state_->map, options(), number).take();
}

std::vector<std::string> World::functional_categories() {
  std::vector<std::string> names;
  for (int kind = 0; kind < functional_count; ++kind) names.emplace_back(kinds()[kind].category);
  return names;
}

}  // namespace chronotope
