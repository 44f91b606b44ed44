// unary: functions of one element.
#include <cmath>

#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

// nvcc has the C library's functions for the device as well.
struct Neg {
  template <class T> __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return -x;
    else return cpu::wrap_sub(T{0}, x);
  }
};
struct Abs {
  template <class T> __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
    else return x < 0 ? cpu::wrap_sub(T{0}, x) : x;
  }
};
struct Recip {
  template <class T> __device__ T operator()(T x) const { return T{1} / x; }
};
struct Exp {
  template <class T> __device__ T operator()(T x) const { return std::exp(x); }
};
struct Log {
  template <class T> __device__ T operator()(T x) const { return std::log(x); }
};
struct Sqrt {
  template <class T> __device__ T operator()(T x) const { return std::sqrt(x); }
};
struct Sin {
  template <class T> __device__ T operator()(T x) const { return std::sin(x); }
};
struct Cos {
  template <class T> __device__ T operator()(T x) const { return std::cos(x); }
};
struct Tanh {
  template <class T> __device__ T operator()(T x) const { return std::tanh(x); }
};

template <class T> void floating(const Queue& queue, Unary op, const View& out, const View& in) {
  switch (op) {
    case Unary::neg: return map<T, T>(queue, "neg", Neg(), out, in);
    case Unary::exp: return map<T, T>(queue, "exp", Exp(), out, in);
    case Unary::log: return map<T, T>(queue, "log", Log(), out, in);
    case Unary::sqrt: return map<T, T>(queue, "sqrt", Sqrt(), out, in);
    case Unary::recip: return map<T, T>(queue, "recip", Recip(), out, in);
    case Unary::sin: return map<T, T>(queue, "sin", Sin(), out, in);
    case Unary::cos: return map<T, T>(queue, "cos", Cos(), out, in);
    case Unary::tanh: return map<T, T>(queue, "tanh", Tanh(), out, in);
    case Unary::abs: return map<T, T>(queue, "abs", Abs(), out, in);
  }
}

template <class T> void whole(const Queue& queue, Unary op, const View& out, const View& in) {
  if (op == Unary::neg) map<T, T>(queue, "neg", Neg(), out, in);
  else if (op == Unary::abs) map<T, T>(queue, "abs", Abs(), out, in);
  else refuse_dtype("unary", in.dtype);
}

}  // namespace

void unary(const Queue& queue, Unary op, const View& out, const View& in) {
  switch (in.dtype) {
    case DType::f32: return floating<float>(queue, op, out, in);
    case DType::f64: return floating<double>(queue, op, out, in);
    case DType::i32: return whole<std::int32_t>(queue, op, out, in);
    case DType::i64: return whole<std::int64_t>(queue, op, out, in);
    case DType::u8: refuse_dtype("unary", in.dtype);
  }
}

}  // namespace chronotope::cuda
