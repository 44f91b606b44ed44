#include "invented.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "mix.hpp"

namespace chronotope::invented {
namespace {

constexpr std::int64_t metres_per_degree = 111'320;  // of latitude

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) : state_(mix(seed) ^ mix(~stream)) {}

std::uint64_t Random::next() { return mix(state_ += 0x9E3779B97F4A7C15); }

int Random::below(int count) { return static_cast<int>((next() >> 32) * static_cast<std::uint64_t>(count) >> 32); }

int Random::pick(const std::vector<std::int64_t>& weights) {
  std::int64_t total = 0;
  for (const std::int64_t weight : weights) total += weight;
  if (total == 0) return -1;
  auto left = static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(total));
  int index = 0;
  while (left >= weights[index]) left -= weights[index++];
  return index;
}

int day_part(int hour) {
  constexpr std::array<int, day_parts - 1> ends = {6, 10, 12, 15, 18, 21};
  return static_cast<int>(std::upper_bound(ends.begin(), ends.end(), hour) - ends.begin());
}

const std::array<int, 24>& awake(bool weekend) {
  static constexpr std::array<int, 24> workday = {2,  1,  1, 0, 0, 1,  4,  9,  12, 8, 5, 7,
                                                  14, 12, 6, 5, 6, 10, 14, 14, 11, 8, 6, 4};
  static constexpr std::array<int, 24> free = {7,  6,  4,  2,  1,  0, 1,  2,  4,  7,  10, 11,
                                               12, 12, 11, 10, 10, 9, 11, 13, 13, 12, 11, 9};
  return weekend ? free : workday;
}

std::int64_t nearness(Point a, Point b, int reach, std::int64_t full) {
  const std::int64_t dx = a.x - b.x, dy = a.y - b.y, r = reach;
  return full * r * r / (r * r + dx * dx + dy * dy);
}

// The cosine is rounded to 16 bits, which hides the last bits in which mathematical libraries differ.
Plane::Plane(double latitude, double longitude)
    : latitude_(std::llround(latitude * 1e6)),
      longitude_(std::llround(longitude * 1e6)),
      narrowing_(std::llround(std::cos(latitude * std::numbers::pi / 180) * 65536)) {}

double Plane::latitude(Point at) const {
  return static_cast<double>(latitude_ + at.y * std::int64_t{1'000'000} / metres_per_degree) / 1e6;
}

double Plane::longitude(Point at) const {
  const std::int64_t east = at.x * std::int64_t{1'000'000} * 65536 / (metres_per_degree * narrowing_);
  return static_cast<double>(longitude_ + east) / 1e6;
}

}  // namespace chronotope::invented
