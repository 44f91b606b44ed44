#pragma once
// Element arithmetic with every corner defined: integer overflow wraps, conversions saturate.
// constexpr, so that nvcc takes it for the device too (--expt-relaxed-constexpr).

#include <limits>
#include <type_traits>

namespace chronotope::cpu {

template <class T> constexpr T wrap_add(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a + b;
  else return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
}

template <class T> constexpr T wrap_sub(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a - b;
  else return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) - static_cast<std::make_unsigned_t<T>>(b));
}

template <class T> constexpr T wrap_mul(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a * b;
  else return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) * static_cast<std::make_unsigned_t<T>>(b));
}

/// Integer division truncates; by 0 it gives 0, and least / -1 wraps, where the processor would trap.
template <class T> constexpr T safe_div(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a / b;
  } else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T{-1}) return wrap_sub(T{0}, a);
    }
    return static_cast<T>(a / b);
  }
}

/// The larger one, or NaN when either is.
template <class T> constexpr T max_nan(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return (a > b || a != a) ? a : b;
  else return a > b ? a : b;
}

template <class To, class From> constexpr To convert(From x) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    // The upper end of a wide integer is no float; one more is.
    constexpr auto low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr auto beyond = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (x >= beyond) return std::numeric_limits<To>::max();
    if (x <= low) return std::numeric_limits<To>::min();
    return x == x ? static_cast<To>(x) : To{0};
  } else {
    return static_cast<To>(x);
  }
}

template <class T> constexpr T least_value() {
  if constexpr (std::is_floating_point_v<T>) return -std::numeric_limits<T>::infinity();
  else return std::numeric_limits<T>::lowest();
}

}  // namespace chronotope::cpu
