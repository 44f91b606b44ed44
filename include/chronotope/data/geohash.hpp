#pragma once
// Positions as cells: geohash prefixes, shifted grids of twelve resolutions, and their rows in hashed tables.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace chronotope {

inline constexpr int geo_levels = 12;

/// The geohash of a position (G. Niemeyer, 2008) cut at lengths 1 to 12: element L - 1 holds the first L letters as a
/// number of 5 L bits, so that element L - 1 is element L shifted right by 5.
/// Latitude -90 to 90 and longitude -180 to 180 degrees; the upper ends belong to the last cell.
/// Throws DataError for a position out of range or not finite.
std::array<std::uint64_t, geo_levels> geohash_prefixes(double latitude, double longitude);

/// The first `length` (1 to 12) letters of the geohash. Throws DataError as above and ConfigError for the length.
std::string geohash(double latitude, double longitude, int length = geo_levels);

/// Latitude and longitude of the centre of a geohash's cell, in degrees; letters of either case, those after the twelfth do
/// not matter, and none is the whole world. Throws DataError for a letter that geohashes do not have.
std::array<double, 2> geohash_centre(std::string_view geohash);

/// Side of a grid cell of `level` (0 to 11) in degrees: 0.32 / 1.6^level, about 36 km down to 200 m of latitude.
double grid_cell_degrees(int level);

/// The cells of a position in twelve square grids, 0.32 degrees wide and each next one 1.6 times finer. Each grid is
/// shifted by another fraction of its cell (0.37 x level, modulo 1), so that no place lies at a border in all of them.
/// A cell is (row of latitude) x 2^32 + (column of longitude), both as 32-bit two's complement.
/// Throws DataError for a position out of range or not finite.
std::array<std::uint64_t, geo_levels> grid_cells(double latitude, double longitude);

/// Row, 0 to `rows` - 1, of a cell or prefix in the table of its level (0 to 11). The level takes part in the hash: two
/// cells that collide at one level need not at another. The same on every platform. Throws ConfigError if rows < 1.
std::int32_t hashed_row(std::uint64_t cell, int level, std::int32_t rows);

/// Great-circle distance in km between two positions in degrees (haversine formula, sphere of 6371.0088 km).
double distance_km(double latitude_a, double longitude_a, double latitude_b, double longitude_b);

}  // namespace chronotope
