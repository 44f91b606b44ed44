// A geographic index: what it needs, how even it is, where its places lie.

#include <algorithm>
#include <limits>

#include "bars.hpp"
#include "parts.hpp"
#include "text.hpp"

namespace chronotope::report {
namespace {

std::string whole_of(std::uint64_t n) { return whole(static_cast<std::int64_t>(n)); }

std::string sentence(const GeoOccupancy& o) {
  return "<p>" + whole_of(o.index.places) + " places need " + whole_of(o.ids) +
         " ids: " + counted(o.index.blocks, "block", "blocks") + " and " +
         counted(o.index.largest_block, "inner id", "inner ids") + ", " + fixed(o.places_per_id, 1) +
         " places an id.</p>";
}

std::string fact(const std::string& name, const std::string& value) {
  return "<div><dt>" + name + "</dt><dd>" + value + "</dd></div>\n";
}

std::string facts(const GeoOccupancy& o) {
  const GeoIndexInfo& i = o.index;
  std::string items = fact("version", whole(i.version) + (i.parent ? ", made from " + whole(i.parent) : "")) +
                      fact("fingerprint", std::to_string(i.fingerprint)) +
                      fact("area of a cell", fixed(o.cell_km2, 2) + " km²") +
                      fact("codes retired", whole_of(i.retired)) +
                      fact("last change", whole_of(i.added) + " places and " + whole_of(i.new_blocks) +
                                              " blocks added, " + whole_of(i.removed) + " places removed");
  if (i.options.most_inner)
    items += fact("split above", counted(i.options.most_inner, "place", "places")) +
             fact("parts of cells", whole_of(o.split_blocks)) + fact("over-full", whole_of(o.over_full));
  items +=
      fact("places a block, mean", fixed(o.mean, 1)) + fact("places a block, median", whole_of(o.quantiles[2])) +
      fact("pairs of block and inner id used", fixed(100 * o.pairs_used, 2) + " %") +
      fact("inner ids that one block alone has", whole_of(o.unshared_inners) + " of " + whole_of(i.largest_block)) +
      fact("Gini coefficient of places, of popularity", fixed(o.gini_places, 3) + ", " + fixed(o.gini_popularity, 3)) +
      fact("as hard to tell apart as", fixed(o.effective_blocks, 1) + " equal blocks");
  return "<dl>" + items + "</dl>\n";
}

std::string histogram(const GeoOccupancy& o) {
  std::vector<Bar> bars;
  double most = 0;
  for (const OccupancyBin& b : o.histogram) {
    const double share = 100 * static_cast<double>(b.blocks) / static_cast<double>(o.index.blocks);
    most = std::max(most, share);
    bars.push_back({b.from == b.to ? whole_of(b.from) : whole_of(b.from) + " to " + whole_of(b.to), whole_of(b.blocks),
                    "model timed", false, share, share, share});
    bars.back().low = bars.back().high = std::numeric_limits<double>::quiet_NaN();
  }
  return bars_drawing(bars, {{0, most}, 0, "Blocks by the number of their places"});
}

std::string fullest(const GeoOccupancy& o) {
  std::string rows;
  for (const std::uint32_t i : o.largest) {
    const BlockUse& b = o.blocks[i];
    rows += "<tr><th>" + whole(b.block) + "</th><td>" + whole_of(b.places) + "</td><td>" + fixed(b.popularity, 0) +
            "</td><td>" + fixed((b.box.south + b.box.north) / 2, 3) + "</td><td>" +
            fixed((b.box.west + b.box.east) / 2, 3) + "</td></tr>\n";
  }
  return "<h3>Fullest blocks</h3><div "
         "class=\"scroll\"><table><thead><tr><th>block</th><th>places</th><th>popularity</th><th>latitude</th>"
         "<th>longitude</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

}  // namespace

std::string occupancy_part(const ReportContent& content) {
  if (!content.occupancy) return {};
  const GeoOccupancy& o = *content.occupancy;
  return section("Geographic index",
                 sentence(o) + "<div class=\"pair\"><div>" + figure("Where the places lie", occupancy_map(o)) +
                     "</div><div>" +
                     figure("Share of blocks (%) by their number of places; at the right how many", histogram(o)) +
                     fullest(o) + "</div></div>\n" + "<h3>Figures</h3>" + facts(o));
}

}  // namespace chronotope::report
