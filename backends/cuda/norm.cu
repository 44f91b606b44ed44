// Root mean square norm and layer norm over rows.
#include <cmath>

#include "column_sums.hpp"
#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T, int V> struct RmsNorm {
  std::int64_t columns;
  Rows<T> y, x;
  T *inv, eps;
  const T* w;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T* in = x.row(r);
    const T squares = over_row<Sum<T>, Team, V>(columns, [](T a) { return a * a; }, in);
    const T scale = T{1} / std::sqrt(squares / static_cast<T>(columns) + eps);
    if (threadIdx.x == 0) inv[r] = scale;
    map_row<Team, V>(columns, y.row(r), [&](T a, T weight) { return a * scale * weight; }, in, w);
  }
};

// dx = inv (dy w - x inv^2 mean(dy w x)), dw = sum over rows of dy x inv
template <class T, int V> struct RmsNormBackward {
  std::int64_t columns;
  Rows<T> dx, dy, x;
  const T *w, *inv;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *in = x.row(r), *grad = dy.row(r), scale = inv[r];
    const T dot = over_row<Sum<T>, Team, V>(columns, [](T g, T weight, T a) { return g * weight * a; }, grad, w, in);
    const T pull = dot / static_cast<T>(columns) * scale * scale * scale;
    map_row<Team, V>(columns, dx.row(r), [&](T g, T weight, T a) { return g * scale * weight - a * pull; }, grad, w, in);
  }
  __device__ std::array<T, 1> values(std::int64_t r, std::int64_t i) const { return {dy.row(r)[i] * x.row(r)[i] * inv[r]}; }
};

template <class T, int V> struct LayerNorm {
  std::int64_t columns;
  Rows<T> y, x;
  T *mean, *inv, eps;
  const T *w, *b;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T* in = x.row(r);
    const T centre = over_row<Sum<T>, Team, V>(columns, [](T a) { return a; }, in) / static_cast<T>(columns);
    const T squares = over_row<Sum<T>, Team, V>(columns, [&](T a) { return (a - centre) * (a - centre); }, in);
    const T scale = T{1} / std::sqrt(squares / static_cast<T>(columns) + eps);
    if (threadIdx.x == 0) {
      mean[r] = centre;
      inv[r] = scale;
    }
    map_row<Team, V>(columns, y.row(r), [&](T a, T weight, T more) { return (a - centre) * scale * weight + more; }, in, w, b);
  }
};

// With n = (x - mean) inv and g = dy w: dx = inv (g - mean(g) - n mean(g n)), dw = sum of dy n, db = sum of dy
template <class T, int V> struct LayerNormBackward {
  std::int64_t columns;
  Rows<T> dx, dy, x;
  const T *w, *mean, *inv;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *in = x.row(r), *grad = dy.row(r), centre = mean[r], scale = inv[r], width = static_cast<T>(columns);
    const T mean_g = over_row<Sum<T>, Team, V>(columns, [](T g, T weight) { return g * weight; }, grad, w) / width;
    const T mean_gn = over_row<Sum<T>, Team, V>(columns, [&](T g, T weight, T a) { return g * weight * ((a - centre) * scale); }, grad, w, in) / width;
    const auto pulled = [&](T g, T weight, T a) { return scale * (g * weight - mean_g - (a - centre) * scale * mean_gn); };
    map_row<Team, V>(columns, dx.row(r), pulled, grad, w, in);
  }
  __device__ std::array<T, 2> values(std::int64_t r, std::int64_t i) const {
    const T grad = dy.row(r)[i];
    return {grad * ((x.row(r)[i] - mean[r]) * inv[r]), grad};
  }
};

bool covers(const View& x, const View& w, const View& inv) {
  return is_vector(w, x.dtype, x.shape[1]) && is_vector(inv, x.dtype, x.shape[0]);
}

}  // namespace

bool rms_norm(const Queue& queue, const View& y, const View& inv, const View& x, const View& w, double eps) {
  if (!are_like_rows(x, y) || !covers(x, w, inv)) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(x.shape[1], y, x, w), [&](auto pack) {
      const RmsNorm<T, pack()> task{x.shape[1], Rows<T>(y), Rows<T>(x), inv.as<T>(), static_cast<T>(eps), w.as<T>()};
      for_rows(queue, "rms_norm", x.shape[0], x.shape[1], task);
    });
  });
  return true;
}

bool rms_norm_backward(const Queue& queue, const View& dx, const View& dw, const View& dy, const View& x, const View& w, const View& inv) {
  if (!are_like_rows(x, dy, dx) || !covers(x, w, inv) || !is_vector(dw, x.dtype, x.shape[1])) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto task = [&](auto pack) { return RmsNormBackward<T, pack()>{x.shape[1], Rows<T>(dx), Rows<T>(dy), Rows<T>(x), w.as<T>(), inv.as<T>()}; };
    column_sums<T, 1>(queue, "rms_norm_backward", x.shape[0], x.shape[1], task(std::integral_constant<int, 1>()), {dw.as<T>()});
    with_packs<T>(are_packs<T>(x.shape[1], dx, dy, x, w), [&](auto pack) { for_rows(queue, "rms_norm_backward", x.shape[0], x.shape[1], task(pack)); });
  });
  return true;
}

bool layer_norm(const Queue& queue, const View& y, const View& mean, const View& inv, const View& x, const View& w, const View& b, double eps) {
  if (!are_like_rows(x, y) || !covers(x, w, inv) || !covers(x, b, mean)) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(x.shape[1], y, x, w, b), [&](auto pack) {
      const LayerNorm<T, pack()> task{x.shape[1], Rows<T>(y), Rows<T>(x), mean.as<T>(), inv.as<T>(), static_cast<T>(eps), w.as<T>(), b.as<T>()};
      for_rows(queue, "layer_norm", x.shape[0], x.shape[1], task);
    });
  });
  return true;
}

bool layer_norm_backward(const Queue& queue, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,
                         const View& mean, const View& inv) {
  if (!are_like_rows(x, dy, dx) || !covers(x, w, inv) || !covers(x, dw, mean) || !is_vector(db, x.dtype, x.shape[1])) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto task = [&](auto pack) { return LayerNormBackward<T, pack()>{x.shape[1], Rows<T>(dx), Rows<T>(dy), Rows<T>(x), w.as<T>(), mean.as<T>(), inv.as<T>()}; };
    column_sums<T, 2>(queue, "layer_norm_backward", x.shape[0], x.shape[1], task(std::integral_constant<int, 1>()), {dw.as<T>(), db.as<T>()});
    with_packs<T>(are_packs<T>(x.shape[1], dx, dy, x, w), [&](auto pack) { for_rows(queue, "layer_norm_backward", x.shape[0], x.shape[1], task(pack)); });
  });
  return true;
}

}  // namespace chronotope::cuda
