#pragma once
// The two simplest behaviour modules: nothing, and the mean of what the search kept.

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

/// Zeros of width d_k: what a model knows without behaviours, under a head of the same size as the others'.
template <Backend B> class NoBehaviours {
 public:
  using backend = B;
  NoBehaviours(Context<B>&, const ClickWidths& widths, DType dtype = DType::f32) : width_(widths.key), dtype_(dtype) {}

  std::int64_t width() const { return width_; }
  Tensor<B> operator()(const ClickInputs<B>& x) const { return full<B>(x.valid.state(), {x.valid.size(0), width_}, 0, dtype_); }
  template <class V> void visit(V&&) {}

 private:
  std::int64_t width_;
  DType dtype_;
};

/// "GSU only" of STIM's Table 1: the mean of the kept behaviours' keys, zeros where there are none. No parameters.
template <Backend B> class GsuPooling {
 public:
  using backend = B;
  GsuPooling(Context<B>&, const ClickWidths& widths, DType = DType::f32) : widths_(widths) {}

  std::int64_t width() const { return widths_.key; }
  Tensor<B> operator()(const ClickInputs<B>& x) const {
    const ModuleScope scope("gsu_pooling");
    const Tensor<B> total = sum(kept_keys(x, widths_), 1), count = sum(cast(x.valid, x.keys.dtype()), 1, true);
    return total / maximum(count, scalar_like(count, 1));
  }
  template <class V> void visit(V&&) {}

 private:
  ClickWidths widths_;
};

}  // namespace chronotope
