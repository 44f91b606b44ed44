// Elementwise primitives: f32 lines that are dense or repeat one value take the vector kernels, all else the portable
// loops. Axes are merged first, so adding a row [D] or a column [R, 1] to [R, D] is a walk over such lines.

#include "cpu/arithmetic.hpp"
#include "cpu/loops.hpp"
#include "elementwise_kernels.hpp"
#include "walk.hpp"

namespace chronotope {
namespace {

using onednn::parallel_lines;

constexpr std::int64_t function_weight = 4;  // of exp and its like against an addition
constexpr std::int64_t shortest_line = 8;    // shorter ones lose more to calls than vectors win

template <int N> bool dense(const cpu::Loop<N>& loop, int operand) { return loop.step(operand) == 1; }
template <int N> bool dense_or_repeated(const cpu::Loop<N>& loop, int operand) {
  return loop.step(operand) == 0 || loop.step(operand) == 1;
}
template <int N> bool long_lines(const cpu::Loop<N>& loop) { return loop.rank == 1 || loop.line() >= shortest_line; }

template <class T> void fill_with(const onednn::Impl& impl, const cpu::Loop<1>& loop, T* out, T value) {
  parallel_lines(impl, loop, 1, [&](const auto& at, std::int64_t n) { std::fill_n(out + at[0], n, value); });
}

}  // namespace

void onednn_backend::fill(stream& s, const View& out, double value) {
  const auto loop = cpu::make_loop(out);
  if (!dense(loop, 0)) return cpu::fill(out, value);
  dispatch(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    fill_with(s.impl(), loop, out.as<T>(), cpu::convert<T>(value));
  });
}

void onednn_backend::unary(stream& s, Unary op, const View& out, const View& in) {
  const auto loop = cpu::make_loop(out, in);
  if (out.dtype != DType::f32 || !dense(loop, 0) || !dense(loop, 1) || !long_lines(loop))
    return cpu::unary(op, out, in);
  parallel_lines(s.impl(), loop, function_weight, [&](const auto& at, std::int64_t n) {
    onednn::unary_line(op, out.as<float>() + at[0], in.as<float>() + at[1], n);
  });
}

void onednn_backend::binary(stream& s, Binary op, const View& out, const View& a, const View& b) {
  const auto loop = cpu::make_loop(out, a, b);
  if (a.dtype != DType::f32 || !dense(loop, 0) || !dense_or_repeated(loop, 1) || !dense_or_repeated(loop, 2) ||
      !long_lines(loop)) {
    return cpu::binary(op, out, a, b);
  }
  const bool repeat_a = loop.step(1) == 0, repeat_b = loop.step(2) == 0;
  parallel_lines(s.impl(), loop, 1, [&](const auto& at, std::int64_t n) {
    const float *pa = a.as<float>() + at[1], *pb = b.as<float>() + at[2];
    if (op == Binary::eq || op == Binary::lt) {
      onednn::compare_line(op, out.as<std::uint8_t>() + at[0], pa, repeat_a, pb, repeat_b, n);
    } else {
      onednn::binary_line(op, out.as<float>() + at[0], pa, repeat_a, pb, repeat_b, n);
    }
  });
}

void onednn_backend::select(stream& s, const View& out, const View& cond, const View& a, const View& b) {
  const auto loop = cpu::make_loop(out, cond, a, b);
  if (out.dtype != DType::f32 || !dense(loop, 0) || !dense(loop, 1) || !dense_or_repeated(loop, 2) ||
      !dense_or_repeated(loop, 3) || !long_lines(loop)) {
    return cpu::select(out, cond, a, b);
  }
  parallel_lines(s.impl(), loop, 1, [&](const auto& at, std::int64_t n) {
    onednn::select_line(out.as<float>() + at[0], cond.as<std::uint8_t>() + at[1], a.as<float>() + at[2],
                        loop.step(2) == 0, b.as<float>() + at[3], loop.step(3) == 0, n);
  });
}

}  // namespace chronotope
