#pragma once
// STIM's behaviour module: queries of the request meet the kept behaviours under forgetting masks (STIM, Figure 2).

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/components/forgetting_mask.hpp"
#include "chronotope/components/hmin.hpp"

namespace chronotope {

/// What the curves count time in.
enum class ForgettingTime : std::uint8_t {
  position,  ///< places back from the newest behaviour, the paper's
  days       ///< back from the request
};

/// The kept behaviours of a batch as forgetting curves see them.
inline ReviewPoints review_points(const ClickBatch& b, ForgettingTime time) {
  if (time == ForgettingTime::days) return ReviewPoints(b.materials, b.kept, b.valid, b.review, b.age);
  return ReviewPoints(b.materials, b.kept, b.valid, b.review);
}

struct StimOptions {
  ForgettingTime time = ForgettingTime::position;
  bool mean_mask = false;  ///< every query under the mean of the masks rather than under each
};

/// A BehaviourModule of any mask, query and unit. [B, width()]: each query's interests under each mask.
template <BehaviourMask M, RequestQuery Q, InterestUnit U>
  requires SameBackend<M, Q> && SameBackend<Q, U>
class StimInterest {
 public:
  using backend = typename M::backend;
  using Tensors = Tensor<backend>;

  StimInterest(M mask, Q query, U unit, const StimOptions& options = {})
      : mask(std::move(mask)), query(std::move(query)), unit(std::move(unit)), options_(options) {}

  std::int64_t width() const { return unit.width(query.queries(), options_.mean_mask ? 1 : mask.materials()); }

  Tensors operator()(const ClickInputs<backend>& in) const {
    const ModuleScope scope("stim");
    const Tensors masks = mask(review_points(in.host, options_.time));
    return unit(query(in.request), in.keys, options_.mean_mask ? mean(masks, 1, true) : masks, in.valid);
  }

  template <class V> void visit(V&& v) {
    v("mask", mask);
    v("query", query);
    v("unit", unit);
  }

  M mask;
  Q query;
  U unit;

 private:
  StimOptions options_;
};

}  // namespace chronotope
