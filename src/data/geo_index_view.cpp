#include "geo_index_view.hpp"

#include "chronotope/core/error.hpp"

namespace chronotope::geo {

View::View(const std::string& path) : path_(path), file_(path), data_(file_.bytes().data()) {
  if (bytes().size() < sizeof(Head))
    fail("it has " + std::to_string(bytes().size()) + " bytes, fewer than its head takes");
  std::memcpy(&head_, data_, sizeof head_);
  check_head();
  at_ = sections_of(head_);
  if (at_.end != bytes().size())
    fail("its head speaks of " + std::to_string(at_.end) + " bytes, it has " + std::to_string(bytes().size()));
}

void View::fail(const std::string& rule) const {
  throw FormatError(path_ + " is not a sound geographic index: " + rule + "; build it anew or roll back to another version");
}

void View::check_head() const {
  if (std::memcmp(head_.magic, magic, sizeof magic) != 0) fail("it does not begin with \"CHRGEOIX\"");
  if (head_.format != format_version || head_.bytes != sizeof(Head))
    fail("it is of format " + std::to_string(head_.format) + ", this program reads format " + std::to_string(format_version));
  if (checksum_of(head_) != head_.checksum) fail("the checksum of its head does not fit; the file is damaged");
  constexpr std::uint64_t most = std::uint64_t{1} << 32;
  const bool counts_fit = head_.blocks > 0 && head_.blocks <= head_.rows && head_.rows < most && head_.retired <= head_.rows &&
                          head_.largest_block > 0 && head_.largest_block <= head_.rows && head_.slots > head_.rows - head_.retired &&
                          head_.slots <= most && head_.record_bytes <= most_record_bytes && head_.categories > 0 &&
                          head_.categories <= head_.rows + 1 && head_.category_bytes < most && head_.version > head_.parent &&
                          head_.block_km >= GeoGrid::least_block_km && head_.block_km <= GeoGrid::most_block_km;
  if (!counts_fit) fail("the counts of its head contradict each other");
}

View::Rows View::rows(std::uint32_t block) const {
  const Rows rows{first(block), first(block + std::uint64_t{1})};
  if (rows.begin >= rows.end || rows.end > head_.rows || rows.end - rows.begin > head_.largest_block)
    fail("block " + std::to_string(block + std::uint64_t{1}) + " has impossible rows");
  return rows;
}

View::Entry View::entry(std::uint64_t unit) const {
  const std::uint64_t at = unit * unit_bytes;
  if (at + sizeof(Record) > head_.record_bytes) fail("a place lies outside its section");
  Entry e;
  std::memcpy(&e.record, data_ + at_.records + at, sizeof e.record);
  if (at + sizeof(Record) + e.record.id_bytes > head_.record_bytes) fail("an id lies outside its section");
  e.id = {reinterpret_cast<const char*>(data_ + at_.records + at + sizeof(Record)), e.record.id_bytes};
  return e;
}

std::string_view View::category(std::uint64_t number) const {
  if (number >= head_.categories) fail("category " + std::to_string(number) + " is not there");
  const std::uint64_t begin = number == 0 ? 0 : value<std::uint32_t>(at_.category_ends, number - 1), end = value<std::uint32_t>(at_.category_ends, number);
  if (begin > end || end > head_.category_bytes) fail("category " + std::to_string(number) + " lies outside its section");
  return {reinterpret_cast<const char*>(data_ + at_.category_text + begin), end - begin};
}

std::uint32_t View::ordered(std::uint64_t i) const {
  const std::uint32_t block = by_key(i);
  if (block >= head_.blocks) fail("the order of its blocks names block " + std::to_string(block + std::uint64_t{1}));
  return block;
}

std::uint32_t View::after(std::uint64_t position) const {
  std::uint32_t low = 0, high = head_.blocks;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (corner_of(key(ordered(middle))) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

std::uint32_t View::block_of(std::uint64_t position) const {
  const std::uint32_t next = after(position);
  if (next == 0) return 0;
  const std::uint32_t block = ordered(next - 1);
  if (level_of(key(block)) > GeoGrid::most_level) fail("block " + std::to_string(block + std::uint64_t{1}) + " has an impossible size");
  return inside(key(block), position) ? block + 1 : 0;
}

}  // namespace chronotope::geo
