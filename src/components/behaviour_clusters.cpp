#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "chronotope/components/behaviour/clusters.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

void check(std::size_t kept, std::size_t valid, std::size_t items, std::size_t categories) {
  if (items == valid && categories == valid && (kept ? valid % kept == 0 : valid == 0)) return;
  throw ShapeError("[behaviour clusters] " + std::to_string(valid) + " flags, " + std::to_string(items) + " items and " +
                   std::to_string(categories) + " categories for rows of " + std::to_string(kept) + " behaviours");
}

/// The items that occur more than once among those marked, ascending.
std::vector<std::int32_t> repeated(std::span<const std::uint8_t> valid, std::span<const std::int32_t> items) {
  std::vector<std::int32_t> known, out;
  for (std::size_t j = 0; j < items.size(); ++j)
    if (valid[j] && items[j] != 0) known.push_back(items[j]);
  std::sort(known.begin(), known.end());
  for (std::size_t j = 1; j < known.size(); ++j)
    if (known[j] == known[j - 1] && (out.empty() || out.back() != known[j])) out.push_back(known[j]);
  return out;
}

}  // namespace

BehaviourClusters::BehaviourClusters(std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::int32_t> items,
                                     std::span<const std::int32_t> categories)
    : row(valid.size()), size(valid.size()) {
  const auto k = static_cast<std::size_t>(kept);
  check(k, valid.size(), items.size(), categories.size());
  for (std::size_t first = 0; first < valid.size(); first += k) {
    const std::vector<std::int32_t> own = repeated(valid.subspan(first, k), items.subspan(first, k));
    std::map<std::pair<bool, std::int32_t>, std::size_t> clusters;  // (by item, its id) -> row
    for (std::size_t at = first; at < first + k; ++at) {
      row[at] = static_cast<std::int32_t>(first);
      if (!valid[at]) continue;
      const bool by_item = std::binary_search(own.begin(), own.end(), items[at]);
      const std::size_t next = first + clusters.size();
      const std::size_t found = clusters.try_emplace({by_item, by_item ? items[at] : categories[at]}, next).first->second;
      row[at] = static_cast<std::int32_t>(found);
      ++size[found];
    }
  }
}

}  // namespace chronotope
