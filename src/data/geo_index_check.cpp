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
    check_slots();
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
    if (view_.first(0) != 0 || view_.first(head_.blocks) != head_.rows) view_.fail("its blocks do not take up all rows");
    for (std::uint32_t block = 1; block <= head_.blocks; ++block) largest = std::max(largest, index_.inners(block));
    if (largest != head_.largest_block) view_.fail("its largest block has " + std::to_string(largest) + " places, its head says " + std::to_string(head_.largest_block));
    for (std::uint32_t i = 0; i < head_.blocks; ++i) {
      const std::uint32_t block = view_.ordered(i);
      index_.level(block + 1);  // inside the grid
      const std::uint64_t key = view_.key(block), size = std::uint64_t{1} << bits_below(level_of(key));
      if (corner_of(key) % size != 0) view_.fail("block " + std::to_string(block + 1) + " lies askew");
      if (i + 1 < head_.blocks && corner_of(key) + size > corner_of(view_.key(view_.ordered(i + 1))))
        view_.fail("blocks " + std::to_string(block + 1) + " and " + std::to_string(view_.ordered(i + 1) + 1) + " overlap");
    }
  }

  void check_categories() const {
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < head_.categories; ++i) bytes += view_.category(i).size();
    if (bytes != head_.category_bytes || !view_.category(0).empty()) view_.fail("its categories do not take up their section");
  }

  void check_places() const {
    std::uint64_t unit = 0, row = 0, retired = 0;
    for (std::uint32_t block = 1; block <= head_.blocks; ++block)
      for (std::uint32_t inner = 1; inner <= index_.inners(block); ++inner, ++row) {
        if (view_.unit(row) != unit) view_.fail("its places do not follow each other: row " + std::to_string(row));
        retired += check_place({block, inner}, unit);
      }
    if (unit * unit_bytes != head_.record_bytes || retired != head_.retired) view_.fail("its places do not add up to what its head says");
  }

  bool check_place(PlaceCode code, std::uint64_t& unit) const {
    const View::Entry e = view_.entry(unit);
    const Record& r = e.record;
    const auto fail = [&](const char* rule) {
      view_.fail("the place with inner id " + std::to_string(code.inner) + " of block " + std::to_string(code.block) + " " + rule);
    };
    if (r.block != code.block || r.inner != code.inner) fail("says another code of itself");
    if (r.retired > 1 || e.id.empty() || e.id.size() > most_place_text || !(r.popularity >= 0 && std::isfinite(r.popularity)))
      fail("has impossible values");
    if (!is_on_earth(r.latitude, r.longitude) || !inside(view_.key(code.block - 1), index_.grid().position(r.latitude, r.longitude)))
      fail("lies outside its block");
    view_.category(r.category);
    if (!r.retired && index_.find(e.id) != code) fail("is not found by its id");
    unit += record_size(e.id.size()) / unit_bytes;
    return r.retired;
  }

  /// As many as there are places; each of which was found.
  void check_slots() const {
    std::uint64_t taken = 0;
    for (std::uint64_t i = 0; i < head_.slots; ++i) taken += view_.slot(i).unit != 0;
    if (taken != head_.rows - head_.retired) view_.fail("its table of ids has " + std::to_string(taken) + " entries for " + std::to_string(head_.rows - head_.retired) + " places");
  }

  const GeoIndex& index_;
  const View& view_;
  const Head& head_;
};

}  // namespace

void check(const GeoIndex& index, const View& view) { Checker(index, view).check(); }

}  // namespace chronotope::geo
