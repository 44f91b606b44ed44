#include "chronotope/data/geo_occupancy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace chronotope {
namespace {

/// Half the mean difference of two draws over the mean: sum of (2 i - n - 1) x_i over n times the sum, x rising.
double gini(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double sum = 0, weighted = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    weighted += (2 * static_cast<double>(i + 1) - n - 1) * values[i];
  }
  return sum > 0 ? weighted / (n * sum) : std::numeric_limits<double>::quiet_NaN();
}

double effective_count(const std::vector<BlockUse>& blocks, double places) {
  double entropy = 0;
  for (const BlockUse& b : blocks) {
    const double share = static_cast<double>(b.places) / places;
    if (share > 0) entropy -= share * std::log(share);
  }
  return places > 0 ? std::exp(entropy) : 0;
}

void read_blocks(const GeoIndex& index, GeoOccupancy& o) {
  for (std::uint32_t block = 1; block <= index.blocks(); ++block) {
    BlockUse use{block, 0, 0, index.box(block)};
    const std::uint32_t inners = index.inners(block);
    for (std::uint32_t inner = 1; inner <= inners; ++inner)
      if (const auto place = index.place({block, inner})) ++use.places, use.popularity += place->popularity;
    o.split_blocks += index.level(block) > 0;
    o.over_full += o.index.options.most_inner > 0 && use.places > o.index.options.most_inner;
    o.blocks.push_back(use);
  }
}

/// Inner ids beyond the last one of the second largest block.
std::uint64_t unshared(const GeoIndex& index) {
  std::uint32_t largest = 0, second = 0;
  for (std::uint32_t block = 1; block <= index.blocks(); ++block) {
    const std::uint32_t n = index.inners(block);
    second = std::max(second, std::min(largest, n));
    largest = std::max(largest, n);
  }
  return largest - second;
}

void spread_out(GeoOccupancy& o) {
  std::vector<std::uint64_t> counts;
  for (const BlockUse& b : o.blocks) counts.push_back(b.places);
  std::sort(counts.begin(), counts.end());
  for (const double level : GeoOccupancy::quantile_levels)
    o.quantiles.push_back(counts[static_cast<std::size_t>(std::ceil(level * static_cast<double>(counts.size() - 1)))]);
  for (const std::uint64_t n : counts) {
    const int bits = std::bit_width(n);
    const std::uint64_t from = n == 0 ? 0 : std::uint64_t{1} << (bits - 1);
    if (o.histogram.empty() || o.histogram.back().from != from)
      o.histogram.push_back({from, n == 0 ? 0 : 2 * from - 1, 0, 0});
    ++o.histogram.back().blocks;
    o.histogram.back().places += n;
  }
}

void balance(GeoOccupancy& o) {
  std::vector<double> places, popularity;
  for (const BlockUse& b : o.blocks)
    places.push_back(static_cast<double>(b.places)), popularity.push_back(b.popularity);
  o.gini_places = gini(std::move(places));
  o.gini_popularity = gini(std::move(popularity));
  o.effective_blocks = effective_count(o.blocks, static_cast<double>(o.index.places));
}

std::vector<std::uint32_t> fullest(const std::vector<BlockUse>& blocks) {
  std::vector<std::uint32_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  const std::size_t shown = std::min<std::size_t>(10, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&](auto a, auto b) {
                      return blocks[a].places != blocks[b].places ? blocks[a].places > blocks[b].places : a < b;
                    });
  order.resize(shown);
  return order;
}

}  // namespace

GeoOccupancy geo_occupancy(const GeoIndex& index) {
  GeoOccupancy o;
  o.index = index.info();
  o.cell_km2 = index.grid().cell_km2();
  read_blocks(index, o);
  const auto places = static_cast<double>(o.index.places), blocks = static_cast<double>(o.index.blocks);
  o.ids = std::uint64_t{o.index.blocks} + o.index.largest_block;
  o.places_per_id = places / static_cast<double>(o.ids);
  o.pairs_used = places / (blocks * o.index.largest_block);
  o.unshared_inners = unshared(index);
  o.mean = places / blocks;
  spread_out(o);
  balance(o);
  o.largest = fullest(o.blocks);
  return o;
}

}  // namespace chronotope
