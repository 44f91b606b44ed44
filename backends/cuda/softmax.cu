// Softmax over the last axis.
#include <cmath>

#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T> struct Softmax {
  std::int64_t columns;
  Rows<T> y, x;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T* in = x.row(r);
    T* out = y.row(r);
    Max<T> largest;
    each_element<Team>(columns, [&](std::int64_t i) { largest.add(in[i]); });
    Team::merge(largest);
    const T most = largest.result();
    const T over = T{1} / row_sum<Team, T>(columns, [&](std::int64_t i) { return std::exp(in[i] - most); });
    each_element<Team>(columns, [&](std::int64_t i) { out[i] = std::exp(in[i] - most) * over; });
  }
};

// dx = y (dy - sum(dy y))
template <class T> struct SoftmaxBackward {
  std::int64_t columns;
  Rows<T> dx, dy, y;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *grad = dy.row(r), *p = y.row(r);
    T* out = dx.row(r);
    const T dot = row_sum<Team, T>(columns, [&](std::int64_t i) { return grad[i] * p[i]; });
    each_element<Team>(columns, [&](std::int64_t i) { out[i] = p[i] * (grad[i] - dot); });
  }
};

}  // namespace

bool softmax(const Queue& queue, const View& y, const View& x) {
  if (!are_like_rows(x, y)) return false;
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_rows(queue, "softmax", x.shape[0], x.shape[1], Softmax<T>{x.shape[1], Rows<T>(y), Rows<T>(x)});
  });
  return true;
}

bool softmax_backward(const Queue& queue, const View& dx, const View& dy, const View& y) {
  if (!are_like_rows(y, dy, dx)) return false;
  with_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_rows(queue, "softmax_backward", y.shape[0], y.shape[1], SoftmaxBackward<T>{y.shape[1], Rows<T>(dx), Rows<T>(dy), Rows<T>(y)});
  });
  return true;
}

}  // namespace chronotope::cuda
