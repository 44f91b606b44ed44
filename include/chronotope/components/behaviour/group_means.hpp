#pragma once
// Means over groups of kept behaviours.

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/ops/index.hpp"

namespace chronotope {

/// Groups of B samples, each a mean of some of its sample's keys.
template <Backend B> struct GroupMeans {
  Tensor<B> means;  ///< [B, groups, d_k]; 0 for a group of nothing
  Tensor<B> there;  ///< [B, groups] u8

  /// keys [B, k, d_k] with zeros in padding; row [B k]: sample * groups + group of each behaviour, of padding any row; size
  /// [B groups]: behaviours of each.
  GroupMeans(const Tensor<B>& keys, const std::vector<std::int32_t>& row, const std::vector<std::int32_t>& size) {
    const auto rows = static_cast<std::int64_t>(size.size()), samples = keys.size(0), width = keys.size(2);
    const std::int64_t groups = samples ? rows / samples : 0;
    std::vector<double> share;
    std::vector<std::uint8_t> any;
    for (std::int32_t n : size) share.push_back(1.0 / std::max(n, 1)), any.push_back(n > 0);
    const Tensor<B> nothing = full<B>(keys.state(), {rows, width}, 0, keys.dtype());
    const Tensor<B> sums = scatter_add(nothing, detail::upload(keys, row, {samples * keys.size(1)}), reshape(keys, {-1, width}));
    means = reshape(sums * detail::upload(keys, share, {rows, 1}), {samples, groups, width});
    there = detail::upload(keys, any, {samples, groups});
  }
};

}  // namespace chronotope
