#pragma once
// TWIN V2 (Si et al., "TWIN V2: Scaling Ultra-Long User Behavior Sequence Modeling for Enhanced CTR Prediction at Kuaishou",
// CIKM 2024).

#include "chronotope/components/behaviour/clusters.hpp"
#include "chronotope/components/behaviour/group_means.hpp"
#include "chronotope/components/behaviour/target_attention.hpp"

namespace chronotope {

struct TwinV2Options {
  std::int64_t heads = 4;                ///< must divide d_k
  std::size_t item = 0, category = 1;    ///< columns of ClickBatch::behaviour_ids (column_of finds them)
};

/// Behaviours are clustered, a cluster is the mean of its keys, and the request attends over the clusters with the
/// logarithm of a cluster's size added to its score, so that a cluster of n counts as n behaviours (section
/// "Cluster-aware Target Attention").
/// Departs from the paper: clusters are those of BehaviourClusters (same item, else same category) over what the search
/// kept, there: hierarchical k-means over the whole life; the request stands for the candidate; no cross features of user
/// and item in the score.
template <Backend B> class TwinV2 {
 public:
  using backend = B;

  TwinV2(Context<B>& context, const ClickWidths& widths, const TwinV2Options& o = {}, DType dtype = DType::f32)
      : attention(context, widths.request(), widths.key, o.heads, dtype), widths_(widths), options_(o) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours. Throws ShapeError when the batch lacks a column.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("twin_v2");
    const BehaviourClusters clusters = clusters_of(x.host);
    const Tensor<B> keys = kept_keys(x, widths_);
    std::vector<double> log_size;
    for (std::int32_t n : clusters.size) log_size.push_back(std::log(std::max(n, 1)));
    const GroupMeans<B> groups(keys, clusters.row, clusters.size);
    return attention(x.request.whole(), groups.means, groups.there, detail::upload(keys, log_size, {keys.size(0), 1, keys.size(1)}));
  }

  template <class V> void visit(V&& v) { attention.visit(v); }

  TargetAttention<B> attention;

 private:
  BehaviourClusters clusters_of(const ClickBatch& host) const {
    const auto& ids = host.behaviour_ids;
    if (std::max(options_.item, options_.category) >= ids.size())
      throw ShapeError("[twin_v2] items in column " + std::to_string(options_.item) + " and categories in " + std::to_string(options_.category) +
                       " of " + std::to_string(ids.size()) + " columns of behaviours");
    return BehaviourClusters(host.kept, host.valid, ids[options_.item], ids[options_.category]);
  }

  ClickWidths widths_;
  TwinV2Options options_;
};

}  // namespace chronotope
