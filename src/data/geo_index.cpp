#include "chronotope/data/geo_index.hpp"

#include <algorithm>

#include "chronotope/core/error.hpp"
#include "geo_index_check.hpp"
#include "geo_index_view.hpp"

namespace chronotope {

using geo::Head;
using geo::View;

class GeoIndex::State {
 public:
  explicit State(const std::string& path) : view(path), grid(view.head().block_km) {
    const Head& h = view.head();
    if (grid.fingerprint() != h.grid) view.fail("its grid is not the one that this program makes of " + std::to_string(h.block_km) + " km");
    info = {h.version,  h.parent, view.seal(), h.parent_fingerprint, {h.block_km, h.most_inner}, h.rows - h.retired, h.retired, h.blocks,
            h.largest_block, h.added, h.removed, h.new_blocks};
  }

  /// The key of a block counted from 1.
  std::uint64_t key(std::uint32_t block) const {
    if (block == 0 || block > info.blocks)
      throw DataError(view.path() + ": there is no block " + std::to_string(block) + "; blocks are 1 to " + std::to_string(info.blocks));
    const std::uint64_t key = view.key(block - 1);
    if (geo::corner_of(key) >> GeoGrid::position_bits >= grid.cells() || geo::level_of(key) > GeoGrid::most_level)
      view.fail("block " + std::to_string(block) + " lies outside the grid");
    return key;
  }

  GeoBox box(std::uint32_t block) const { return grid.box(geo::corner_of(key(block)), geo::level_of(key(block))); }

  View view;
  GeoGrid grid;
  GeoIndexInfo info;
};

GeoIndex::GeoIndex(const std::string& path, std::uint64_t expected) : state_(std::make_shared<State>(path)) {
  if (expected == 0 || expected == info().fingerprint) return;
  throw DataError(path + ": this is version " + std::to_string(info().version) + " of an index, with the fingerprint " +
                  std::to_string(info().fingerprint) + "; expected was " + std::to_string(expected) +
                  ": codes mean other places there. Open the version that the model was made with (chronotope index versions)");
}

const GeoIndexInfo& GeoIndex::info() const { return state_->info; }
const std::string& GeoIndex::path() const { return state_->view.path(); }
const GeoGrid& GeoIndex::grid() const { return state_->grid; }

std::uint32_t GeoIndex::inners(std::uint32_t block) const {
  if (block == 0 || block > blocks()) return 0;
  const View::Rows rows = state_->view.rows(block - 1);
  return rows.end - rows.begin;
}

std::optional<PlaceCode> GeoIndex::find(std::string_view id) const {
  const View& view = state_->view;
  const std::uint64_t hash = geo::id_hash(id), slots = view.head().slots;
  std::uint64_t at = geo::first_slot(hash, slots);
  for (std::uint64_t tried = 0; tried < slots; ++tried, at = at + 1 == slots ? 0 : at + 1) {
    const geo::Slot slot = view.slot(at);
    if (slot.unit == 0) return std::nullopt;
    if (slot.tag != static_cast<std::uint32_t>(hash)) continue;
    const View::Entry e = view.entry(slot.unit - 1);
    if (e.id != id) continue;
    const PlaceCode code{e.record.block, e.record.inner};
    if (code.block == 0 || code.block > blocks() || code.inner == 0 || code.inner > largest_block() || e.record.retired)
      view.fail("a place that is found by its id has no code");
    return code;
  }
  view.fail("its table of ids has no end");
}

std::optional<IndexedPlace> GeoIndex::place(PlaceCode code) const {
  const View& view = state_->view;
  if (code.inner == 0 || code.inner > inners(code.block)) return std::nullopt;
  const View::Entry e = view.entry(view.unit(view.first(code.block - 1) + (code.inner - 1)));
  if (e.record.block != code.block || e.record.inner != code.inner) view.fail("a place does not know its code");
  if (e.record.retired) return std::nullopt;
  return IndexedPlace{e.id, e.record.latitude, e.record.longitude, e.record.popularity, view.category(e.record.category)};
}

std::uint32_t GeoIndex::block_at(double latitude, double longitude) const {
  return state_->view.block_of(state_->grid.position(latitude, longitude));
}

GeoBox GeoIndex::box(std::uint32_t block) const { return state_->box(block); }
int GeoIndex::level(std::uint32_t block) const { return geo::level_of(state_->key(block)); }

std::vector<NearBlock> GeoIndex::blocks_near(double latitude, double longitude, double radius_km) const {
  const View& view = state_->view;
  std::vector<NearBlock> found;
  for (const auto [begin, end] : state_->grid.cells_near(latitude, longitude, radius_km)) {
    const auto corner = [](std::uint32_t cell) { return std::uint64_t{cell} << GeoGrid::position_bits; };
    const std::uint64_t stop = corner(end);
    for (std::uint64_t i = begin == 0 ? 0 : view.after(corner(begin) - 1); i < blocks(); ++i) {
      const std::uint32_t block = view.ordered(i) + 1;
      if (geo::corner_of(state_->key(block)) >= stop) break;
      const double km = distance_km(state_->box(block), latitude, longitude);
      if (km <= radius_km) found.push_back({block, km});
    }
  }
  std::sort(found.begin(), found.end(), [](const NearBlock& a, const NearBlock& b) { return a.km != b.km ? a.km < b.km : a.block < b.block; });
  return found;
}

void GeoIndex::check() const { geo::check(*this, state_->view); }

}  // namespace chronotope
