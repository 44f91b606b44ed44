#pragma once
// Kept behaviours put together by what they were about.

#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// The clusters of B samples' k behaviours. Behaviours of an item that occurs more than once in the sample are one
/// cluster; those of items that occur once are put together by category. Item 0 (not known) counts as an item that occurs
/// once, category 0 as a category.
struct BehaviourClusters {
  std::vector<std::int32_t> row;    ///< [B k] sample * k + cluster of the behaviour; clusters count from 0 in the order of
                                    ///< their oldest behaviour. sample * k in padding
  std::vector<std::int32_t> size;   ///< [B k] behaviours of cluster row; 0 where there is no such cluster

  /// valid, items, categories [B k]. O(B k log k). Throws ShapeError when sizes contradict.
  BehaviourClusters(std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::int32_t> items,
                    std::span<const std::int32_t> categories);
};

}  // namespace chronotope
