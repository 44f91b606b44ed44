#include "chronotope/data/geo_grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "chronotope/data/geohash.hpp"
#include "core/fingerprint.hpp"
#include "earth.hpp"
#include "morton.hpp"

namespace chronotope {
namespace {

constexpr double steps = 1 << GeoGrid::most_level;  // along each side of a cell

// Cells south of each band of the southern half, whose bands would all be equally high. Rounding the sums, not the
// bands, keeps every parallel within half a cell of its place.
std::vector<std::uint32_t> southern_half(double block_km) {
  const double quarter = std::numbers::pi / 2 * earth_radius_km;
  const auto bands = static_cast<std::uint32_t>(std::lround(quarter / block_km));
  const double half_area = 2 * std::numbers::pi * earth_radius_km * earth_radius_km,
               cells = half_area / (block_km * block_km);
  std::vector<std::uint32_t> first{0};
  for (std::uint32_t band = 1; band <= bands; ++band) {
    const double reached = cells * (1 - std::cos(std::numbers::pi / 2 * band / bands));
    first.push_back(std::max(first.back() + 1, static_cast<std::uint32_t>(std::llround(reached))));
  }
  return first;
}

double degrees_of_sine(double sine) { return std::asin(sine) / radians; }

std::uint64_t step_of(double share) {
  return static_cast<std::uint64_t>(std::clamp(std::floor(share * steps), 0.0, steps - 1));
}

// The foot of the perpendicular from the position to a meridian's great circle, as a latitude, may lie beyond the piece
// between south and north; then one of the ends is nearest.
double to_meridian(const GeoBox& box, double meridian, double latitude, double longitude) {
  const double apart = (longitude - meridian) * radians;
  const double foot =
      std::atan2(std::sin(latitude * radians), std::cos(latitude * radians) * std::cos(apart)) / radians;
  double nearest = std::numeric_limits<double>::infinity();
  for (const double at : {box.south, std::clamp(foot, box.south, box.north), box.north})
    nearest = std::min(nearest, distance_km(at, meridian, latitude, longitude));
  return nearest;
}

}  // namespace

double distance_km(const GeoBox& box, double latitude, double longitude) {
  const bool same_longitude = (longitude >= box.west && longitude <= box.east) ||
                              (std::abs(longitude) == most_longitude && std::abs(box.west) == most_longitude);
  if (same_longitude) return distance_km(std::clamp(latitude, box.south, box.north), longitude, latitude, longitude);
  return std::min(to_meridian(box, box.west, latitude, longitude), to_meridian(box, box.east, latitude, longitude));
}

GeoGrid::GeoGrid(double block_km) : block_km_(block_km) {
  if (!(block_km >= least_block_km && block_km <= most_block_km))
    throw ConfigError("geo grid: blocks of " + std::to_string(block_km) + " km; choose 0.5 to 1000 km");
  first_ = southern_half(block_km);
  const std::uint32_t half = first_.back();
  for (std::size_t band = first_.size() - 1; band-- > 0;) first_.push_back(2 * half - first_[band]);
  for (const std::uint32_t cell : first_) sine_.push_back((static_cast<double>(cell) - half) / half);
}

double GeoGrid::cell_km2() const { return 4 * std::numbers::pi * earth_radius_km * earth_radius_km / cells(); }

std::uint64_t GeoGrid::fingerprint() const {
  Fingerprint hash;
  hash.add(std::span<const std::uint32_t>(first_));
  return hash.value();
}

// Bands are nearly equally high, so the guess is off by one at most but near the poles.
std::uint32_t GeoGrid::band_of(double latitude, double sine) const {
  const double guess = (latitude + most_latitude) / (2 * most_latitude) * bands();
  auto band = static_cast<std::uint32_t>(std::clamp(std::floor(guess), 0.0, bands() - 1.0));
  while (band > 0 && sine < sine_[band]) --band;
  while (band + 1 < bands() && sine >= sine_[band + 1]) ++band;
  return band;
}

std::uint64_t GeoGrid::position(double latitude, double longitude) const {
  check_position(latitude, longitude);
  if (longitude == most_longitude || std::abs(latitude) == most_latitude) longitude = -most_longitude;
  const double sine = std::sin(latitude * radians);
  const std::uint32_t band = band_of(latitude, sine), columns = first_[band + 1] - first_[band];
  const double across = (longitude + most_longitude) / (2 * most_longitude) * columns;
  const double column = std::min(std::floor(across), columns - 1.0);
  const std::uint64_t x = step_of(across - column), y = step_of((sine - sine_[band]) / (sine_[band + 1] - sine_[band]));
  const std::uint64_t cell = first_[band] + static_cast<std::uint32_t>(column);
  return cell << position_bits | spread_bits(y) << 1 | spread_bits(x);
}

GeoBox GeoGrid::box(std::uint64_t position, int level) const {
  const auto cell = static_cast<std::uint32_t>(position >> position_bits);
  const auto band = static_cast<std::size_t>(std::upper_bound(first_.begin(), first_.end(), cell) - first_.begin() - 1);
  const std::uint64_t size = std::uint64_t{1} << (most_level - level),
                      inside = position & ((std::uint64_t{1} << position_bits) - 1);
  const auto x = static_cast<double>(gather_bits(inside) & ~(size - 1)),
             y = static_cast<double>(gather_bits(inside >> 1) & ~(size - 1));
  const double columns = first_[band + 1] - first_[band], column = cell - first_[band],
               side = static_cast<double>(size);
  const auto longitude = [&](double step) { return (column + step / steps) / columns * 360 - most_longitude; };
  const auto latitude = [&](double step) {
    return degrees_of_sine(std::lerp(sine_[band], sine_[band + 1], step / steps));
  };
  return {latitude(y), latitude(y + side), longitude(x), longitude(x + side)};
}

// One column more on both sides, as west and east are rounded.
void GeoGrid::add_cells(std::vector<Cells>& ranges, std::uint32_t band, double west, double east) const {
  const std::uint32_t begin = first_[band], end = first_[band + 1];
  const double columns = end - begin, from = std::floor((west + most_longitude) / 360 * columns) - 1,
               to = std::floor((east + most_longitude) / 360 * columns) + 2;
  if (to - from >= columns) {
    ranges.push_back({begin, end});
    return;
  }
  const auto cell = [&](double column) { return begin + static_cast<std::uint32_t>(column); };
  if (from < 0) ranges.push_back({begin, cell(to)}), ranges.push_back({cell(from + columns), end});
  else if (to > columns) ranges.push_back({begin, cell(to - columns)}), ranges.push_back({cell(from), end});
  else ranges.push_back({cell(from), cell(to)});
}

std::vector<GeoGrid::Cells> GeoGrid::cells_near(double latitude, double longitude, double radius_km) const {
  check_position(latitude, longitude);
  if (!(radius_km >= 0))
    throw ConfigError("blocks near a place: a radius of " + std::to_string(radius_km) + " km; it is 0 or more");
  const double reach = std::min(radius_km / earth_radius_km, std::numbers::pi) / radians;
  const double south = std::max(latitude - reach, -most_latitude), north = std::min(latitude + reach, most_latitude);
  double aside = 180;  // degrees of longitude that the circle reaches to either side; all of them around a pole
  if (latitude - reach > -most_latitude && latitude + reach < most_latitude)
    aside = std::asin(std::min(1.0, std::sin(reach * radians) / std::cos(latitude * radians))) / radians;
  const std::uint32_t low = band_of(south, std::sin(south * radians)), high = band_of(north, std::sin(north * radians));
  std::vector<Cells> ranges;
  for (std::uint32_t band = low > 0 ? low - 1 : 0; band <= std::min(high + 1, bands() - 1); ++band)
    add_cells(ranges, band, longitude - aside, longitude + aside);
  return ranges;
}

}  // namespace chronotope
