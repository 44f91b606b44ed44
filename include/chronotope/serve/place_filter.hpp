#pragma once
// What a request allows: radius, polygon, categories, opening hours, new places.

#include <string>
#include <unordered_map>
#include <vector>

#include "chronotope/data/action_log.hpp"
#include "chronotope/models/place_beams.hpp"

namespace chronotope {

/// When places are open, by the hours of their weekdays. Places without an entry count as open.
class OpeningHours {
 public:
  /// Reads CSV, plain or gzip'ed, with the columns place, weekdays ("mon-fri", "sat", "mon-sun"), from and to ("8:30", "22:00"; a `to`
  /// that is not later than `from` lies on the next day). A place may have several rows. Throws FileError, FormatError and DataError
  /// with file, row and column. O(rows).
  static OpeningHours read(const std::string& path);

  /// `local` is a wall clock, seconds.
  bool open(std::string_view place, std::int64_t local) const;
  std::size_t places() const { return spans_.size(); }

 private:
  struct Span {
    std::int32_t from = 0, to = 0;  ///< minutes of the week from Monday 0:00; `to` may lie in the next week
  };
  std::unordered_map<std::string, std::vector<Span>> spans_;
};

/// All conditions hold for what is allowed; those left empty hold always.
struct PlaceFilter {
  struct Circle {
    GeoPosition centre;
    double km = 0;
  };
  std::optional<Circle> within;
  std::vector<GeoPosition> polygon;      ///< corners, in order; edges are straight in latitude and longitude, the shorter way round the earth
  std::vector<std::string> categories;   ///< one of them
  const OpeningHours* hours = nullptr;   ///< with `open_at`: open then
  std::int64_t open_at = 0;              ///< wall clock, seconds
  std::vector<std::uint32_t> excluded;   ///< numbers of the catalogue, such as places the user knows
};

/// The filter for the beams. Blocks that lie outside a circle are not expanded where the codes are geographic: O(blocks touched) for a
/// circle, everything else is asked place by place. Throws ConfigError for a polygon of fewer than three corners or a radius that is
/// not above 0, DataError for positions that are none. `filter` must live as long as the limits.
PlaceLimits make_limits(const PlaceCatalogue& places, const PlaceFilter& filter);

/// Whether a position lies in a polygon; see PlaceFilter::polygon. Points on an edge may count either way.
bool inside(std::span<const GeoPosition> polygon, const GeoPosition& at);

}  // namespace chronotope
