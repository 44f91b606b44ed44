#pragma once
// The versions of an index: a folder with index.1, index.2, … and a file `current` that names one of them.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/geo_index.hpp"

namespace chronotope {

namespace geo {
struct Draft;
}

/// Every change writes a new version beside the others and then makes it the current one: a killed process leaves the
/// former version current. No code ever changes its place: what a model learnt for a version holds in all that descend
/// from it. After a rollback the line splits: the next change continues the version that was rolled back to, under a
/// number of its own, and may give codes that abandoned versions had given; their fingerprints differ.
/// One process may change a folder at a time (FileError for the second); any number may read.
class GeoIndexFolder {
 public:
  /// A folder that create() made. Nothing is read yet.
  explicit GeoIndexFolder(std::string path) : path_(std::move(path)) {}

  /// Makes the folder, if need be, and version 1 in it. Throws as build_geo_index, and ConfigError when there is an
  /// index already.
  static GeoIndexFolder create(const std::string& path, const PlaceList& places, const GeoIndexOptions& options = {});

  /// The number in `current`. Throws FileError when there is none, FormatError when it is damaged.
  std::uint32_t current() const;
  /// The current version, or (`version` above 0) that one; `expected` as GeoIndex takes it. Throws as GeoIndex, and
  /// ConfigError with those that are there for a version that is not.
  GeoIndex open(std::uint32_t version = 0, std::uint64_t expected = 0) const;
  /// All versions that lie in the folder, by number. Throws as GeoIndex for one that is damaged.
  std::vector<GeoIndexInfo> versions() const;

  /// Adds places to the current version and returns the new one. A place in an existing block gets the inner id after
  /// its last; the others get new blocks after the last, made and ordered as build_geo_index does. An existing block is
  /// never split, so it may come to hold more than most_inner places. A place that was removed and comes again gets a
  /// new code. Throws DataError for a place that the index has already; otherwise as build_geo_index. O(all places).
  GeoIndexInfo append(const PlaceList& places) const;

  /// Takes places out of the current version and returns the new one. Their codes stand for nothing from then on.
  /// Throws DataError for an id that the index has not, or that is named twice: then nothing is changed. O(all places).
  GeoIndexInfo remove(std::span<const std::string> ids) const;

  /// Makes `version` the current one, after check(). Nothing is deleted. Throws as open().
  GeoIndexInfo rollback(std::uint32_t version) const;

  const std::string& path() const { return path_; }

 private:
  std::string file_of(std::uint32_t version) const;
  std::vector<std::uint32_t> numbers() const;
  void make_current(std::uint32_t version) const;
  std::uint32_t next_number() const;
  GeoIndexInfo change(const std::function<void(const GeoIndex&, geo::Draft&)>& fill) const;

  std::string path_;
};

}  // namespace chronotope
