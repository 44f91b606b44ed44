// AdamW in one pass over memory: of one parameter, of many in one launch, and of some rows.
#include <cmath>
#include <vector>

#include "fused.hpp"
#include "ids.hpp"
#include "map.hpp"
#include "rows.hpp"

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

/// One parameter, dense, and which chunk of all parameters' chunks is its first.
template <class T> struct Slot {
  T *p, *m, *v;
  const T* g;
  std::int64_t n, first;
  bool packed;  ///< all four lie by 16 bytes

  static constexpr int pack = 16 / sizeof(T);
  Slot(const AdamViews& x, std::int64_t first_chunk)
      : p(x.p.as<T>()), m(x.m.as<T>()), v(x.v.as<T>()), g(x.g.as<T>()), n(x.p.elements()), first(first_chunk),
        packed(fits_packs<T, pack>(p) && fits_packs<T, pack>(m) && fits_packs<T, pack>(v) && fits_packs<T, pack>(g)) {}
};

constexpr int threads = 256, chunk = 2048;

/// The elements of one chunk by a block: 16 bytes at a time where all four lie so, and what is left one by one. 28 bytes an element.
template <class T> __device__ void update_chunk(const Slot<T>& s, std::int64_t number, const Adam<T>& adam) {
  constexpr int V = Slot<T>::pack;
  const std::int64_t begin = (number - s.first) * chunk, end = begin + chunk < s.n ? begin + chunk : s.n;
  const std::int64_t packs = s.packed ? (end - begin) / V : 0;
  for (std::int64_t i = threadIdx.x; i < packs; i += threads) {
    const std::int64_t at = begin / V + i;
    Pack<T, V> p = reinterpret_cast<Pack<T, V>*>(s.p)[at], m = reinterpret_cast<Pack<T, V>*>(s.m)[at], v = reinterpret_cast<Pack<T, V>*>(s.v)[at];
    const Pack<T, V> g = reinterpret_cast<const Pack<T, V>*>(s.g)[at];
    for (int j = 0; j < V; ++j) adam.update(p.value[j], m.value[j], v.value[j], g.value[j]);
    reinterpret_cast<Pack<T, V>*>(s.p)[at] = p;
    reinterpret_cast<Pack<T, V>*>(s.m)[at] = m;
    reinterpret_cast<Pack<T, V>*>(s.v)[at] = v;
  }
  for (std::int64_t i = begin + packs * V + threadIdx.x; i < end; i += threads) adam.update(s.p[i], s.m[i], s.v[i], s.g[i]);
}

template <class T> __global__ void update_one(Slot<T> slot, std::int64_t chunks, Adam<T> adam) {
  for (std::int64_t c = blockIdx.x; c < chunks; c += gridDim.x) update_chunk(slot, c, adam);
}

/// Slots in ascending order of their first chunks; none is empty.
template <class T> __global__ void update_many(const Slot<T>* slots, int count, std::int64_t chunks, Adam<T> adam) {
  for (std::int64_t c = blockIdx.x; c < chunks; c += gridDim.x) {
    int low = 0, high = count;  // the last slot that begins at or before c is in [low, high)
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      if (slots[middle].first <= c) low = middle;
      else high = middle;
    }
    update_chunk(slots[low], c, adam);
  }
}

std::int64_t chunks_of(const View& p) { return (p.elements() + chunk - 1) / chunk; }

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
  if (!are_dense(p, m, v, g)) return false;
  const std::int64_t chunks = chunks_of(p);
  if (chunks == 0) return true;
  with_floating(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(queue, "adamw", update_one<T>, blocks_for(chunks, 1), threads, Slot<T>({p, m, v, g}, 0), chunks, Adam<T>(step));
  });
  return true;
}

bool adamw_many(const Queue& queue, cuda_backend::stream& s, std::span<const AdamViews> all, const AdamStep& step) {
  for (const AdamViews& x : all)
    if (x.p.dtype != all[0].p.dtype || !are_dense(x.p, x.m, x.v, x.g)) return false;
  if (all.empty()) return true;
  with_floating(all[0].p.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<Slot<T>> slots;
    std::int64_t chunks = 0;
    for (const AdamViews& x : all) {
      if (x.p.elements() > 0) slots.emplace_back(x, chunks);
      chunks += chunks_of(x.p);
    }
    if (slots.empty()) return;
    const std::size_t bytes = slots.size() * sizeof(Slot<T>);
    const Scratch table(queue, bytes, "adamw_many");
    cuda_backend::upload(s, table.as<void>(), slots.data(), bytes);
    launch(queue, "adamw_many", update_many<T>, blocks_for(chunks, 1), threads, table.as<Slot<T>>(), static_cast<int>(slots.size()), chunks, Adam<T>(step));
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
