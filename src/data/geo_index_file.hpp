#pragma once
// The bytes of an index (docs/data.md): a head, then sections whose places follow from the counts in it.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "chronotope/data/geo_index.hpp"
#include "core/fingerprint.hpp"
#include "mix.hpp"

namespace chronotope::geo {

static_assert(std::endian::native == std::endian::little, "indexes are mapped, not converted");

inline constexpr char magic[8] = {'C', 'H', 'R', 'G', 'E', 'O', 'I', 'X'};
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t alignment = 64;
inline constexpr std::size_t unit_bytes = 8;  // records begin at multiples of it
inline constexpr std::uint64_t most_record_bytes = std::uint64_t{1} << 35;

struct Head {
  char magic[8];
  std::uint32_t format, bytes;  // bytes: of this head
  std::uint32_t version, parent;
  std::uint64_t parent_fingerprint;
  double block_km;
  std::uint64_t grid;  // its fingerprint
  std::uint32_t most_inner, blocks, largest_block, new_blocks;
  std::uint64_t rows;  // places with those removed
  std::uint64_t retired, added, removed;
  std::uint64_t record_bytes, slots, categories, category_bytes;
  std::uint64_t checksum;  // of all before it
};
static_assert(sizeof(Head) == 136);

/// A place, followed by its id and zeros up to a multiple of unit_bytes. Rows lie in the order of (block, inner).
struct Record {
  double latitude, longitude, popularity;
  std::uint32_t category, block, inner;
  std::uint16_t id_bytes, retired;
};
static_assert(sizeof(Record) == 40);

/// Of the hash table from ids to records: open addressing, the next slot after a taken one.
struct Slot {
  std::uint32_t tag = 0;   // low half of the id's hash; the high half says where the search begins
  std::uint32_t unit = 0;  // of the record, plus 1; 0: empty
};

/// A block as a number: the position of its south-western corner x 16 + its level.
constexpr std::uint64_t block_key(std::uint64_t corner, int level) { return corner << 4 | static_cast<unsigned>(level); }
constexpr std::uint64_t corner_of(std::uint64_t key) { return key >> 4; }
constexpr int level_of(std::uint64_t key) { return static_cast<int>(key & 15); }
/// The bits of a position below those that say which quarter of this level it lies in.
constexpr int bits_below(int level) { return GeoGrid::position_bits - 2 * level; }
constexpr bool inside(std::uint64_t key, std::uint64_t position) {
  return position >> bits_below(level_of(key)) == corner_of(key) >> bits_below(level_of(key));
}

/// Where sections begin, in this order; each at a multiple of `alignment`, zeros between.
struct Sections {
  std::uint64_t first;            // u32 [blocks + 1]: row of each block's inner id 1
  std::uint64_t keys;             // u64 [blocks]
  std::uint64_t by_key;           // u32 [blocks]: block numbers less 1, by rising key
  std::uint64_t units;            // u32 [rows]: where each record begins, in units
  std::uint64_t records;          // record_bytes
  std::uint64_t slots;            // Slot [slots]
  std::uint64_t category_ends;    // u32 [categories]
  std::uint64_t category_text;    // category_bytes
  std::uint64_t seal;             // u64: fingerprint of all before it
  std::uint64_t end;
};

/// No count of the head may be above 2^40, so that nothing overflows.
Sections sections_of(const Head& head);
std::uint64_t checksum_of(const Head& head);

/// Bytes of a record with its id and padding.
constexpr std::uint64_t record_size(std::size_t id_bytes) {
  return (sizeof(Record) + id_bytes + unit_bytes - 1) / unit_bytes * unit_bytes;
}

/// Of an id: eight bytes at a time. The same in every file.
inline std::uint64_t id_hash(std::string_view id) {
  std::uint64_t hash = mix(id.size() + 0x9E3779B97F4A7C15);
  for (; id.size() >= 8; id.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, id.data(), 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, id.data(), id.size());
  return mix(hash ^ rest);
}

inline std::uint64_t first_slot(std::uint64_t hash, std::uint64_t slots) { return (hash >> 32) * slots >> 32; }
/// Two thirds of the slots are taken.
constexpr std::uint64_t slots_for(std::uint64_t places) { return places + places / 2 + 1; }

/// The fingerprint of bytes that come in pieces; how they are cut plays no part.
class ContentHash {
 public:
  void add(std::span<const std::byte> bytes);
  std::uint64_t value();

 private:
  static constexpr std::size_t piece = std::size_t{1} << 16;
  Fingerprint hash_;
  std::size_t held_ = 0;
  std::byte bytes_[piece];
};

}  // namespace chronotope::geo
