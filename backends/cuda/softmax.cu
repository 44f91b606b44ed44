// Softmax over the last axis.
#include <cmath>

#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T, int V> struct Softmax {
  std::int64_t columns;
  Rows<T> y, x;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T* in = x.row(r);
    const T most = over_row<Max<T>, Team, V>(columns, [](T a) { return a; }, in);
    const T over = T{1} / over_row<Sum<T>, Team, V>(columns, [&](T a) { return std::exp(a - most); }, in);
    map_row<Team, V>(columns, y.row(r), [&](T a) { return std::exp(a - most) * over; }, in);
  }
};

// dx = y (dy - sum(dy y))
template <class T, int V> struct SoftmaxBackward {
  std::int64_t columns;
  Rows<T> dx, dy, y;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *grad = dy.row(r), *p = y.row(r);
    const T dot = over_row<Sum<T>, Team, V>(columns, [](T g, T share) { return g * share; }, grad, p);
    map_row<Team, V>(columns, dx.row(r), [&](T g, T share) { return share * (g - dot); }, grad, p);
  }
};

}  // namespace

bool softmax(const Queue& queue, const View& y, const View& x) {
  if (!are_like_rows(x, y)) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(x.shape[1], y, x), [&](auto pack) {
      for_rows(queue, "softmax", x.shape[0], x.shape[1], Softmax<T, pack()>{x.shape[1], Rows<T>(y), Rows<T>(x)});
    });
  });
  return true;
}

bool softmax_backward(const Queue& queue, const View& dx, const View& dy, const View& y) {
  if (!are_like_rows(y, dy, dx)) return false;
  with_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(y.shape[1], dx, dy, y), [&](auto pack) {
      for_rows(queue, "softmax_backward", y.shape[0], y.shape[1], SoftmaxBackward<T, pack()>{y.shape[1], Rows<T>(dx), Rows<T>(dy), Rows<T>(y)});
    });
  });
  return true;
}

}  // namespace chronotope::cuda
