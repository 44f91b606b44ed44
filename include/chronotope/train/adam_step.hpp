#pragma once
// The update of one tensor: fused where the backend has it, composed elsewhere. In place: optimizers and rope_in_place
// are the only places where a tensor changes after it was made.

#include "chronotope/backend/fused.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void overwrite(const Tensor<B>& target, const Tensor<B>& values) {
  if (target.elements()) B::copy(target.stream(), target.view(), values.view());
}

/// New m, v and p from old ones, as tensors; the specification of the fused hooks.
template <Backend B> struct AdamResult {
  Tensor<B> p, m, v;
  AdamResult(const Tensor<B>& p_old, const Tensor<B>& m_old, const Tensor<B>& v_old, const Tensor<B>& g_raw, const AdamStep& s) {
    const Tensor<B> g = g_raw * s.grad_scale;
    m = m_old * s.beta1 + g * (1 - s.beta1);
    v = v_old * s.beta2 + g * g * (1 - s.beta2);
    p = p_old - p_old * (s.lr * s.weight_decay) - (m / s.correction1) / (sqrt(v / s.correction2) + s.eps) * s.lr;
  }
};

}  // namespace detail

/// p, m, v become those after the step, with gradient g of the same shape.
template <Backend B> void adam(const Tensor<B>& p, const Tensor<B>& m, const Tensor<B>& v, const Tensor<B>& g, const AdamStep& step) {
  if constexpr (requires { &B::try_adamw; }) {
    if (B::try_adamw(p.stream(), p.view(), m.view(), v.view(), dense(g).view(), step)) return;
  }
  const detail::AdamResult<B> now(p.detach(), m, v, g, step);
  detail::overwrite(m, now.m);
  detail::overwrite(v, now.v);
  detail::overwrite(p, now.p);
}

/// A parameter with its moments and the gradient of a step, all of one shape.
template <Backend B> struct AdamTensors {
  Tensor<B> p, m, v, g;
};

/// adam() of each; one launch on a device.
template <Backend B> void adam_many(const std::vector<AdamTensors<B>>& all, const AdamStep& step) {
  if constexpr (requires { &B::try_adamw_many; }) {
    std::vector<Tensor<B>> gradients;
    std::vector<AdamViews> views;
    for (const AdamTensors<B>& x : all) {
      gradients.push_back(dense(x.g));
      views.push_back({x.p.view(), x.m.view(), x.v.view(), gradients.back().view()});
    }
    if (!all.empty() && B::try_adamw_many(all[0].p.stream(), views, step)) return;
  }
  for (const AdamTensors<B>& x : all) adam(x.p, x.m, x.v, x.g, step);
}

/// The same for rows `ids` [U] i32 (unique) only, with gradients g [U, ...].
template <Backend B>
void adam_rows(const Tensor<B>& p, const Tensor<B>& m, const Tensor<B>& v, const Tensor<B>& ids, const Tensor<B>& g, const AdamStep& step) {
  if (ids.elements() == 0) return;
  if constexpr (requires { &B::try_adamw_rows; }) {
    if (B::try_adamw_rows(p.stream(), p.view(), m.view(), v.view(), ids.view(), g.view(), step)) return;
  }
  const Tensor<B> p0 = gather(p.detach(), ids), m0 = gather(m, ids), v0 = gather(v, ids);
  const detail::AdamResult<B> now(p0, m0, v0, g, step);
  // No primitive writes rows, so the change is added: the old row cancels to within one rounding.
  const auto put = [&](const Tensor<B>& table, const Tensor<B>& before, const Tensor<B>& after) {
    B::scatter_add(table.stream(), table.view(), ids.view(), (after - before).view());
  };
  put(m, m0, now.m);
  put(v, v0, now.v);
  put(p, p0, now.p);
}

}  // namespace chronotope
