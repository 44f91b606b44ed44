#include "chronotope/data/geohash.hpp"

#include <algorithm>
#include <cmath>

#include "checkin_rules.hpp"
#include "chronotope/core/error.hpp"
#include "earth.hpp"
#include "geohash_letters.hpp"
#include "mix.hpp"
#include "morton.hpp"

namespace chronotope {
namespace {

constexpr int bits_per_axis = 30;

constexpr auto cell_degrees = [] {
  std::array<double, geo_levels> sizes{};
  double size = 0.32;
  for (double& s : sizes) {
    s = size;
    size /= 1.6;
  }
  return sizes;
}();

constexpr auto cell_shift = [] {
  std::array<double, geo_levels> shifts{};
  for (int level = 0; level < geo_levels; ++level) shifts[level] = (37 * level % 100) / 100.0 * cell_degrees[level];
  return shifts;
}();

// Number of the cell of `value` when -most .. most is halved 30 times. Cell borders are exact in a double (multiples of
// 45 / 2^28), so the estimate can be put right where the division rounded over a border.
std::uint64_t halvings(double value, double most) {
  constexpr double cells = 1 << bits_per_axis;
  const auto border = [&](double cell) { return cell * (2 * most / cells) - most; };
  double cell = std::clamp(std::floor((value + most) / (2 * most) * cells), 0.0, cells - 1);
  if (border(cell) > value) --cell;
  else if (border(cell + 1) <= value && cell + 1 < cells) ++cell;
  return static_cast<std::uint64_t>(cell);
}

std::uint32_t grid_line(double value, int level) {
  const double line = std::floor((value + cell_shift[level]) / cell_degrees[level]);
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(line));
}

}  // namespace

void check_position(double latitude, double longitude) {
  if (is_on_earth(latitude, longitude)) return;
  throw DataError("position (" + std::to_string(latitude) + ", " + std::to_string(longitude) +
                  ") is out of range: latitude lies between -90 and 90, longitude between -180 and 180 degrees");
}

std::array<std::uint64_t, geo_levels> geohash_prefixes(double latitude, double longitude) {
  check_position(latitude, longitude);
  // Bits alternate from the top, longitude first.
  const std::uint64_t all =
      spread_bits(halvings(longitude, most_longitude)) << 1 | spread_bits(halvings(latitude, most_latitude));
  std::array<std::uint64_t, geo_levels> prefixes;
  for (int level = 0; level < geo_levels; ++level) prefixes[level] = all >> 5 * (geo_levels - 1 - level);
  return prefixes;
}

std::string geohash(double latitude, double longitude, int length) {
  if (length < 1 || length > geo_levels)
    throw ConfigError("geohash: length " + std::to_string(length) + " is out of range: 1 to 12 letters");
  const std::uint64_t bits = geohash_prefixes(latitude, longitude)[length - 1];
  std::string text(static_cast<std::size_t>(length), '0');
  for (int i = 0; i < length; ++i) text[i] = geohash_letters[bits >> 5 * (length - 1 - i) & 31];
  return text;
}

double grid_cell_degrees(int level) {
  if (level < 0 || level >= geo_levels)
    throw ConfigError("grid_cell_degrees: level " + std::to_string(level) + " is out of range: 0 to 11");
  return cell_degrees[level];
}

std::array<double, 2> geohash_centre(std::string_view geohash) {
  double low[2] = {-most_longitude, -most_latitude}, high[2] = {most_longitude, most_latitude};
  int axis = 0;
  for (const char letter : geohash.substr(0, geo_levels)) {
    const int value = geohash_values[static_cast<unsigned char>(letter)];
    if (value < 0) throw DataError("geohash_centre: '" + std::string(geohash) + "' is no geohash");
    for (int bit = 4; bit >= 0; --bit, axis ^= 1) {
      const double middle = (low[axis] + high[axis]) / 2;
      (value >> bit & 1 ? low : high)[axis] = middle;
    }
  }
  return {(low[1] + high[1]) / 2, (low[0] + high[0]) / 2};
}

std::array<std::uint64_t, geo_levels> grid_cells(double latitude, double longitude) {
  check_position(latitude, longitude);
  std::array<std::uint64_t, geo_levels> cells;
  for (int level = 0; level < geo_levels; ++level)
    cells[level] = std::uint64_t{grid_line(latitude, level)} << 32 | grid_line(longitude, level);
  return cells;
}

std::int32_t hashed_row(std::uint64_t cell, int level, std::int32_t rows) {
  if (rows < 1) throw ConfigError("hashed_row: a table of " + std::to_string(rows) + " rows; it needs at least 1");
  const std::uint64_t hash = mix(cell + 0x9E3779B97F4A7C15 * (static_cast<std::uint64_t>(level) + 1));
  return static_cast<std::int32_t>((hash >> 32) * static_cast<std::uint64_t>(rows) >> 32);
}

double distance_km(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  const double up = std::sin((latitude_b - latitude_a) * radians / 2);
  const double across = std::sin((longitude_b - longitude_a) * radians / 2);
  const double h = up * up + std::cos(latitude_a * radians) * std::cos(latitude_b * radians) * across * across;
  return 2 * earth_radius_km * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace chronotope
