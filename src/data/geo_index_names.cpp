#include "geo_index_names.hpp"

#include <algorithm>
#include <numeric>

#include "chronotope/core/error.hpp"

namespace chronotope::geo {

NameTable::NameTable(const Rows& rows) : rows_(rows), units_(rows.size()) {
  const std::vector<std::uint32_t> begin = sort_rows();
  for (std::size_t bucket = 0; bucket + 1 < begin.size(); ++bucket) {
    place(std::span(ordered_).subspan(begin[bucket], begin[bucket + 1] - begin[bucket]));
    if (bytes_ >= most_name_bytes)
      throw DataError("the ids take more than 16 GiB; make several indexes, or shorten the ids");
  }
  buckets_.push_back({next_unit()});
}

// A counting sort of the rows that are not retired by bucket. Returns where each bucket begins.
std::vector<std::uint32_t> NameTable::sort_rows() {
  const std::uint64_t live = rows_.size() - rows_.retired(), buckets = buckets_for(live);
  std::vector<std::uint32_t> bucket(rows_.size()), begin(buckets + 2);
  for (std::uint32_t row = 0; row < rows_.size(); ++row) {
    if (rows_.is_retired(row)) continue;
    bucket[row] = bucket_of(id_hash(rows_.id(row)), buckets);
    ++begin[bucket[row] + 2];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  ordered_.resize(live);
  for (std::uint32_t row = 0; row < rows_.size(); ++row)
    if (!rows_.is_retired(row)) ordered_[begin[bucket[row] + 1]++] = row;  // moves to where the next bucket begins
  begin.pop_back();
  return begin;
}

// Puts the rows of a bucket in the order in which their names lie.
void NameTable::place(std::span<std::uint32_t> rows) {
  members_.clear();
  for (const std::uint32_t row : rows) members_.push_back({rows_.id(row), row});
  std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < members_.size(); ++i)
    if (members_[i - 1].id == members_[i].id) rows_.refuse_same(members_[i - 1].row, members_[i].row);
  const Bucket bucket = seeded_bucket();
  buckets_.push_back(bucket);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = members_[i].row;
    units_[rows[i]] = next_unit();
    bytes_ += bucket.stride ? bucket.stride * unit_bytes : name_size(members_[i].id.size());
  }
}

// Finds a seed and puts the members in its order, if there is one.
Bucket NameTable::seeded_bucket() {
  Bucket bucket{next_unit()};
  std::uint64_t longest = 0;
  for (const Member& m : members_) longest = std::max(longest, name_size(m.id.size()) / unit_bytes);
  const auto names = static_cast<std::uint32_t>(members_.size());
  if (names == 0 || names > most_seeded || longest > most_stride) return bucket;
  for (Member& m : members_) m.hash = id_hash(m.id);
  std::uint32_t seed = 0;
  while (seed < seeds && !parts_all(seed)) ++seed;
  if (seed == seeds) return bucket;
  std::sort(members_.begin(), members_.end(), [&](const Member& a, const Member& b) {
    return place_in_bucket(a.hash, seed, names) < place_in_bucket(b.hash, seed, names);
  });
  bucket.seed = static_cast<std::uint16_t>(seed);
  bucket.names = static_cast<std::uint8_t>(names);
  bucket.stride = static_cast<std::uint8_t>(longest);
  return bucket;
}

bool NameTable::parts_all(std::uint32_t seed) const {
  std::uint32_t taken = 0;
  for (const Member& m : members_) {
    const std::uint32_t place = 1u << place_in_bucket(m.hash, seed, static_cast<std::uint32_t>(members_.size()));
    if (taken & place) return false;
    taken |= place;
  }
  return true;
}

}  // namespace chronotope::geo
