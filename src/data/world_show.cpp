#include "world_show.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace chronotope::world {
namespace {

constexpr std::int64_t memory_seconds = 60 * 86'400;

// Logits are counted in sixteenths.
constexpr int bias = -43, theme_bonus = 16, quality_step = 4;

// Sixteen times the binary logarithm, straight lines between powers of two. `x` is at least 1.
int log2_sixteenths(std::int64_t x) {
  const int whole = std::bit_width(static_cast<std::uint64_t>(x)) - 1;
  const std::int64_t rest = x - (std::int64_t{1} << whole);
  return 16 * whole + static_cast<int>(16 * rest >> whole);
}

// Rounding to 16 bits hides the last bits in which mathematical libraries differ.
int logistic(int sixteenths) {
  constexpr int most = 128;
  static const auto table = [] {
    std::array<int, 2 * most + 1> values{};
    for (int i = -most; i <= most; ++i)
      values[i + most] = static_cast<int>(std::lround(65536 / (1 + std::exp(-i / 16.0))));
    return values;
  }();
  return table[std::clamp(sixteenths, -most, most) + most];
}

}  // namespace

void Memory::forget(std::int64_t utc) {
  while (!visits_.empty() && visits_.front().utc < utc - memory_seconds) visits_.pop_front();
}

int Memory::visits(std::uint32_t place) const {
  return static_cast<int>(std::count_if(visits_.begin(), visits_.end(), [&](auto& v) { return v.place == place; }));
}

int Shop::draw_kind(Random& random) const {
  std::vector<std::int64_t> weights(kind_count);
  for (int kind = functional_count; kind < kind_count; ++kind)
    weights[kind] = Choice::whole / 40 + walk_.kind_masses()[kind];
  return random.pick(weights);
}

std::uint32_t Shop::draw_near(Random& random) const {
  const PlaceRange range = map_.of_kind(walk_.where().neighbourhood, draw_kind(random));
  return range.first + static_cast<std::uint32_t>(random.below(static_cast<int>(range.last - range.first)));
}

std::uint32_t Shop::draw_popular(Random& random) const {
  const auto& best = map_.best_known(walk_.where().city, draw_kind(random));
  return best[random.below(static_cast<int>(best.size()))];
}

std::uint32_t Shop::draw_at_destination(Random& random) const {
  const auto& masses = walk_.kind_masses_before_trip();
  const auto& best = map_.best_known(trip_->city, random.pick({masses.begin(), masses.end()}));
  return best[random.below(static_cast<int>(best.size()))];
}

std::uint32_t Shop::draw_known(Random& random) const {
  const std::uint32_t place = memory_.empty() ? 0 : memory_.draw(random);
  const bool fits =
      !memory_.empty() && !is_functional(map_.kind_of(place)) && map_.city_of(place) == walk_.where().city;
  return fits ? place : draw_near(random);
}

std::vector<std::uint32_t> Shop::draw(int count, Random& random) const {
  std::vector<std::uint32_t> shown;
  const auto add = [&](std::uint32_t place) {
    if (std::find(shown.begin(), shown.end(), place) == shown.end()) shown.push_back(place);
  };
  for (int i = 0; i < 3; ++i) add(choice_.draw(random));
  add(draw_known(random));
  if (trip_)
    for (int i = 0; i < 3; ++i) add(draw_at_destination(random));
  // Small neighbourhoods may not have enough places: tries are limited.
  for (int tries = 4 * count; tries > 0 && static_cast<int>(shown.size()) < count; --tries)
    add(random.chance(65) ? draw_near(random) : draw_popular(random));
  if (static_cast<int>(shown.size()) > count) shown.resize(static_cast<std::size_t>(count));
  for (int i = static_cast<int>(shown.size()) - 1; i > 0; --i) std::swap(shown[i], shown[random.below(i + 1)]);
  return shown;
}

int Shop::click_probability(std::uint32_t place) const {
  const int kind = map_.kind_of(place), city = map_.city_of(place);
  const bool here = city == walk_.where().city;
  const std::int64_t mass = here ? walk_.kind_masses()[kind] : walk_.kind_masses_before_trip()[kind];
  int logit = bias + (map_.quality(place) - 7) * quality_step;
  logit += (log2_sixteenths(1 + mass * 64 * interest_count / Choice::whole) - 16 * 6) / 2;  // 0: as any kind
  logit += 6 * log2_sixteenths(1 + std::min(memory_.visits(place), 7)) / 10;
  logit -= 3 * log2_sixteenths(map_.rank(place)) / 10;
  if (map_.theme(place) == traits_.theme) logit += theme_bonus;
  if (here) {
    const Point a = walk_.where().at, b = map_.at(place);
    // 1 + (d / 300 m)^2, of which the logarithm is twice that of the distance.
    const std::int64_t dx = a.x - b.x, dy = a.y - b.y, squared = 16 * (1 + (dx * dx + dy * dy) / 90'000);
    logit -= 2 * (log2_sixteenths(squared) - 64) / 10;
  }
  return logistic(logit);
}

}  // namespace chronotope::world
