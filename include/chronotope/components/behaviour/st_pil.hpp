#pragma once
// ST-PIL (Cui et al., "ST-PIL: Spatial-Temporal Periodic Interest Learning for Next Point-of-Interest Recommendation",
// CIKM 2021).

#include "chronotope/components/behaviour/group_means.hpp"
#include "chronotope/components/behaviour/target_attention.hpp"

namespace chronotope {

struct StPilOptions {
  std::size_t request_region = 0, behaviour_region = 0;  ///< columns of ClickBatch::ids and ::behaviour_ids; id 0 is nowhere
  std::int32_t hours = 1;                                ///< the most that is near on the clock
};

/// Long-term: the kept behaviours of each day of the week are one daily interest, over which the request attends
/// (intra-level). Short-term: the request attends over the behaviours near its hour, over those in its region, and over
/// those near in both (hourly, areal, hourly-areal). Inter-level attention then joins the four interests.
/// Departs from the paper: both modules see the behaviours that the search kept (there: all, and the current trajectory);
/// a daily interest is a mean; the request, not the last visit, asks; one head of scaled products in every attention.
template <Backend B> class StPil {
 public:
  using backend = B;

  StPil(Context<B>& context, const ClickWidths& widths, const StPilOptions& o, DType dtype = DType::f32)
      : daily(context, widths.request(), widths.key, 1, dtype), near(context, widths.request(), widths.key, 1, dtype),
        levels(context, widths.request(), widths.key, 1, dtype), widths_(widths), options_(o) {}

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours. Throws ShapeError when the batch lacks a column.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("st_pil");
    const Tensor<B> keys = kept_keys(x, widths_), asks = x.request.whole();
    const std::vector<std::uint8_t> masks = short_masks(x.host);
    const Tensor<B> hidden = near.weights(near.weights.queries(asks), keys, detail::upload(keys, masks, {keys.size(0), 3, keys.size(1)}));
    const Tensor<B> short_term = near.values(unsqueeze(matmul(hidden, keys), 2));  // [B, 3, d_k]
    const Tensor<B> all = concat(std::vector<Tensor<B>>{unsqueeze(long_term(x.host, keys, asks), 1), short_term}, 1);
    return levels(asks, all, detail::upload(keys, levels_there(x.host, masks), {keys.size(0), 4}));
  }

  template <class V> void visit(V&& v) { v("daily", daily), v("near", near), v("levels", levels); }

  TargetAttention<B> daily, near, levels;

 private:
  static constexpr std::int32_t days = 7;

  /// [B, d_k] from the means of the days of the week.
  Tensor<B> long_term(const ClickBatch& host, const Tensor<B>& keys, const Tensor<B>& asks) const {
    const auto row = detail::of_kept<std::int32_t>(host, [&](std::size_t sample, std::size_t at) {
      return static_cast<std::int32_t>(sample * days + detail::index_below("weekday", host.behaviour_weekday[at], days));
    });
    std::vector<std::int32_t> size(static_cast<std::size_t>(host.samples) * days);
    for (std::size_t at = 0; at < row.size(); ++at)
      if (host.valid[at]) ++size[static_cast<std::size_t>(row[at])];
    const GroupMeans<B> groups(keys, row, size);
    return daily(asks, groups.means, groups.there);
  }

  /// [B, 3, k] near in hour, in region, in both.
  std::vector<std::uint8_t> short_masks(const ClickBatch& host) const {
    if (options_.request_region >= host.ids.size() || options_.behaviour_region >= host.behaviour_ids.size())
      throw ShapeError("[st_pil] regions in columns " + std::to_string(options_.request_region) + " and " + std::to_string(options_.behaviour_region) +
                       " of " + std::to_string(host.ids.size()) + " and " + std::to_string(host.behaviour_ids.size()));
    const auto &own = host.ids[options_.request_region], &theirs = host.behaviour_ids[options_.behaviour_region];
    const auto k = static_cast<std::size_t>(host.kept);
    std::vector<std::uint8_t> masks(3 * host.valid.size());
    for (std::size_t at = 0; at < host.valid.size(); ++at) {
      if (!host.valid[at]) continue;
      const std::size_t sample = at / k, first = sample * 3 * k + at % k;
      masks[first] = detail::clock_distance(host.hour[sample], host.behaviour_hour[at]) <= options_.hours;
      masks[first + k] = own[sample] != 0 && own[sample] == theirs[at];
      masks[first + 2 * k] = masks[first] && masks[first + k];
    }
    return masks;
  }

  /// [B, 4] which interests there are: the long-term one, then the short-term ones.
  static std::vector<std::uint8_t> levels_there(const ClickBatch& host, const std::vector<std::uint8_t>& masks) {
    const auto k = static_cast<std::size_t>(host.kept);
    std::vector<std::uint8_t> there(4 * static_cast<std::size_t>(host.samples));
    for (std::size_t at = 0; at < host.valid.size(); ++at) {
      if (!host.valid[at]) continue;
      std::uint8_t* own = &there[at / k * 4];
      own[0] = 1;
      for (std::size_t s = 0; s < 3; ++s) own[1 + s] |= masks[at / k * 3 * k + s * k + at % k];
    }
    return there;
  }

  ClickWidths widths_;
  StPilOptions options_;
};

}  // namespace chronotope
