#pragma once
// Places as pairs of small numbers: the block of about 5 km by 5 km, and the place's number in it (Spacetime-GR,
// section 3.1). A mapped file (docs/data.md describes the bytes); data/geo_index_folder.hpp makes and changes it.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/data/geo_grid.hpp"
#include "chronotope/data/place_list.hpp"

namespace chronotope {

/// Both count from 1, so that 0 stays free for "unknown".
struct PlaceCode {
  std::uint32_t block = 0;  ///< 1 to blocks(), by falling popularity of all places in it when the block was made
  std::uint32_t inner = 0;  ///< 1 to inners(block), by falling popularity when the index was built
  bool operator==(const PlaceCode&) const = default;
};

struct GeoIndexOptions {
  double block_km = 5;           ///< side of a block, 0.5 to 1000
  std::uint32_t most_inner = 0;  ///< a block with more places is quartered, again and again; 0: never
};

/// What the head of a file says. Counts of places leave out those that were removed.
struct GeoIndexInfo {
  std::uint32_t version = 1, parent = 0;                  ///< parent: the version that was changed; 0: built anew
  std::uint64_t fingerprint = 0, parent_fingerprint = 0;  ///< of the whole content
  GeoIndexOptions options;
  std::uint64_t places = 0, retired = 0;  ///< retired: codes of places that were removed; never given again
  std::uint32_t blocks = 0, largest_block = 0;
  std::uint64_t added = 0, removed = 0;  ///< by the change that made this version
  std::uint32_t new_blocks = 0;
};

struct NearBlock {
  std::uint32_t block = 0;
  double km = 0;  ///< to the nearest point of the block; 0 inside
};

/// An index, read-only. Copies are cheap and share the mapping; any number of threads may use one. The file must not be
/// changed in place while it is open (chronotope never does). Opening looks at the head only, whatever the size; what
/// is read later is checked then, so a damaged file gives a FormatError and never a code that is out of range. check()
/// looks at everything.
class GeoIndex {
 public:
  /// Throws FileError when the file cannot be opened, FormatError when it is no index, of another format version, cut
  /// off or damaged in its head. With `expected`, also a DataError unless the content has that fingerprint: codes mean
  /// other places in another index. O(bands of the grid).
  explicit GeoIndex(const std::string& path, std::uint64_t expected = 0);

  const GeoIndexInfo& info() const;
  const std::string& path() const;
  const GeoGrid& grid() const;

  /// Rows that an embedding of blocks, or of inner ids, needs beside row 0: codes are dense from 1.
  std::uint32_t blocks() const { return info().blocks; }
  std::uint32_t largest_block() const { return info().largest_block; }
  /// The last inner id of a block, those of removed places counted; 0 for a block that is not there. O(1).
  std::uint32_t inners(std::uint32_t block) const;

  /// The code of a place; nothing for an id that is not in the index, or was removed. Ids are compared byte by byte.
  /// O(1) on average.
  std::optional<PlaceCode> find(std::string_view id) const;
  /// The same for many, several times as fast as one after the other; {0, 0} for ids that are not there. `codes` has
  /// room for as many as there are ids (DataError).
  void find(std::span<const std::string_view> ids, std::span<PlaceCode> codes) const;
  /// The place of a code; nothing for a code that stands for none, or was retired. The texts live as long as a copy of
  /// the index. O(1).
  std::optional<IndexedPlace> place(PlaceCode code) const;

  /// The block that a position lies in, 0 where there is none. Throws DataError for a position out of range.
  /// O(log blocks).
  std::uint32_t block_at(double latitude, double longitude) const;
  /// The block's piece of the earth. Throws DataError for a block that is not there.
  GeoBox box(std::uint32_t block) const;
  /// How often the block's cell was quartered: 0 for a whole cell.
  int level(std::uint32_t block) const;
  /// The blocks that come within radius_km of a position, nearest first, of equally near ones the lower number.
  /// Throws DataError for a position out of range, ConfigError for a radius below 0 or not a number. O(bands touched x
  /// log blocks + blocks found x log blocks found).
  std::vector<NearBlock> blocks_near(double latitude, double longitude, double radius_km) const;

  /// Reads the whole file and throws a FormatError that names what is wrong first: the checksum, a block outside the
  /// grid or over another, a place outside its block, a place that is not found by its id, … O(places) time.
  void check() const;

 private:
  class State;
  std::shared_ptr<const State> state_;
};

/// Makes an index as one file, written whole or not at all. Inner ids go by falling popularity, blocks by falling sum
/// of popularity, then falling number of places; what is still equal by id and by position: the order of the list plays
/// no part. A cell with more than most_inner places is quartered as long as that can help: places within about a metre
/// stay together. Throws ConfigError for options out of range; DataError without places, for an id that stands twice
/// (naming both places) or for more than 16 GiB of ids or a million categories; FileError when the system does. O(n log
/// n) time; beside the list 40 bytes a place.
void build_geo_index(const PlaceList& places, const std::string& path, const GeoIndexOptions& options = {});

}  // namespace chronotope
