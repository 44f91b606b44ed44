#pragma once
// Where each id of an index lies, so that one read of its bucket and one of its name find it.

#include <vector>

#include "geo_index_rows.hpp"

namespace chronotope::geo {

/// Buckets and the order of the names in them. O(rows) time, 16 bytes a row.
class NameTable {
 public:
  /// Throws as Rows::refuse_same for an id that stands twice, and DataError for more than 16 GiB of names.
  explicit NameTable(const Rows& rows);

  const std::vector<Bucket>& buckets() const { return buckets_; }               // [buckets + 1]
  const std::vector<std::uint32_t>& rows_in_order() const { return ordered_; }  // [places] those that are not retired
  std::uint32_t unit(std::uint32_t row) const { return units_[row]; }  // where its name begins; 0 for retired rows
  std::uint64_t bytes() const { return bytes_; }                       // of all names

 private:
  struct Member {
    std::string_view id;
    std::uint32_t row = 0;
    std::uint64_t hash = 0;
  };

  std::vector<std::uint32_t> sort_rows();
  void place(std::span<std::uint32_t> rows);
  Bucket seeded_bucket();
  bool parts_all(std::uint32_t seed) const;
  std::uint32_t next_unit() const { return static_cast<std::uint32_t>(bytes_ / unit_bytes); }

  const Rows& rows_;
  std::uint64_t bytes_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> ordered_, units_;
  std::vector<Member> members_;  // of the bucket that is being placed
};

}  // namespace chronotope::geo
