// AdamW in one pass over memory, dense and by rows.
#include <cmath>

#include "fused.hpp"
#include "ids.hpp"
#include "rows.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

/// A step's constants in the parameter's dtype. The parameter moves by the sum of decay and step, added to it once:
/// rounding 1 - lr * weight_decay to a float would lose most of the digits of a small decay.
template <class T> struct Adam {
  T grad_scale, beta1, rest1, beta2, rest2, decay, rate, correction2, eps;

  explicit Adam(const AdamStep& s)
      : grad_scale(static_cast<T>(s.grad_scale)),
        beta1(static_cast<T>(s.beta1)),
        rest1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        rest2(static_cast<T>(1 - s.beta2)),
        decay(static_cast<T>(-s.lr * s.weight_decay)),
        rate(static_cast<T>(-s.lr / s.correction1)),
        correction2(static_cast<T>(1 / s.correction2)),
        eps(static_cast<T>(s.eps)) {}

  __device__ void update(T& p, T& m, T& v, T raw) const {
    const T g = raw * grad_scale, mean = beta1 * m + rest1 * g, square = beta2 * v + rest2 * (g * g), old = p;
    m = mean;
    v = square;
    p = old + (decay * old + rate * mean / (std::sqrt(square * correction2) + eps));
  }
};

template <class T> __global__ void update_all(std::int64_t n, Adam<T> adam, T* p, T* m, T* v, const T* g) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) adam.update(p[i], m[i], v[i], g[i]);
}

template <class T> struct UpdateRows {
  std::int64_t columns;
  Adam<T> adam;
  Ids ids;
  Rows<T> p, m, v, g;

  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t id = ids.at(r);
    if (!ids.inside(id)) {
      if (threadIdx.x == 0) ids.report(id, r);
      return;
    }
    T *param = p.row(id), *mean = m.row(id), *square = v.row(id);
    const T* grad = g.row(r);
    each_element<Team>(columns, [&](std::int64_t i) { adam.update(param[i], mean[i], square[i], grad[i]); });
  }
};

}  // namespace

bool adamw(const Queue& queue, const View& p, const View& m, const View& v, const View& g, const AdamStep& step) {
  constexpr int threads = 256;
  if (!are_dense(p, m, v, g)) return false;
  const std::int64_t n = p.elements();
  if (n == 0) return true;
  with_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(queue, "adamw", update_all<T>, blocks_for(n, threads), threads, n, Adam<T>(step), p.as<T>(), m.as<T>(), v.as<T>(), g.as<T>());
  });
  return true;
}

bool adamw_rows(const Queue& queue, const View& p, const View& m, const View& v, const View& ids, const View& g, const AdamStep& step) {
  if (!are_like_rows(p, m, v) || !is_rows(g) || g.dtype != p.dtype || g.shape[1] != p.shape[1]) return false;
  if (ids.dtype != DType::i32 || !(ids.shape == Shape{g.shape[0]})) return false;
  with_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const UpdateRows<T> task{p.shape[1], Adam<T>(step), Ids(queue, ids, p.shape[0], false), Rows<T>(p), Rows<T>(m), Rows<T>(v), Rows<T>(g)};
    for_rows(queue, "adamw_rows", g.shape[0], g.shape[1], task);
  });
  return true;
}

}  // namespace chronotope::cuda
