#include "geo_index_file.hpp"

#include <algorithm>

namespace chronotope::geo {

Sections sections_of(const Head& head) {
  std::uint64_t at = sizeof(Head);
  const auto place = [&](std::uint64_t bytes) {
    const std::uint64_t begin = (at + alignment - 1) / alignment * alignment;
    at = begin + bytes;
    return begin;
  };
  Sections s{};
  s.first = place((std::uint64_t{head.blocks} + 1) * 4);
  s.keys = place(std::uint64_t{head.blocks} * 8);
  s.by_key = place(std::uint64_t{head.blocks} * 4);
  s.records = place(head.rows * sizeof(Record));
  s.buckets = place((head.buckets + 1) * sizeof(Bucket));
  s.names = place(head.name_bytes);
  s.category_ends = place(head.categories * 4);
  s.category_text = place(head.category_bytes);
  s.seal = place(8);
  s.end = at;
  return s;
}

std::uint64_t checksum_of(const Head& head) {
  Fingerprint hash;
  hash.add(std::as_bytes(std::span(&head, 1)).first(offsetof(Head, checksum)));
  return hash.value();
}

void ContentHash::add(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), piece - held_);
    std::memcpy(bytes_ + held_, bytes.data(), taken);
    bytes = bytes.subspan(taken);
    held_ += taken;
    if (held_ < piece) return;
    hash_.add(std::span<const std::byte>(bytes_, held_));
    held_ = 0;
  }
}

std::uint64_t ContentHash::value() {
  hash_.add(std::span<const std::byte>(bytes_, held_));
  held_ = 0;
  return hash_.value();
}

}  // namespace chronotope::geo
