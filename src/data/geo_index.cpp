#include "chronotope/data/geo_index.hpp"

#include <algorithm>
#include <array>

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
    if (grid.fingerprint() != h.grid)
      view.fail("its grid is not the one that this program makes of " + std::to_string(h.block_km) + " km");
    info = {h.version,          h.parent,    view.seal(), h.parent_fingerprint, {h.block_km, h.most_inner},
            h.rows - h.retired, h.retired,   h.blocks,    h.largest_block,      h.added,
            h.removed,          h.new_blocks};
  }

  /// The key of a block counted from 1.
  std::uint64_t key(std::uint32_t block) const {
    if (block == 0 || block > info.blocks)
      throw DataError(view.path() + ": there is no block " + std::to_string(block) + "; blocks are 1 to " +
                      std::to_string(info.blocks));
    const std::uint64_t key = view.key(block - 1);
    if (geo::corner_of(key) >> GeoGrid::position_bits >= grid.cells() || geo::level_of(key) > GeoGrid::most_level)
      view.fail("block " + std::to_string(block) + " lies outside the grid");
    return key;
  }

  GeoBox box(std::uint32_t block) const { return grid.box(geo::corner_of(key(block)), geo::level_of(key(block))); }

  /// The code of an id with this hash; 0, 0 where it is not there.
  PlaceCode find(std::string_view id, std::uint64_t hash) const {
    const auto found = view.find(id, hash, geo::bucket_of(hash, view.head().buckets));
    if (!found) return {};
    const PlaceCode code{found->name.block, found->name.inner};
    if (code.block == 0 || code.block > info.blocks || code.inner == 0 || code.inner > info.largest_block)
      view.fail("a place has an impossible code");
    return code;
  }

  View view;
  GeoGrid grid;
  GeoIndexInfo info;
};

GeoIndex::GeoIndex(const std::string& path, std::uint64_t expected) : state_(std::make_shared<State>(path)) {
  if (expected == 0 || expected == info().fingerprint) return;
  throw DataError(
      path + ": this is version " + std::to_string(info().version) + " of an index, with the fingerprint " +
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
  const PlaceCode code = state_->find(id, geo::id_hash(id));
  return code.block == 0 ? std::nullopt : std::optional(code);
}

// A look-up waits for memory twice: for the bucket, and for a name. A group of them waits together.
void GeoIndex::find(std::span<const std::string_view> ids, std::span<PlaceCode> codes) const {
  if (ids.size() != codes.size())
    throw DataError("find: " + std::to_string(ids.size()) + " ids, room for " + std::to_string(codes.size()) +
                    " codes; they go in pairs");
  const View& view = state_->view;
  const auto bucket_of = [&](std::uint64_t hash) { return geo::bucket_of(hash, view.head().buckets); };
  constexpr std::size_t group = 32;
  std::array<std::uint64_t, group> hashes;
  for (std::size_t begin = 0; begin < ids.size(); begin += group) {
    const std::size_t size = std::min(group, ids.size() - begin);
    for (std::size_t i = 0; i < size; ++i) view.expect_bucket(bucket_of(hashes[i] = geo::id_hash(ids[begin + i])));
    for (std::size_t i = 0; i < size; ++i) {
      const geo::Bucket b = view.bucket(bucket_of(hashes[i]));
      view.expect_name(b.name + std::uint64_t{geo::place_in_bucket(hashes[i], b.seed, b.names)} * b.stride);
    }
    for (std::size_t i = 0; i < size; ++i) codes[begin + i] = state_->find(ids[begin + i], hashes[i]);
  }
}

std::optional<IndexedPlace> GeoIndex::place(PlaceCode code) const {
  const View& view = state_->view;
  if (code.inner == 0 || code.inner > inners(code.block)) return std::nullopt;
  const geo::Record r = view.record(view.first(code.block - 1) + std::uint64_t{code.inner - 1});
  if (r.retired()) return std::nullopt;
  return IndexedPlace{view.id_of(r), r.latitude, r.longitude, r.popularity, view.category(r.category())};
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
  std::sort(found.begin(), found.end(),
            [](const NearBlock& a, const NearBlock& b) { return a.km != b.km ? a.km < b.km : a.block < b.block; });
  return found;
}

void GeoIndex::check() const { geo::check(*this, state_->view); }

}  // namespace chronotope
