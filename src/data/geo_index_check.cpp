#include "geo_index_check.hpp"

#include <algorithm>
#include <cmath>

#include "earth.hpp"

namespace chronotope::geo {
namespace {

class Checker {
 public:
  Checker(const GeoIndex& index, const View& view) : index_(index), view_(view), head_(view.head()) {}

  void check() const {
    check_seal();
    check_blocks();
    check_categories();
    check_places();
    check_names();
  }

 private:
  void check_seal() const {
    ContentHash hash;
    hash.add(view_.bytes().first(view_.sections().seal));
    if (hash.value() != view_.seal()) view_.fail("the fingerprint of its content does not fit; the file is damaged");
  }

  /// Blocks follow each other in rows, none is empty, and their pieces of the earth do not overlap.
  void check_blocks() const {
    std::uint32_t largest = 0;
    if (view_.first(0) != 0 || view_.first(head_.blocks) != head_.rows)
      view_.fail("its blocks do not take up all rows");
    for (std::uint32_t block = 1; block <= head_.blocks; ++block) largest = std::max(largest, index_.inners(block));
    if (largest != head_.largest_block)
      view_.fail("its largest block has " + std::to_string(largest) + " places, its head says " +
                 std::to_string(head_.largest_block));
    for (std::uint32_t i = 0; i < head_.blocks; ++i) {
      const std::uint32_t block = view_.ordered(i);
      index_.level(block + 1);  // inside the grid
      const std::uint64_t key = view_.key(block), size = std::uint64_t{1} << bits_below(level_of(key));
      if (corner_of(key) % size != 0) view_.fail("block " + std::to_string(block + 1) + " lies askew");
      if (i + 1 < head_.blocks && corner_of(key) + size > corner_of(view_.key(view_.ordered(i + 1))))
        view_.fail("blocks " + std::to_string(block + 1) + " and " + std::to_string(view_.ordered(i + 1) + 1) +
                   " overlap");
    }
  }

  void check_categories() const {
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < head_.categories; ++i) bytes += view_.category(i).size();
    if (bytes != head_.category_bytes || !view_.category(0).empty())
      view_.fail("its categories do not take up their section");
  }

  void check_places() const {
    std::uint64_t retired = 0;
    for (std::uint32_t block = 1; block <= head_.blocks; ++block) {
      const View::Rows rows = view_.rows(block - 1);
      for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
        const Record r = view_.record(row);
        retired += r.retired();
        if (!is_possible(r, view_.key(block - 1)))
          view_.fail("the place with inner id " + std::to_string(row - rows.begin + 1) + " of block " +
                     std::to_string(block) + " has impossible values or lies outside its block");
      }
    }
    if (retired != head_.retired) view_.fail("its retired codes do not add up to what its head says");
  }

  bool is_possible(const Record& r, std::uint64_t key) const {
    if (!is_on_earth(r.latitude, r.longitude) || !(r.popularity >= 0 && std::isfinite(r.popularity))) return false;
    if (r.retired() ? r.packed != retired_pack || r.name != 0 : r.id_bytes() == 0 || r.id_bytes() > most_place_text)
      return false;
    return r.category() < head_.categories && inside(key, index_.grid().position(r.latitude, r.longitude));
  }

  /// Names follow each other, each where it is looked for; and each belongs to one place that knows it. As there are as
  /// many as places, each place has one.
  void check_names() const {
    std::uint64_t unit = 0, names = 0;
    for (std::uint64_t i = 0; i < head_.buckets; ++i) {
      const Bucket b = view_.bucket(i);
      const std::uint64_t end = view_.bucket(i + 1).name;
      if (b.name != unit || end < unit) view_.fail("bucket " + std::to_string(i) + " is out of place");
      for (std::uint64_t number = 0; unit < end; ++number, ++names) {
        const View::Named n = view_.named(unit);
        const std::uint64_t size = name_size(n.id.size()) / unit_bytes, hash = id_hash(n.id);
        const auto found = view_.find(n.id, hash, bucket_of(hash, head_.buckets));
        const bool in_place = b.stride == 0 || (number < b.names && size <= b.stride && n.id.size() <= most_place_text);
        if (!in_place || !found || found->id.data() != n.id.data() || !is_known(n, unit))
          view_.fail("name " + std::to_string(names) + " is out of place");
        unit += b.stride ? b.stride : size;
      }
      if (unit != end) view_.fail("bucket " + std::to_string(i) + " cuts a name in two");
    }
    if (unit * unit_bytes != head_.name_bytes) view_.fail("its buckets do not take up all names");
    if (names != head_.rows - head_.retired)
      view_.fail("it has " + std::to_string(names) + " names for " + std::to_string(head_.rows - head_.retired) +
                 " places");
  }

  bool is_known(const View::Named& n, std::uint64_t unit) const {
    if (n.name.inner == 0 || n.name.inner > index_.inners(n.name.block)) return false;
    const Record r = view_.record(view_.first(n.name.block - 1) + std::uint64_t{n.name.inner - 1});
    return !r.retired() && r.name == unit && r.id_bytes() == n.id.size();
  }

  const GeoIndex& index_;
  const View& view_;
  const Head& head_;
};

}  // namespace

void check(const GeoIndex& index, const View& view) { Checker(index, view).check(); }

}  // namespace chronotope::geo
