// The occupancy of an index as text.

#include "chronotope/eval/geo_occupancy.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using text_table::fixed;
using text_table::Row;

std::string whole(std::uint64_t n) { return std::to_string(n); }

std::string range(const OccupancyBin& bin) {
  return bin.from == bin.to ? whole(bin.from) : whole(bin.from) + " to " + whole(bin.to);
}

std::string facts(const GeoOccupancy& o) {
  std::string text = version_line(o.index) + "\nblocks: cells of " + fixed(o.cell_km2, 2) + " km2 (" +
                     fixed(o.index.options.block_km, 1) + " km)";
  if (o.index.options.most_inner)
    text += ", split above " + whole(o.index.options.most_inner) + " places: " + whole(o.split_blocks) +
            " are parts of cells, " + whole(o.over_full) + " over-full";
  text += "\nids needed: " + whole(o.index.blocks) + " blocks + " + whole(o.index.largest_block) +
          " inner ids = " + whole(o.ids) + " for " + whole(o.index.places) + " places: " + fixed(o.places_per_id, 1) +
          " places an id\n";
  text += "pairs (block, inner id) used: " + fixed(100 * o.pairs_used, 2) +
          " %; inner ids that one block alone has: " + whole(o.unshared_inners) + " of " +
          whole(o.index.largest_block) + "\n";
  return text + "balance: Gini of places " + fixed(o.gini_places, 3) + ", of popularity " +
         fixed(o.gini_popularity, 3) + "; as hard to tell apart as " + fixed(o.effective_blocks, 1) + " equal blocks\n";
}

std::string spread_of(const GeoOccupancy& o) {
  std::string text = "places a block: mean " + fixed(o.mean, 1);
  const char* const names[] = {"least", "25 %", "50 %", "75 %", "90 %", "99 %", "most"};
  for (std::size_t i = 0; i < o.quantiles.size(); ++i)
    text += std::string(", ") + names[i] + " " + whole(o.quantiles[i]);
  std::vector<Row> rows{{"places", "blocks", "places in them"}};
  for (const OccupancyBin& bin : o.histogram) rows.push_back({range(bin), whole(bin.blocks), whole(bin.places)});
  return text + "\n\n" + text_table::align(rows);
}

std::string largest(const GeoOccupancy& o) {
  std::vector<Row> rows{{"fullest blocks", "places", "popularity", "latitude", "longitude"}};
  for (const std::uint32_t i : o.largest) {
    const BlockUse& b = o.blocks[i];
    rows.push_back({whole(b.block), whole(b.places), fixed(b.popularity, 0), fixed((b.box.south + b.box.north) / 2, 3),
                    fixed((b.box.west + b.box.east) / 2, 3)});
  }
  return text_table::align(rows);
}

}  // namespace

std::string version_line(const GeoIndexInfo& i) {
  return "version " + whole(i.version) + (i.parent ? " (of " + whole(i.parent) + ")" : "") + ": " + whole(i.places) +
         " places in " + whole(i.blocks) + " blocks, " + whole(i.retired) + " codes retired; " + whole(i.added) +
         " places and " + whole(i.new_blocks) + " blocks added, " + whole(i.removed) + " places removed; fingerprint " +
         whole(i.fingerprint);
}

std::string occupancy_table(const GeoOccupancy& o) { return facts(o) + spread_of(o) + "\n" + largest(o); }

}  // namespace chronotope
