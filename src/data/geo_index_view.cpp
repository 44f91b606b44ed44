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
  throw FormatError(path_ + " is not a sound geographic index: " + rule +
                    "; build it anew or roll back to another version");
}

void View::check_head() const {
  if (std::memcmp(head_.magic, magic, sizeof magic) != 0) fail("it does not begin with \"CHRGEOIX\"");
  if (head_.format != format_version || head_.bytes != sizeof(Head))
    fail("it is of format " + std::to_string(head_.format) + ", this program reads format " +
         std::to_string(format_version));
  if (checksum_of(head_) != head_.checksum) fail("the checksum of its head does not fit; the file is damaged");
  constexpr std::uint64_t most = std::uint64_t{1} << 32;
  const bool counts_fit = head_.blocks > 0 && head_.blocks <= head_.rows && head_.rows < most &&
                          head_.retired <= head_.rows && head_.largest_block > 0 && head_.largest_block <= head_.rows &&
                          head_.buckets > 0 && head_.buckets <= most && head_.name_bytes <= most_name_bytes &&
                          head_.categories > 0 && head_.categories <= most_categories && head_.category_bytes < most &&
                          head_.version > head_.parent && head_.block_km >= GeoGrid::least_block_km &&
                          head_.block_km <= GeoGrid::most_block_km;
  if (!counts_fit) fail("the counts of its head contradict each other");
}

View::Rows View::rows(std::uint32_t block) const {
  const Rows rows{first(block), first(block + std::uint64_t{1})};
  if (rows.begin >= rows.end || rows.end > head_.rows || rows.end - rows.begin > head_.largest_block)
    fail("block " + std::to_string(block + std::uint64_t{1}) + " has impossible rows");
  return rows;
}

View::Named View::named(std::uint64_t unit) const {
  const std::uint64_t at = unit * unit_bytes;
  if (at + sizeof(Name) > head_.name_bytes) fail("a name lies outside its section");
  Named n;
  std::memcpy(&n.name, data_ + at_.names + at, sizeof n.name);
  if (at + name_size(n.name.id_bytes) > head_.name_bytes) fail("an id lies outside its section");
  n.id = text(at_.names, at + sizeof(Name), n.name.id_bytes);
  return n;
}

std::optional<View::Named> View::find(std::string_view id, std::uint64_t hash, std::uint32_t number) const {
  const Bucket b = bucket(number);
  if (b.stride == 0) return scan(id, number);
  const Named n = named(b.name + std::uint64_t{place_in_bucket(hash, b.seed, b.names)} * b.stride);
  return n.id == id ? std::optional(n) : std::nullopt;
}

std::optional<View::Named> View::scan(std::string_view id, std::uint32_t number) const {
  const std::uint64_t end = bucket(number + std::uint64_t{1}).name;
  for (std::uint64_t unit = bucket(number).name; unit < end;) {
    const Named n = named(unit);
    if (n.id == id) return n;
    unit += name_size(n.id.size()) / unit_bytes;
  }
  return std::nullopt;
}

std::string_view View::id_of(const Record& record) const {
  const std::uint64_t at = std::uint64_t{record.name} * unit_bytes + sizeof(Name);
  if (at + record.id_bytes() > head_.name_bytes) fail("an id lies outside its section");
  return text(at_.names, at, record.id_bytes());
}

std::string_view View::category(std::uint64_t number) const {
  if (number >= head_.categories) fail("category " + std::to_string(number) + " is not there");
  const std::uint64_t begin = number == 0 ? 0 : value<std::uint32_t>(at_.category_ends, number - 1),
                      end = value<std::uint32_t>(at_.category_ends, number);
  if (begin > end || end > head_.category_bytes)
    fail("category " + std::to_string(number) + " lies outside its section");
  return text(at_.category_text, begin, end - begin);
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
  if (level_of(key(block)) > GeoGrid::most_level)
    fail("block " + std::to_string(block + std::uint64_t{1}) + " has an impossible size");
  return inside(key(block), position) ? block + 1 : 0;
}

}  // namespace chronotope::geo
