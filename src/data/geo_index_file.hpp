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
inline constexpr std::size_t unit_bytes = 4;                              // names begin at multiples of it
inline constexpr std::uint64_t most_name_bytes = std::uint64_t{1} << 34;  // so that units fit 32 bits
inline constexpr std::uint64_t most_categories = std::uint64_t{1} << 20;

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
  std::uint64_t buckets, name_bytes, categories, category_bytes;
  std::uint64_t checksum;  // of all before it
};
static_assert(sizeof(Head) == 136);

/// A place but for its id. Rows lie in the order of (block, inner). Two fit a cache line: looking a code up reads one.
struct Record {
  double latitude, longitude, popularity;
  std::uint32_t name;    // where its name begins, in units
  std::uint32_t packed;  // category x 2^12 + retired x 2^11 + bytes of the id

  std::uint32_t category() const { return packed >> 12; }
  bool retired() const { return packed >> 11 & 1; }
  std::uint32_t id_bytes() const { return packed & 2047; }
};
static_assert(sizeof(Record) == 32);
constexpr std::uint32_t pack(std::uint32_t category, std::size_t id_bytes) {
  return category << 12 | static_cast<std::uint32_t>(id_bytes);
}
inline constexpr std::uint32_t retired_pack = 1 << 11;  // what is left of a place that was removed
static_assert(most_place_text < 2048);

/// The code of a place, followed by its id and zeros up to a multiple of unit_bytes.
struct Name {
  std::uint32_t block, inner, id_bytes;
};
static_assert(sizeof(Name) == 12);

/// Names lie in the order of their buckets. In a bucket all are equally far apart, and the seed is one with which the
/// hashes of the ids fall on different places (a small perfect hash): finding an id reads its bucket and one name.
/// Where there is no such seed, or an id is long, stride is 0 and the names follow each other by rising id.
struct Bucket {
  std::uint32_t name = 0;  // where the first begins, in units
  std::uint16_t seed = 0;
  std::uint8_t names = 0;   // where stride is not 0
  std::uint8_t stride = 0;  // units from name to name
};
static_assert(sizeof(Bucket) == 8);
inline constexpr std::uint32_t most_seeded = 10;  // names of a bucket; parting more takes thousands of seeds
inline constexpr std::uint32_t most_stride = 255, seeds = 65536;

/// Which of `names` places of a bucket an id with this hash takes.
constexpr std::uint32_t place_in_bucket(std::uint64_t hash, std::uint32_t seed, std::uint32_t names) {
  return static_cast<std::uint32_t>((mix(hash + 0x9E3779B97F4A7C15 * (seed + 1)) >> 32) * names >> 32);
}

/// A block as a number: the position of its south-western corner x 16 + its level.
constexpr std::uint64_t block_key(std::uint64_t corner, int level) {
  return corner << 4 | static_cast<unsigned>(level);
}
constexpr std::uint64_t corner_of(std::uint64_t key) { return key >> 4; }
constexpr int level_of(std::uint64_t key) { return static_cast<int>(key & 15); }
/// The bits of a position below those that say which quarter of this level it lies in.
constexpr int bits_below(int level) { return GeoGrid::position_bits - 2 * level; }
constexpr bool inside(std::uint64_t key, std::uint64_t position) {
  return position >> bits_below(level_of(key)) == corner_of(key) >> bits_below(level_of(key));
}

/// Where sections begin, in this order; each at a multiple of `alignment`, zeros between.
struct Sections {
  std::uint64_t first;          // u32 [blocks + 1]: row of each block's inner id 1
  std::uint64_t keys;           // u64 [blocks]
  std::uint64_t by_key;         // u32 [blocks]: block numbers less 1, by rising key
  std::uint64_t records;        // Record [rows]
  std::uint64_t buckets;        // Bucket [buckets + 1]; the last says where names end
  std::uint64_t names;          // name_bytes
  std::uint64_t category_ends;  // u32 [categories]
  std::uint64_t category_text;  // category_bytes
  std::uint64_t seal;           // u64: fingerprint of all before it
  std::uint64_t end;
};

/// No count of the head may be above 2^40, so that nothing overflows.
Sections sections_of(const Head& head);
std::uint64_t checksum_of(const Head& head);

constexpr std::uint64_t name_size(std::size_t id_bytes) {
  return (sizeof(Name) + id_bytes + unit_bytes - 1) / unit_bytes * unit_bytes;
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

/// Few enough buckets to stay in a cache.
constexpr std::uint64_t buckets_for(std::uint64_t places) { return places / 4 + 1; }
constexpr std::uint32_t bucket_of(std::uint64_t hash, std::uint64_t buckets) {
  return static_cast<std::uint32_t>((hash >> 32) * buckets >> 32);
}

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
