#pragma once
// Places to be indexed, in little memory: 40 bytes a place and its id.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// A place as an index knows it. The texts are views into whatever it came from.
struct IndexedPlace {
  std::string_view id;             ///< 1 to 1,024 bytes
  double latitude = 0;             ///< degrees, -90 to 90
  double longitude = 0;            ///< degrees, -180 to 180; both ends are the date line
  double popularity = 0;           ///< actions, 0 or more, finite
  std::string_view category = {};  ///< at most 1,024 bytes; may be empty: not known
};

inline constexpr std::size_t most_place_text = 1024;  // bytes of an id or a category

/// Places in the order in which they were added. Their ids are compared when an index is made of them, not before.
class PlaceList {
 public:
  /// `source` is the file that error messages name; its row 1 is a header. Without it they count the places.
  PlaceList() : PlaceList(std::string()) {}
  explicit PlaceList(std::string source);
  ~PlaceList();
  PlaceList(PlaceList&&) noexcept;
  PlaceList& operator=(PlaceList&&) noexcept;

  /// Copies the place. Throws DataError for a position out of range, a popularity that is negative or not finite, an id
  /// that is empty or any text over 1,024 bytes.
  void add(const IndexedPlace& place);

  std::size_t size() const;
  /// Valid as long as the list. O(1).
  IndexedPlace operator[](std::size_t place) const;
  /// "places.csv: row 7" or "place 6": where a place stood, for error messages.
  std::string title(std::size_t place) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Reads plain or gzip'ed CSV with the columns place, latitude, longitude and, if wanted, popularity and category, in
/// any order (docs/data.md). O(rows) time, memory as the list's. Throws as read_checkins does, with file, row and
/// column.
PlaceList read_places(const std::string& path);

/// The places of a check-in file. Popularity is the number of training rows; position and category are those of the
/// first training row, or of the first row for places without one, in the order of the table.
PlaceList places_of(const CheckinTable& table);

}  // namespace chronotope
