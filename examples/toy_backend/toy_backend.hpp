#pragma once
// A backend as somebody outside the project would write it: memory of its own and one plain loop a primitive, for f32,
// i32 and u8. Slow on purpose; what it shows is how little has to be said.

#include <algorithm>
#include <chronotope/backend/concepts.hpp>
#include <chronotope/core/error.hpp>
#include <chronotope/core/philox.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

namespace toy {

using namespace chronotope;

/// Row-major element `i` of a view, whatever its strides.
template <class T> T& at(const View& v, std::int64_t i) {
  std::int64_t offset = 0;
  for (int axis = v.shape.rank() - 1; axis >= 0; --axis) {
    offset += i % v.shape[axis] * v.strides[axis];
    i /= v.shape[axis];
  }
  return static_cast<T*>(v.data)[offset];
}

/// Calls f with a zero of the C++ type of `t`. The library asks supports() first, so others arrive by mistake only.
template <class F> void with_type(DType t, F&& f) {
  if (t == DType::f32) f(float{});
  else if (t == DType::i32) f(std::int32_t{});
  else if (t == DType::u8) f(std::uint8_t{});
  else throw BackendError(std::string("toy has no ") + to_string(t));
}

/// f(element number) for all elements of a view.
template <class F> void each(const View& v, F&& f) {
  for (std::int64_t i = 0, n = v.elements(); i < n; ++i) f(i);
}

/// Sums are kept wider than the elements, or their errors would grow with the number of terms.
template <class T> using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;

inline std::int64_t checked_id(const View& ids, std::int64_t i, std::int64_t rows) {
  const std::int64_t id = at<std::int32_t>(ids, i);
  if (id < 0 || id >= rows)
    throw ShapeError("id " + std::to_string(id) + " is outside a table of " + std::to_string(rows) + " rows");
  return id;
}

struct toy_backend {
  struct stream {};  // nothing to keep: every call is complete when it returns

  static std::string_view name() { return "toy"; }
  static bool supports(DType t) { return t == DType::f32 || t == DType::i32 || t == DType::u8; }

  static void* allocate(stream&, std::size_t bytes) {
    void* memory = bytes < PTRDIFF_MAX ? ::operator new (bytes, std::align_val_t{64}, std::nothrow) : nullptr;
    if (!memory) throw BackendError("toy has no " + std::to_string(bytes) + " bytes");
    return memory;
  }
  static void deallocate(stream&, void* memory) noexcept { ::operator delete (memory, std::align_val_t{64}); }
  static void upload(stream&, void* device, const void* host, std::size_t n) { std::memcpy(device, host, n); }
  static void download(stream&, void* host, const void* device, std::size_t n) { std::memcpy(host, device, n); }
  static void synchronize(stream&) {}

  static void fill(stream&, const View& out, double value) {
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) { at<T>(out, i) = static_cast<T>(value); });
    });
  }

  static void copy(stream&, const View& out, const View& in) {
    with_type(out.dtype, [&](auto to) {
      with_type(in.dtype, [&](auto from) {
        using To = decltype(to);
        each(out, [&](std::int64_t i) { at<To>(out, i) = static_cast<To>(at<decltype(from)>(in, i)); });
      });
    });
  }

  static void unary(stream&, Unary op, const View& out, const View& in) {
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) { at<T>(out, i) = static_cast<T>(apply(op, static_cast<double>(at<T>(in, i)))); });
    });
  }

  static void binary(stream&, Binary op, const View& out, const View& a, const View& b) {
    with_type(a.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) {
        const T x = at<T>(a, i), y = at<T>(b, i);
        if (op == Binary::eq) at<std::uint8_t>(out, i) = x == y;
        else if (op == Binary::lt) at<std::uint8_t>(out, i) = x < y;
        else at<T>(out, i) = apply(op, x, y);
      });
    });
  }

  static void select(stream&, const View& out, const View& cond, const View& a, const View& b) {
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) { at<T>(out, i) = at<std::uint8_t>(cond, i) ? at<T>(a, i) : at<T>(b, i); });
    });
  }

  static void matmul(stream&, const View& out, const View& a, const View& b, double beta) {
    const std::int64_t columns = b.shape[-1], inner = a.shape[-1], rows = out.shape[-2];
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) {
        const std::int64_t row = i / columns, matrix = row / rows;
        Sum<T> sum = beta == 0 ? Sum<T>{} : static_cast<Sum<T>>(beta) * at<T>(out, i);
        for (std::int64_t k = 0; k < inner; ++k)
          sum +=
              static_cast<Sum<T>>(at<T>(a, row * inner + k)) * at<T>(b, (matrix * inner + k) * columns + i % columns);
        at<T>(out, i) = static_cast<T>(sum);
      });
    });
  }

  static void reduce(stream&, Reduction op, const View& out, const View& in) {
    // The output stretched to the input's shape by strides of 0: element i of it is where input i belongs.
    View target = out;
    target.shape = in.shape;
    for (int axis = 0; axis < in.shape.rank(); ++axis)
      if (out.shape[axis] == 1) target.strides[axis] = 0;
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      if (op == Reduction::max) {
        each(out, [&](std::int64_t i) { at<T>(out, i) = least<T>(); });
        each(in, [&](std::int64_t i) { at<T>(target, i) = apply(Binary::max, at<T>(target, i), at<T>(in, i)); });
        return;
      }
      std::vector<Sum<T>> sums(static_cast<std::size_t>(out.elements()));
      View wide = target;  // the same stretching of `sums`
      const Strides steps = contiguous_strides(out.shape);
      for (int axis = 0; axis < in.shape.rank(); ++axis) wide.strides[axis] = out.shape[axis] == 1 ? 0 : steps[axis];
      wide.data = sums.data();
      each(in, [&](std::int64_t i) { at<Sum<T>>(wide, i) += at<T>(in, i); });
      each(out, [&](std::int64_t i) { at<T>(out, i) = static_cast<T>(sums[i]); });
    });
  }

  static void cumsum(stream&, const View& out, const View& in, int axis) {
    const std::int64_t step = contiguous_strides(out.shape)[axis];
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out, [&](std::int64_t i) {
        Sum<T> sum{};
        for (std::int64_t back = i / step % out.shape[axis]; back >= 0; --back) sum += at<T>(in, i - back * step);
        at<T>(out, i) = static_cast<T>(sum);
      });
    });
  }

  static void gather(stream&, const View& out, const View& table, const View& ids) {
    const std::int64_t width = table.elements() / std::max<std::int64_t>(table.shape[0], 1);
    for (std::int64_t m = 0; m < ids.shape[0]; ++m) checked_id(ids, m, table.shape[0]);
    with_type(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(out,
           [&](std::int64_t i) { at<T>(out, i) = at<T>(table, at<std::int32_t>(ids, i / width) * width + i % width); });
    });
  }

  static void scatter_add(stream&, const View& table, const View& ids, const View& rows) {
    const std::int64_t width = rows.elements() / std::max<std::int64_t>(rows.shape[0], 1);
    for (std::int64_t m = 0; m < ids.shape[0]; ++m) checked_id(ids, m, table.shape[0]);
    with_type(table.dtype, [&](auto zero) {
      using T = decltype(zero);
      each(rows, [&](std::int64_t i) {
        at<T>(table, at<std::int32_t>(ids, i / width) * width + i % width) += at<T>(rows, i);
      });
    });
  }

  static void topk(stream&, const View& values, const View& indices, const View& in) {
    const std::int64_t columns = in.shape[1], k = values.shape[1];
    with_type(in.dtype, [&](auto zero) {
      using T = decltype(zero);
      std::vector<std::int32_t> order(static_cast<std::size_t>(columns));
      for (std::int64_t row = 0; row < in.shape[0]; ++row) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t x, std::int32_t y) {
          const T a = at<T>(in, row * columns + x), b = at<T>(in, row * columns + y);
          return a > b || (a == a && b != b);  // NaN last
        });
        for (std::int64_t i = 0; i < k; ++i) {
          at<T>(values, row * k + i) = at<T>(in, row * columns + order[i]);
          at<std::int32_t>(indices, row * k + i) = order[i];
        }
      }
    });
  }

  static void uniform(stream&, const View& out, std::uint64_t seed, std::uint64_t counter) {
    each(out,
         [&](std::int64_t i) { at<float>(out, i) = philox_uniform(seed, counter, static_cast<std::uint64_t>(i)); });
  }

 private:
  template <class T> static constexpr T least() {
    using Limits = std::numeric_limits<T>;
    return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  }

  static double apply(Unary op, double x) {
    switch (op) {
      case Unary::neg: return -x;
      case Unary::exp: return std::exp(x);
      case Unary::log: return std::log(x);
      case Unary::sqrt: return std::sqrt(x);
      case Unary::recip: return 1 / x;
      case Unary::sin: return std::sin(x);
      case Unary::cos: return std::cos(x);
      case Unary::tanh: return std::tanh(x);
      case Unary::abs: return std::abs(x);
    }
    return x;
  }

  template <class T> static T apply(Binary op, T x, T y) {
    switch (op) {
      case Binary::add: return static_cast<T>(x + y);
      case Binary::sub: return static_cast<T>(x - y);
      case Binary::mul: return static_cast<T>(x * y);
      case Binary::div: return static_cast<T>(x / y);
      default: return x > y || x != x ? x : y;
    }
  }
};

static_assert(Backend<toy_backend>);

}  // namespace toy
