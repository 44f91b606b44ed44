#pragma once
// Element types of tensors. The type of a tensor is a run-time tag; nothing is promoted silently.

#include <cstddef>
#include <cstdint>

namespace chronotope {

enum class DType : std::uint8_t { f32, f64, i32, i64, u8 };

constexpr std::size_t size_of(DType t) {
  switch (t) {
    case DType::f32: case DType::i32: return 4;
    case DType::f64: case DType::i64: return 8;
    case DType::u8: return 1;
  }
  return 0;
}

constexpr bool is_floating(DType t) { return t == DType::f32 || t == DType::f64; }

/// "f32", "i64", …
const char* to_string(DType t);

template <class T> inline constexpr bool is_element = false;
template <class T> inline constexpr DType dtype_of = DType::f32;
template <> inline constexpr bool is_element<float> = true;
template <> inline constexpr bool is_element<double> = true;
template <> inline constexpr bool is_element<std::int32_t> = true;
template <> inline constexpr bool is_element<std::int64_t> = true;
template <> inline constexpr bool is_element<std::uint8_t> = true;
template <> inline constexpr DType dtype_of<double> = DType::f64;
template <> inline constexpr DType dtype_of<std::int32_t> = DType::i32;
template <> inline constexpr DType dtype_of<std::int64_t> = DType::i64;
template <> inline constexpr DType dtype_of<std::uint8_t> = DType::u8;

/// C++ types that a tensor can hold.
template <class T> concept Element = is_element<T>;

/// Calls f with a zero value of the C++ type that `t` stands for: dispatch(t, [&](auto zero) { … decltype(zero) … }).
template <class F> decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::f64: return f(double{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    case DType::f32: break;
  }
  return f(float{});
}

}  // namespace chronotope
