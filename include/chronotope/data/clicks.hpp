#pragma once
// Click logs: who was shown what, where and when, what they had done before, and whether they clicked. Everything lies
// in columns, one value a sample or a behaviour, so that a log larger than memory is mapped from a file
// (data/click_cache.hpp).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// What a feature describes.
enum class FeaturePart : std::uint8_t { user, item, context };

/// A categorical feature: ids 0 to rows - 1, 0 for "empty or not known".
struct IdColumn {
  std::string name;   ///< "item", "category", …
  std::string table;  ///< columns of one table share ids and embeddings; usually the name
  FeaturePart part = FeaturePart::context;
  std::int32_t rows = 1;  ///< of the table
  std::span<const std::int32_t> values;
};

/// A numerical feature, scaled for a network (finite, roughly -5 to 5).
struct NumberColumn {
  std::string name;
  FeaturePart part = FeaturePart::context;
  std::span<const float> values;
};

/// When and where something happened, [N] each.
struct Moments {
  std::span<const std::int64_t> time;      ///< wall clock, seconds since 1970
  std::span<const std::uint8_t> hour;      ///< 0 to 23
  std::span<const std::uint8_t> weekday;   ///< 0 (Monday) to 6
  std::span<const std::uint32_t> geohash;  ///< six letters as pack_geohash6 packs them; 0 where not known
};

/// The behaviours of all samples. Those of one sample (or of one user, when samples share them) lie together, oldest
/// first.
struct Behaviours {
  Moments at;
  std::vector<IdColumn> ids;  ///< of the same names and tables as columns of the samples; "item" and "category" always
  std::vector<NumberColumn> numbers;  ///< may be empty
  std::size_t size() const { return at.time.size(); }
};

/// N samples with their behaviours. Views into `memory`: vectors or a mapped file, kept alive by it.
struct ClickLog {
  std::span<const std::uint8_t> click;       ///< 0 or 1
  std::span<const std::uint8_t> conversion;  ///< 0 or 1; empty where not recorded
  std::span<const Split> split;
  Moments at;                 ///< of the request: the user's position, the request's time
  std::vector<IdColumn> ids;  ///< "user", "item" and "category" always
  std::vector<NumberColumn> numbers;
  std::span<const std::uint64_t> first, last;  ///< sample i saw behaviours first[i] … last[i] - 1
  Behaviours behaviours;
  bool semi_synthetic = false;  ///< what was shown is invented (check-ins as clicks, generated logs)
  std::shared_ptr<const void> memory;

  std::size_t size() const { return click.size(); }
  /// The column of this name. Throws DataError, naming the nearest, when there is none.
  const IdColumn& id_column(const std::string& name) const;
};

/// Throws DataError naming column and row (counted from 0) when a needed column is missing or named twice, columns
/// differ in length, ids lie outside their table, tables of one name differ in size, behaviours have an id column that
/// the samples lack, labels are not 0 or 1, hours, weekdays, geohashes or ranges are out of range, times lie beyond
/// 2^40 seconds, a number is not finite, or behaviours are not in the order of time or lie after their request. After
/// it no id, range or time of the log can lead outside its arrays. O(samples + behaviours) time as long as samples that
/// share behaviours stand together (a change of the list is a new scan of it); no memory.
void check_click_log(const ClickLog& log);

/// Six letters of geohash as 30 bits, first letter on top, with bit 30 set; 0 for a string that is no geohash of at
/// least six letters. Longer geohashes are cut.
std::uint32_t pack_geohash6(std::string_view geohash);
/// Letter `index` (0 to 5) of a packed geohash; '?' when it is 0.
char geohash_letter(std::uint32_t packed, int index);

}  // namespace chronotope
