#pragma once
// A mapped index with nothing in it trusted: every access says whether it stays inside.

#include <optional>
#include <string>
#include <vector>

#include "core/mapped_file.hpp"
#include "geo_index_file.hpp"

namespace chronotope::geo {

/// The sections of a mapped file. Blocks and rows count from 0 here.
class View {
 public:
  /// Checks the head, O(1). Throws as GeoIndex.
  explicit View(const std::string& path);

  /// Throws the FormatError of a damaged index.
  [[noreturn]] void fail(const std::string& rule) const;

  const Head& head() const { return head_; }
  const std::string& path() const { return path_; }
  const Sections& sections() const { return at_; }
  std::uint64_t seal() const { return value<std::uint64_t>(at_.seal, 0); }
  std::span<const std::byte> bytes() const { return file_.bytes(); }

  std::uint32_t first(std::uint64_t block) const { return value<std::uint32_t>(at_.first, block); }
  std::uint64_t key(std::uint64_t block) const { return value<std::uint64_t>(at_.keys, block); }
  std::uint32_t by_key(std::uint64_t i) const { return value<std::uint32_t>(at_.by_key, i); }
  Record record(std::uint64_t row) const { return value<Record>(at_.records, row); }
  Bucket bucket(std::uint64_t i) const { return value<Bucket>(at_.buckets, i); }

  /// Have memory fetched that will be read soon: of a bucket, or of the name at a unit.
  void expect_bucket(std::uint64_t i) const { __builtin_prefetch(data_ + at_.buckets + i * sizeof(Bucket)); }
  void expect_name(std::uint64_t unit) const {
    for (const int line : {0, 64}) __builtin_prefetch(data_ + at_.names + unit * unit_bytes + line);
  }

  /// Rows of a block; inside the file, at least one and at most largest_block.
  struct Rows {
    std::uint32_t begin = 0, end = 0;
  };
  Rows rows(std::uint32_t block) const;

  struct Named {
    Name name;
    std::string_view id;
  };
  /// What stands at a unit of the names, inside their section.
  Named named(std::uint64_t unit) const;
  /// The name of an id with this hash, in the bucket of that number.
  std::optional<Named> find(std::string_view id, std::uint64_t hash, std::uint32_t bucket) const;
  /// The id of a place that was not removed; does not touch it.
  std::string_view id_of(const Record& record) const;
  std::string_view category(std::uint64_t number) const;

  /// The block (from 0) whose key stands at place i of the rising order.
  std::uint32_t ordered(std::uint64_t i) const;
  /// Places in the rising order of keys: the first whose corner is above `position`. O(log blocks).
  std::uint32_t after(std::uint64_t position) const;
  /// The block (from 1) that holds a position, or 0.
  std::uint32_t block_of(std::uint64_t position) const;

 private:
  template <class T> T value(std::uint64_t section, std::uint64_t i) const {
    T result;
    std::memcpy(&result, data_ + section + i * sizeof(T), sizeof(T));
    return result;
  }
  std::string_view text(std::uint64_t section, std::uint64_t begin, std::uint64_t bytes) const {
    return {reinterpret_cast<const char*>(data_ + section + begin), bytes};
  }
  std::optional<Named> scan(std::string_view id, std::uint32_t bucket) const;
  void check_head() const;

  std::string path_;
  MappedFile file_;
  const std::byte* data_ = nullptr;
  Head head_{};
  Sections at_{};
};

}  // namespace chronotope::geo
