#pragma once
// Interest Clock (Zhu et al., "Interest Clock: Time Perception in Real-Time Streaming Recommendation System", SIGIR 2024).

#include <array>
#include <numbers>

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/ops/matmul.hpp"

namespace chronotope {

struct InterestClockOptions {
  double deviation = 1;  ///< of g, in hours
};

/// A clock of 24 preferences, one an hour, read around the request's hour h: sum_t g(h - t) v_t with the normal density g
/// of mean 0 over the distance round the clock (the paper's Gaussian clock).
/// Departs from the paper: v_t is the mean of the keys of the kept behaviours at hour t (there: embeddings of the three
/// genres, moods and languages that the user liked best at that hour, within 30 days); 0 for an hour without behaviours.
/// No parameters.
template <Backend B> class InterestClock {
 public:
  using backend = B;

  /// Throws ConfigError for a deviation that is not above 0.
  InterestClock(Context<B>&, const ClickWidths& widths, const InterestClockOptions& o = {}, DType = DType::f32) : widths_(widths) {
    if (!(o.deviation > 0)) throw ConfigError("the deviation of an interest clock must be above 0 hours");
    for (std::size_t d = 0; d < density_.size(); ++d) {
      const double z = static_cast<double>(d) / o.deviation;
      density_[d] = std::exp(-z * z / 2) / (std::sqrt(2 * std::numbers::pi) * o.deviation);
    }
  }

  std::int64_t width() const { return widths_.key; }

  /// [B, d_k]; zeros without behaviours.
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("interest_clock");
    const Tensor<B> keys = kept_keys(x, widths_);
    return squeeze(matmul(detail::upload(keys, weights(x.host), {keys.size(0), 1, keys.size(1)}), keys), 1);
  }

  template <class V> void visit(V&&) {}

 private:
  /// What each behaviour adds: the density of its hour over the number of behaviours at that hour.
  std::vector<double> weights(const ClickBatch& host) const {
    std::vector<std::array<double, 24>> count(static_cast<std::size_t>(host.samples), std::array<double, 24>{});
    const auto hour = [&](std::size_t at) { return detail::index_below("hour", host.behaviour_hour[at], 24); };
    for (std::size_t at = 0; at < host.valid.size(); ++at)
      if (host.valid[at]) ++count[at / static_cast<std::size_t>(host.kept)][hour(at)];
    return detail::of_kept<double>(host, [&](std::size_t sample, std::size_t at) {
      return density_[static_cast<std::size_t>(detail::clock_distance(host.hour[sample], host.behaviour_hour[at]))] / count[sample][hour(at)];
    });
  }

  ClickWidths widths_;
  std::array<double, 13> density_{};  ///< at 0 to 12 hours
};

}  // namespace chronotope
