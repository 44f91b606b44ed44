#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "arithmetic.hpp"
#include "chronotope/core/error.hpp"
#include "loops.hpp"
#include "strided.hpp"

namespace chronotope::cpu {

namespace {

template <class R, class T, class F>
void unary_line(R* out, std::int64_t so, const T* in, std::int64_t si, std::int64_t n, F f) {
  if (so == 1 && si == 1) {
    CHRONOTOPE_IVDEP
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(in[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i * so] = f(in[i * si]);
  }
}

template <class R, class T, class F> void map(const View& out, const View& in, F f) {
  const auto loop = make_loop(out, in);
  for_each_line(loop, [&](const auto& at) {
    unary_line(out.as<R>() + at[0], loop.step(0), in.as<T>() + at[1], loop.step(1), loop.line(), f);
  });
}

template <class R, class T, class F> void binary_line(R* out, std::int64_t so, const T* a, std::int64_t sa, const T* b,
                                                      std::int64_t sb, std::int64_t n, F f) {
  if (so == 1 && sa == 1 && sb == 1) {
    CHRONOTOPE_IVDEP
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
  } else if (so == 1 && sa == 1 && sb == 0) {
    const T y = *b;
    CHRONOTOPE_IVDEP
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i], y);
  } else if (so == 1 && sa == 0 && sb == 1) {
    const T x = *a;
    CHRONOTOPE_IVDEP
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(x, b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i * so] = f(a[i * sa], b[i * sb]);
  }
}

template <class R, class T, class F> void zip(const View& out, const View& a, const View& b, F f) {
  const auto loop = make_loop(out, a, b);
  for_each_line(loop, [&](const auto& at) {
    binary_line(out.as<R>() + at[0], loop.step(0), a.as<T>() + at[1], loop.step(1), b.as<T>() + at[2], loop.step(2),
                loop.line(), f);
  });
}

template <class T> void fill_with(const View& out, T value) {
  const auto loop = make_loop(out);
  for_each_line(loop, [&](const auto& at) {
    T* p = out.as<T>() + at[0];
    const std::int64_t n = loop.line(), step = loop.step(0);
    if (step == 1) {
      for (std::int64_t i = 0; i < n; ++i) p[i] = value;
    } else {
      for (std::int64_t i = 0; i < n; ++i) p[i * step] = value;
    }
  });
}

// Line by line, a transposition reads one element of each cache line and comes back when it is gone; tiles reuse it.
template <class T> void copy_transposed(const Loop<2>& loop, T* out, const T* in) {
  constexpr std::int64_t side = 16;
  Loop<2> outer = loop;  // its lines run along the second axis from the end
  --outer.rank;
  const std::int64_t rows = outer.line(), columns = loop.line(), so = outer.step(0), si = loop.step(1);
  for_each_line(outer, [&](const auto& at) {
    for (std::int64_t i = 0; i < rows; i += side)
      for (std::int64_t j = 0; j < columns; j += side)
        for (std::int64_t r = i; r < std::min(i + side, rows); ++r)
          for (std::int64_t c = j; c < std::min(j + side, columns); ++c)
            out[at[0] + r * so + c] = in[at[1] + r + c * si];
  });
}

template <class T> void copy_same(const View& out, const View& in) {
  const auto loop = make_loop(out, in);
  if (!loop.empty && loop.merged_to_line() && loop.step(0) == 1 && loop.step(1) == 1) {
    std::memmove(out.data, in.data, static_cast<std::size_t>(loop.line()) * sizeof(T));
    return;
  }
  const bool transposed = loop.rank > 1 && loop.step(0) == 1 && loop.stride[1][loop.rank - 2] == 1;
  if (transposed) copy_transposed(loop, out.as<T>(), in.as<T>());
  else map<T, T>(out, in, [](T x) { return x; });
}

template <class T> void signed_unary(Unary op, const View& out, const View& in) {
  if (op == Unary::neg) return map<T, T>(out, in, [](T x) { return wrap_sub(T{0}, x); });
  map<T, T>(out, in, [](T x) { return x < 0 ? wrap_sub(T{0}, x) : x; });
}

template <class T> void floating_unary(Unary op, const View& out, const View& in) {
  switch (op) {
    case Unary::neg: return map<T, T>(out, in, [](T x) { return -x; });
    case Unary::exp: return map<T, T>(out, in, [](T x) { return std::exp(x); });
    case Unary::log: return map<T, T>(out, in, [](T x) { return std::log(x); });
    case Unary::sqrt: return map<T, T>(out, in, [](T x) { return std::sqrt(x); });
    case Unary::recip: return map<T, T>(out, in, [](T x) { return T{1} / x; });
    case Unary::sin: return map<T, T>(out, in, [](T x) { return std::sin(x); });
    case Unary::cos: return map<T, T>(out, in, [](T x) { return std::cos(x); });
    case Unary::tanh: return map<T, T>(out, in, [](T x) { return std::tanh(x); });
    case Unary::abs: return map<T, T>(out, in, [](T x) { return std::abs(x); });
  }
}

template <class T> void binary_of(Binary op, const View& out, const View& a, const View& b) {
  switch (op) {
    case Binary::add: return zip<T, T>(out, a, b, [](T x, T y) { return wrap_add(x, y); });
    case Binary::sub: return zip<T, T>(out, a, b, [](T x, T y) { return wrap_sub(x, y); });
    case Binary::mul: return zip<T, T>(out, a, b, [](T x, T y) { return wrap_mul(x, y); });
    case Binary::div: return zip<T, T>(out, a, b, [](T x, T y) { return safe_div(x, y); });
    case Binary::max: return zip<T, T>(out, a, b, [](T x, T y) { return max_nan(x, y); });
    case Binary::eq: return zip<std::uint8_t, T>(out, a, b, [](T x, T y) { return std::uint8_t{x == y}; });
    case Binary::lt: return zip<std::uint8_t, T>(out, a, b, [](T x, T y) { return std::uint8_t{x < y}; });
  }
}

template <class T> void select_of(const View& out, const View& cond, const View& a, const View& b) {
  const auto loop = make_loop(out, cond, a, b);
  for_each_line(loop, [&](const auto& at) {
    T* o = out.as<T>() + at[0];
    const std::uint8_t* c = cond.as<std::uint8_t>() + at[1];
    const T *x = a.as<T>() + at[2], *y = b.as<T>() + at[3];
    const std::int64_t n = loop.line(), so = loop.step(0), sc = loop.step(1), sx = loop.step(2), sy = loop.step(3);
    if (so == 1 && sc == 1 && sx == 1 && sy == 1) {
      CHRONOTOPE_IVDEP
      for (std::int64_t i = 0; i < n; ++i) {
        const T p = x[i], q = y[i];
        o[i] = c[i] ? p : q;
      }
    } else {
      for (std::int64_t i = 0; i < n; ++i) o[i * so] = c[i * sc] ? x[i * sx] : y[i * sy];
    }
  });
}

}  // namespace

void fill(const View& out, double value) {
  dispatch(out.dtype, [&](auto zero) { fill_with(out, convert<decltype(zero)>(value)); });
}

void copy(const View& out, const View& in) {
  dispatch(out.dtype, [&](auto to) {
    dispatch(in.dtype, [&](auto from) {
      using To = decltype(to);
      using From = decltype(from);
      if constexpr (std::is_same_v<To, From>) copy_same<To>(out, in);
      else map<To, From>(out, in, [](From x) { return convert<To>(x); });
    });
  });
}

void unary(Unary op, const View& out, const View& in) {
  dispatch(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) {
      return floating_unary<T>(op, out, in);
    } else if constexpr (std::is_signed_v<T>) {
      if (op == Unary::neg || op == Unary::abs) return signed_unary<T>(op, out, in);
    }
    throw DTypeError(std::string("[unary] not defined for ") + to_string(in.dtype) +
                     ": floating dtypes only, neg and abs also signed integers");
  });
}

void binary(Binary op, const View& out, const View& a, const View& b) {
  dispatch(a.dtype, [&](auto zero) { binary_of<decltype(zero)>(op, out, a, b); });
}

void select(const View& out, const View& cond, const View& a, const View& b) {
  dispatch(out.dtype, [&](auto zero) { select_of<decltype(zero)>(out, cond, a, b); });
}

}  // namespace chronotope::cpu
