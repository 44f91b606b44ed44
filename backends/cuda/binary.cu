// binary: functions of two elements.
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

struct Add {
  template <class T> __device__ T operator()(T x, T y) const { return cpu::wrap_add(x, y); }
};
struct Sub {
  template <class T> __device__ T operator()(T x, T y) const { return cpu::wrap_sub(x, y); }
};
struct Mul {
  template <class T> __device__ T operator()(T x, T y) const { return cpu::wrap_mul(x, y); }
};
struct Div {
  template <class T> __device__ T operator()(T x, T y) const { return cpu::safe_div(x, y); }
};
struct Larger {
  template <class T> __device__ T operator()(T x, T y) const { return cpu::max_nan(x, y); }
};
struct Equal {
  template <class T> __device__ bool operator()(T x, T y) const { return x == y; }
};
struct Less {
  template <class T> __device__ bool operator()(T x, T y) const { return x < y; }
};

template <class T> void binary_of(const Queue& queue, Binary op, const View& out, const View& a, const View& b) {
  switch (op) {
    case Binary::add: return map<T, T, T>(queue, "add", Add(), out, a, b);
    case Binary::sub: return map<T, T, T>(queue, "sub", Sub(), out, a, b);
    case Binary::mul: return map<T, T, T>(queue, "mul", Mul(), out, a, b);
    case Binary::div: return map<T, T, T>(queue, "div", Div(), out, a, b);
    case Binary::max: return map<T, T, T>(queue, "max", Larger(), out, a, b);
    case Binary::eq: return map<std::uint8_t, T, T>(queue, "eq", Equal(), out, a, b);
    case Binary::lt: return map<std::uint8_t, T, T>(queue, "lt", Less(), out, a, b);
  }
}

}  // namespace

void binary(const Queue& queue, Binary op, const View& out, const View& a, const View& b) {
  dispatch(a.dtype, [&](auto zero) { binary_of<decltype(zero)>(queue, op, out, a, b); });
}

}  // namespace chronotope::cuda
