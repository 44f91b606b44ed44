// The occupancy of an index as JSON.

#include <nlohmann/json.hpp>

#include "chronotope/eval/geo_occupancy.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

Json index_json(const GeoIndexInfo& i) {
  return {{"version", i.version},
          {"parent", i.parent},
          {"fingerprint", std::to_string(i.fingerprint)},
          {"parent_fingerprint", std::to_string(i.parent_fingerprint)},
          {"block_km", i.options.block_km},
          {"most_inner", i.options.most_inner},
          {"places", i.places},
          {"retired", i.retired},
          {"blocks", i.blocks},
          {"largest_block", i.largest_block},
          {"added", i.added},
          {"removed", i.removed},
          {"new_blocks", i.new_blocks}};
}

Json quantiles_json(const GeoOccupancy& o) {
  Json quantiles = Json::array();
  for (std::size_t i = 0; i < o.quantiles.size(); ++i)
    quantiles.push_back({{"level", GeoOccupancy::quantile_levels[i]}, {"places", o.quantiles[i]}});
  return quantiles;
}

Json histogram_json(const GeoOccupancy& o) {
  Json bins = Json::array();
  for (const OccupancyBin& b : o.histogram)
    bins.push_back({{"from", b.from}, {"to", b.to}, {"blocks", b.blocks}, {"places", b.places}});
  return bins;
}

Json largest_json(const GeoOccupancy& o) {
  Json list = Json::array();
  for (const std::uint32_t i : o.largest) {
    const BlockUse& b = o.blocks[i];
    list.push_back({{"block", b.block},
                    {"places", b.places},
                    {"popularity", b.popularity},
                    {"south", b.box.south},
                    {"north", b.box.north},
                    {"west", b.box.west},
                    {"east", b.box.east}});
  }
  return list;
}

}  // namespace

std::string occupancy_json(const GeoOccupancy& o) {
  const Json all{{"index", index_json(o.index)},
                 {"cell_km2", o.cell_km2},
                 {"split_blocks", o.split_blocks},
                 {"over_full", o.over_full},
                 {"ids", o.ids},
                 {"places_per_id", o.places_per_id},
                 {"pairs_used", o.pairs_used},
                 {"unshared_inners", o.unshared_inners},
                 {"mean", o.mean},
                 {"quantiles", quantiles_json(o)},
                 {"histogram", histogram_json(o)},
                 {"gini_places", o.gini_places},
                 {"gini_popularity", o.gini_popularity},
                 {"effective_blocks", o.effective_blocks},
                 {"largest", largest_json(o)}};
  return all.dump(2) + "\n";
}

}  // namespace chronotope
