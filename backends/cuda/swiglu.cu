// SwiGLU: the gate's sigmoid linear unit times the other half.
#include <cmath>

#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T> struct Swiglu {
  std::int64_t columns;
  Rows<T> y, gate_up;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *gate = gate_up.row(r), *up = gate + columns;
    T* out = y.row(r);
    each_element<Team>(columns, [&](std::int64_t i) { out[i] = gate[i] / (T{1} + std::exp(-gate[i])) * up[i]; });
  }
};

// With s = sigmoid(gate): dup = dy gate s, dgate = dy up s (1 + gate (1 - s))
template <class T> struct SwigluBackward {
  std::int64_t columns;
  Rows<T> grad, dy, gate_up;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *gate = gate_up.row(r), *up = gate + columns, *from = dy.row(r);
    T *grad_gate = grad.row(r), *grad_up = grad_gate + columns;
    each_element<Team>(columns, [&](std::int64_t i) {
      const T g = gate[i], s = T{1} / (T{1} + std::exp(-g)), pull = from[i] * s;
      grad_gate[i] = pull * up[i] * (T{1} + g * (T{1} - s));
      grad_up[i] = pull * g;
    });
  }
};

/// Whether `whole` are rows of twice as many columns as `half`.
bool are_halves(const View& half, const View& whole) {
  return is_rows(half) && is_rows(whole) && whole.dtype == half.dtype && whole.shape[0] == half.shape[0] && whole.shape[1] == 2 * half.shape[1];
}

}  // namespace

bool swiglu(const Queue& queue, const View& y, const View& gate_up) {
  if (!are_halves(y, gate_up)) return false;
  with_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_rows(queue, "swiglu", y.shape[0], y.shape[1], Swiglu<T>{y.shape[1], Rows<T>(y), Rows<T>(gate_up)});
  });
  return true;
}

bool swiglu_backward(const Queue& queue, const View& dgate_up, const View& dy, const View& gate_up) {
  if (!are_halves(dy, gate_up) || !are_like_rows(gate_up, dgate_up)) return false;
  with_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_rows(queue, "swiglu_backward", dy.shape[0], dy.shape[1], SwigluBackward<T>{dy.shape[1], Rows<T>(dgate_up), Rows<T>(dy), Rows<T>(gate_up)});
  });
  return true;
}

}  // namespace chronotope::cuda
