#pragma once
// The columns of a click log as one list of bytes, and the head of a cache file that describes them.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope::clicks {

/// What a column holds; the names stand in the file.
enum class Role : std::uint8_t { click, conversion, split, time, hour, weekday, geohash, id, number, first, last };

const char* role_name(Role role);
/// Bytes of a value.
std::size_t role_bytes(Role role);

struct Column {
  bool of_behaviours = false;
  Role role = Role::click;
  std::string name, table;  ///< of ids and numbers (table: ids)
  FeaturePart part = FeaturePart::context;
  std::int32_t rows = 0;               ///< of ids
  std::uint64_t offset = 0;            ///< in the file
  std::span<const std::byte> bytes{};  ///< where they are at hand

  /// "samples id \"item\"", for messages.
  std::string title() const;
  /// Everything but where the bytes are.
  bool same_kind(const Column& other) const;
};

/// Counts of a log and what else is not in its columns.
struct Extent {
  std::uint64_t samples = 0, behaviours = 0;
  bool semi_synthetic = false;
  std::uint64_t rows_of(const Column& column) const { return column.of_behaviours ? behaviours : samples; }
  std::uint64_t bytes_of(const Column& column) const { return rows_of(column) * role_bytes(column.role); }
};

/// All columns of a log, always in the same order.
std::vector<Column> columns_of(const ClickLog& log);
/// The reverse: gives the log the column, whose bytes are aligned and whole values.
void put_column(ClickLog& log, const Column& column);

nlohmann::json to_json(const std::vector<Column>& columns);
/// Throws std::string (the rule that is broken, naming the column); offsets are read if `with_offsets`.
std::vector<Column> columns_from_json(const nlohmann::json& list, bool with_offsets);

/// A count in a JSON object. Throws std::string when it is not there or not a whole number.
std::uint64_t count_from_json(const nlohmann::json& object, const char* key);

/// Sets the offsets and returns the head of the file, filled up to where the first column begins.
std::string make_head(const Extent& extent, std::vector<Column>& columns);

/// FNV-1a, 64 bits.
std::uint64_t checksum(std::string_view bytes);

inline constexpr std::string_view cache_magic = "CHRCLICK";
inline constexpr std::uint32_t cache_version = 1;
inline constexpr std::size_t cache_prefix = 32;  ///< magic, version, zeros, length of the JSON text, its checksum
inline constexpr std::size_t cache_alignment = 64;

}  // namespace chronotope::clicks
