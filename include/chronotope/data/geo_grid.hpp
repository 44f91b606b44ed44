#pragma once
// The earth cut into cells of one area: the blocks of the geographic index (Spacetime-GR, section 3.1: 5 km by 5 km).

#include <cstdint>
#include <vector>

namespace chronotope {

/// A piece of the earth between two parallels and two meridians, in degrees. West is never above east: cells begin at
/// the date line and none crosses it.
struct GeoBox {
  double south = -90, north = 90, west = -180, east = 180;
};

/// Shortest great-circle distance in km from a position (degrees) to a box; 0 inside.
double distance_km(const GeoBox& box, double latitude, double longitude);

/// Bands along the parallels, each about block_km high and divided into cells about block_km wide. How many cells a
/// band gets comes first; then its northern parallel is put where all cells south of it have their share of the sphere.
/// So areas are equal but for rounding of floating point (less than 1e-8 of a cell), and heights differ: of a 5 km grid
/// by at most 1 % between 85 degrees south and north, more near the poles, where cells become slices around the pole.
///
/// A cell can be quartered, 12 times over, into quarters of one area. A position is a number: cell x 2^24 + its place
/// in the cell, in the order in which quartering visits them (Morton); so each quarter of any level is one range of
/// numbers.
class GeoGrid {
 public:
  static constexpr int most_level = 12;
  static constexpr int position_bits = 2 * most_level;
  static constexpr double least_block_km = 0.5, most_block_km = 1000;

  /// Throws ConfigError for a block_km outside 0.5 to 1000. O(1 / block_km) time and memory: 4,004 bands for 5 km.
  explicit GeoGrid(double block_km = 5);

  double block_km() const { return block_km_; }
  /// At most 2^31.
  std::uint32_t cells() const { return first_.back(); }
  std::uint32_t bands() const { return static_cast<std::uint32_t>(first_.size() - 1); }
  double cell_km2() const;
  /// Stands for the division: two grids with the same one number positions alike.
  std::uint64_t fingerprint() const;

  /// The number of a position in degrees. A border belongs to the cell north or east of it, longitude 180 is -180, and
  /// each pole is one position, whatever its longitude. Throws DataError for a position that is out of range or not
  /// finite. O(1).
  std::uint64_t position(double latitude, double longitude) const;

  /// The cell (level 0) or quarter that `position` lies in. The cell must exist. O(log bands).
  GeoBox box(std::uint64_t position, int level) const;

  /// Cells begin to end - 1.
  struct Cells {
    std::uint32_t begin = 0, end = 0;
  };

  /// All cells that come within radius_km of a position, and a few more, as ranges; from south to north. Throws
  /// DataError for a position out of range and ConfigError for a radius below 0 or not a number. O(bands touched).
  std::vector<Cells> cells_near(double latitude, double longitude, double radius_km) const;

 private:
  std::uint32_t band_of(double latitude, double sine) const;
  void add_cells(std::vector<Cells>& ranges, std::uint32_t band, double west, double east) const;

  double block_km_;
  std::vector<std::uint32_t> first_;  // [bands + 1] number of the first cell of each band, from the south; then all
  std::vector<double> sine_;          // [bands + 1] of the parallel south of each band; then 1
};

}  // namespace chronotope
