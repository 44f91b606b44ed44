// SwiGLU: the gate's sigmoid linear unit times the other half.
#include <cmath>

#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T, int V> struct Swiglu {
  std::int64_t columns;
  Rows<T> y, gate_up;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T* gate = gate_up.row(r);
    map_row<Team, V>(columns, y.row(r), [](T g, T up) { return g / (T{1} + std::exp(-g)) * up; }, gate, gate + columns);
  }
};

// With s = sigmoid(gate): dup = dy gate s, dgate = dy up s (1 + gate (1 - s))
template <class T, int V> struct SwigluBackward {
  std::int64_t columns;
  Rows<T> grad, dy, gate_up;

  template <class Team> __device__ void row(std::int64_t r) const {
    using Some = Pack<T, V>;
    const T* gate = gate_up.row(r);
    T *grad_gate = grad.row(r), *grad_up = grad_gate + columns;
    each_pack_of<Team, V>(columns, [&](std::int64_t p, const Some from, const Some gates, const Some ups) {
      Some to_gate, to_up;
      for (int v = 0; v < V; ++v) {
        const T g = gates.value[v], s = T{1} / (T{1} + std::exp(-g)), pull = from.value[v] * s;
        to_gate.value[v] = pull * ups.value[v] * (T{1} + g * (T{1} - s));
        to_up.value[v] = pull * g;
      }
      reinterpret_cast<Some*>(grad_gate)[p] = to_gate;
      reinterpret_cast<Some*>(grad_up)[p] = to_up;
    }, dy.row(r), gate, gate + columns);
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
    with_packs<T>(are_packs<T>(y.shape[1], y, gate_up), [&](auto pack) {
      for_rows(queue, "swiglu", y.shape[0], y.shape[1], Swiglu<T, pack()>{y.shape[1], Rows<T>(y), Rows<T>(gate_up)});
    });
  });
  return true;
}

bool swiglu_backward(const Queue& queue, const View& dgate_up, const View& dy, const View& gate_up) {
  if (!are_halves(dy, gate_up) || !are_like_rows(gate_up, dgate_up)) return false;
  with_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(dy.shape[1], dgate_up, dy, gate_up), [&](auto pack) {
      const SwigluBackward<T, pack()> task{dy.shape[1], Rows<T>(dgate_up), Rows<T>(dy), Rows<T>(gate_up)};
      for_rows(queue, "swiglu_backward", dy.shape[0], dy.shape[1], task);
    });
  });
  return true;
}

}  // namespace chronotope::cuda
