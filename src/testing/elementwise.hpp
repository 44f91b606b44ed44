#pragma once
// Cases for fill, copy, unary, binary and select.

#include <limits>

#include "testing/suite.hpp"

namespace chronotope::testing {

inline const std::vector<Shape>& common_shapes() {
  static const std::vector<Shape> shapes{
      {}, {1}, {7}, {0}, {3, 5}, {5, 0, 3}, {2, 3, 4}, {17, 33}, {1, 1, 1}, {1025}, {2, 1, 3, 1, 2, 2, 1, 3}};
  return shapes;
}

/// A reference value that is not a sum, in the dtype's tolerance.
template <class T> Expected<T> close_to(Wide<T> value) {
  if constexpr (std::is_floating_point_v<T>)
    return {static_cast<double>(value), tolerance<T>(static_cast<double>(value))};
  else return {static_cast<T>(value)};
}

template <class T> Expected<T> exactly(T value) { return {value, 0}; }

template <class T> std::vector<double> fill_values() {
  if constexpr (std::is_floating_point_v<T>) {
    const double inf = std::numeric_limits<double>::infinity();
    return {0, 1, -2.5, 0.1, inf, -inf, std::numeric_limits<double>::quiet_NaN()};
  } else if constexpr (std::is_signed_v<T>) {
    return {0, -7, 3.75, -3.75, static_cast<double>(std::numeric_limits<T>::min())};
  } else {
    return {0, 1, 3.75, 255};
  }
}

inline void fill_cases(Suite& suite) {
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    for (const double value : fill_values<T>()) {
      for (const Shape& shape : common_shapes()) {
        for (const auto& layout : suite.layouts(1, 0)) {
          Operand<T> out(suite.target, shape, layout[0]);
          Case c(suite, "fill " + show(value), out);
          if (c.call([&] { suite.target.fill(out.view(), value); }))
            c.expect(out, [&](std::int64_t) { return exactly(static_cast<T>(value)); });
        }
      }
    }
  });
}

/// Numbers of type From that mean something as a To: no case converts out of range.
template <class To, class From> std::vector<From> copy_values() {
  std::vector<From> all;
  if constexpr (std::is_floating_point_v<From>) {
    all = {0, 1, From(0.5), From(0.99), From(2.5), From(100.9), From(254.5)};
    if constexpr (std::is_signed_v<To>) all.insert(all.end(), {-1, From(-0.5), From(-3.75), From(-2000000.75)});
    if constexpr (std::is_floating_point_v<To>) {
      const From inf = std::numeric_limits<From>::infinity();
      all.insert(all.end(), {From(0.1), From(1e-30), From(1e30), inf, -inf, std::numeric_limits<From>::quiet_NaN()});
    }
  } else {
    for (const std::int64_t v : {0, 1, 2, 100, 127, 255, -1, -128, 1 << 24, (1 << 24) + 1, -(1 << 30)})
      all.push_back(static_cast<From>(v));
    for (const std::int64_t v : {53, 62}) all.push_back(static_cast<From>((std::int64_t{1} << v) + 1));
    if constexpr (std::is_integral_v<To>)
      std::erase_if(
          all, [](From v) { return static_cast<From>(static_cast<To>(v)) != v || (v < 0 && std::is_unsigned_v<To>); });
  }
  return all;
}

inline void copy_cases(Suite& suite) {
  suite.for_each_dtype([&](auto to) {
    suite.for_each_dtype([&](auto from) {
      using To = decltype(to);
      using From = decltype(from);
      const auto values = copy_values<To, From>();
      for (const Shape& shape : common_shapes()) {
        for (const auto& layout : suite.layouts(1, 1)) {
          Operand<To> out(suite.target, shape, layout[0]);
          Operand<From> in(suite.target, shape, layout[1]);
          in.set_all([&](std::int64_t) { return values[suite.below(static_cast<std::int64_t>(values.size()))]; });
          Case c(suite, "copy", out, in);
          if (c.call([&] { suite.target.copy(out.view(), in.view()); }))
            c.expect(out, [&](std::int64_t i) { return exactly(static_cast<To>(in[i])); });
          c.unchanged(in);
        }
      }
    });
  });
}

inline const char* name_of(Unary op) {
  constexpr const char* names[] = {"neg", "exp", "log", "sqrt", "recip", "sin", "cos", "tanh", "abs"};
  return names[static_cast<int>(op)];
}

inline const char* name_of(Binary op) {
  constexpr const char* names[] = {"add", "sub", "mul", "div", "max", "eq", "lt"};
  return names[static_cast<int>(op)];
}

template <class T> Wide<T> unary_reference(Unary op, Wide<T> x) {
  if (op == Unary::neg) return -x;
  if (op == Unary::abs) return x < 0 ? -x : x;
  if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case Unary::exp: return std::exp(x);
      case Unary::log: return std::log(x);
      case Unary::sqrt: return std::sqrt(x);
      case Unary::recip: return 1 / x;
      case Unary::sin: return std::sin(x);
      case Unary::cos: return std::cos(x);
      case Unary::tanh: return std::tanh(x);
      default: break;
    }
  }
  return x;
}

/// Argument `i` of a unary case: special ones first, then ordinary ones of several magnitudes.
template <class T> T unary_argument(Suite& suite, Unary op, std::int64_t i) {
  if constexpr (std::is_floating_point_v<T>) {
    const T inf = std::numeric_limits<T>::infinity();
    // Vector libraries promise sine and cosine for moderate arguments only.
    const bool bounded = op == Unary::sin || op == Unary::cos;
    const T special[] = {
        std::numeric_limits<T>::quiet_NaN(), bounded ? T(0.5) : inf, bounded ? T(-30) : -inf, T(0), T(-1), T(1)};
    if (i < 6) return special[i];
    const T x = suite.number<T>() * (i % 3 == 0 ? T(20) : i % 3 == 1 ? T(1) : T(0.01));
    return op == Unary::log || op == Unary::sqrt ? std::abs(x) : x;
  } else {
    return suite.number<T>();
  }
}

template <class T>
void unary_case(Suite& suite, Unary op, const Shape& shape, const std::vector<Layout>& layout, bool in_place) {
  Operand<T> out(suite.target, shape, layout[0]), in(suite.target, shape, layout[1]);
  Operand<T>& source = in_place ? out : in;
  source.set_all([&](std::int64_t i) { return unary_argument<T>(suite, op, i); });
  Case c(suite, std::string("unary ") + name_of(op) + (in_place ? " in place" : ""), out, in);
  if (c.call([&] { suite.target.unary(op, out.view(), source.view()); }))
    c.expect(out, [&](std::int64_t i) { return close_to<T>(unary_reference<T>(op, static_cast<Wide<T>>(source[i]))); });
  if (!in_place) c.unchanged(in);
}

inline void unary_cases(Suite& suite) {
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_signed_v<T>) {
      for (int op = 0; op <= static_cast<int>(Unary::abs); ++op) {
        const auto o = static_cast<Unary>(op);
        if (std::is_integral_v<T> && o != Unary::neg && o != Unary::abs) continue;
        for (const Shape& shape : common_shapes()) {
          for (const auto& layout : suite.layouts(1, 1)) unary_case<T>(suite, o, shape, layout, false);
          for (const auto& layout : suite.layouts(1, 0))
            unary_case<T>(suite, o, shape, {layout[0], Layout::contiguous}, true);
        }
      }
    }
  });
}

template <class R, class T> Expected<R> binary_reference(Binary op, T a, T b) {
  const auto x = static_cast<Wide<T>>(a), y = static_cast<Wide<T>>(b);
  switch (op) {
    case Binary::add: return close_to<R>(static_cast<Wide<R>>(x + y));
    case Binary::sub: return close_to<R>(static_cast<Wide<R>>(x - y));
    case Binary::mul: return close_to<R>(static_cast<Wide<R>>(x * y));
    case Binary::div: return close_to<R>(static_cast<Wide<R>>(x / y));
    case Binary::max: return exactly(static_cast<R>(a > b || a != a ? a : b));
    case Binary::eq: return exactly(static_cast<R>(a == b));
    case Binary::lt: return exactly(static_cast<R>(a < b));
  }
  return {};
}

/// Small whole numbers (so that some pairs are equal), NaN and infinities among ordinary floats.
template <class T> T binary_argument(Suite& suite, Binary op, bool second) {
  if constexpr (std::is_floating_point_v<T>) {
    const T inf = std::numeric_limits<T>::infinity();
    const T special[] = {std::numeric_limits<T>::quiet_NaN(), inf, -inf, T(0), T(1), T(-2)};
    if (suite.below(3) == 0) return special[suite.below(6)];
    return suite.number<T>();
  } else {
    const T x = suite.number<T>();
    if (op == Binary::div && second && x == 0) return 3;
    return std::is_unsigned_v<T> && op == Binary::sub && !second ? static_cast<T>(x + 10) : x;
  }
}

enum class Alias { none, out_is_a, out_is_b, a_is_b };

template <class R, class T>
void binary_case(Suite& suite, Binary op, const Shape& shape, const std::vector<Layout>& layout, Alias alias) {
  constexpr const char* how[] = {"", " out = a", " out = b", " a = b"};
  Operand<R> out(suite.target, shape, layout[0]);
  Operand<T> first(suite.target, shape, layout[1]), second(suite.target, shape, layout[2]);
  Operand<T>*a = &first, *b = alias == Alias::a_is_b ? &first : &second;
  if constexpr (std::is_same_v<R, T>) {
    if (alias == Alias::out_is_a) a = &out;
    if (alias == Alias::out_is_b) b = &out;
  }
  a->set_all([&](std::int64_t) { return binary_argument<T>(suite, op, false); });
  if (a != b || op == Binary::div) b->set_all([&](std::int64_t) { return binary_argument<T>(suite, op, true); });
  Case c(suite, std::string("binary ") + name_of(op) + how[static_cast<int>(alias)], out, first, second);
  if (!c.call([&] { suite.target.binary(op, out.view(), a->view(), b->view()); })) return;
  c.expect(out, [&](std::int64_t i) { return binary_reference<R, T>(op, (*a)[i], (*b)[i]); });
  if (a == &first) c.unchanged(first);
  if (b == &second) c.unchanged(second);
}

inline void binary_cases(Suite& suite) {
  const bool comparisons = suite.need(DType::u8, "binary eq, lt");
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    for (int op = 0; op <= static_cast<int>(Binary::lt); ++op) {
      const auto o = static_cast<Binary>(op);
      for (const Shape& shape : common_shapes()) {
        if (o == Binary::eq || o == Binary::lt) {
          if (!comparisons) continue;
          for (const auto& layout : suite.layouts(1, 2))
            binary_case<std::uint8_t, T>(suite, o, shape, layout, Alias::none);
          continue;
        }
        for (const auto& layout : suite.layouts(1, 2)) binary_case<T, T>(suite, o, shape, layout, Alias::none);
        for (const auto& layout : suite.layouts(1, 1)) {
          binary_case<T, T>(suite, o, shape, {layout[0], Layout::contiguous, layout[1]}, Alias::out_is_a);
          binary_case<T, T>(suite, o, shape, {layout[0], layout[1], Layout::contiguous}, Alias::out_is_b);
        }
        binary_case<T, T>(suite, o, shape, {Layout::contiguous, Layout::padded, Layout::contiguous}, Alias::a_is_b);
      }
    }
  });
}

inline void select_cases(Suite& suite) {
  if (!suite.need(DType::u8, "select")) return;
  constexpr std::uint8_t conditions[] = {0, 1, 0, 2, 255};
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    for (const Shape& shape : common_shapes()) {
      for (const auto& layout : suite.layouts(1, 3)) {
        Operand<T> out(suite.target, shape, layout[0]), a(suite.target, shape, layout[2]),
            b(suite.target, shape, layout[3]);
        Operand<std::uint8_t> cond(suite.target, shape, layout[1]);
        cond.set_all([&](std::int64_t) { return conditions[suite.below(5)]; });
        a.set_all([&](std::int64_t) { return binary_argument<T>(suite, Binary::add, false); });
        b.set_all([&](std::int64_t) { return binary_argument<T>(suite, Binary::add, true); });
        Case c(suite, "select", out, cond, a, b);
        if (c.call([&] { suite.target.select(out.view(), cond.view(), a.view(), b.view()); }))
          c.expect(out, [&](std::int64_t i) { return exactly(cond[i] != 0 ? a[i] : b[i]); });
        c.unchanged(cond, a, b);
      }
    }
  });
}

}  // namespace chronotope::testing
