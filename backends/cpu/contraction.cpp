#include <algorithm>
#include <cstdlib>

#include "accumulate.hpp"
#include "loops.hpp"
#include "strided.hpp"

namespace chronotope::cpu {

namespace {

// Columns (of a product or of a reduction) that are accumulated together on the stack.
constexpr std::int64_t tile = 256;

template <class T> using Wide = std::conditional_t<std::is_floating_point_v<T>, double, T>;

/// One matrix of a batch, strides in elements.
template <class T> struct Matrix {
  T* data;
  std::int64_t row, column;
};

template <class T> void multiply_add(Wide<T>* sums, const T* a, std::int64_t a_step, const Matrix<const T>& b,
                                     std::int64_t k, std::int64_t n) {
  for (std::int64_t inner = 0; inner < k; ++inner) {
    const auto x = static_cast<Wide<T>>(a[inner * a_step]);
    const T* y = b.data + inner * b.row;
    if (b.column == 1) {
      for (std::int64_t j = 0; j < n; ++j) sums[j] = wrap_add(sums[j], wrap_mul(x, static_cast<Wide<T>>(y[j])));
    } else {
      for (std::int64_t j = 0; j < n; ++j)
        sums[j] = wrap_add(sums[j], wrap_mul(x, static_cast<Wide<T>>(y[j * b.column])));
    }
  }
}

template <class T> void matmul_one(const Matrix<T>& out, const Matrix<const T>& a, const Matrix<const T>& b,
                                   std::int64_t m, std::int64_t n, std::int64_t k, Wide<T> beta) {
  Wide<T> sums[tile];
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t first = 0; first < n; first += tile) {
      const std::int64_t width = std::min(tile, n - first);
      T* row = out.data + i * out.row + first * out.column;
      for (std::int64_t j = 0; j < width; ++j)
        sums[j] = beta == 0 ? Wide<T>{0} : wrap_mul(beta, static_cast<Wide<T>>(row[j * out.column]));
      multiply_add<T>(sums, a.data + i * a.row, a.column, {b.data + first * b.column, b.row, b.column}, k, width);
      for (std::int64_t j = 0; j < width; ++j) row[j * out.column] = static_cast<T>(sums[j]);
    }
  }
}

template <class T> void matmul_of(const View& out, const View& a, const View& b, double beta) {
  const int batch = out.shape.rank() - 2;
  const auto loop = make_loop(out.shape, 0, batch, out.strides, a.strides, b.strides);
  for_each_line(loop, [&](auto at) {
    for (std::int64_t i = 0; i < loop.line(); ++i) {
      matmul_one<T>({out.as<T>() + at[0], out.strides[batch], out.strides[batch + 1]},
                    {a.as<T>() + at[1], a.strides[batch], a.strides[batch + 1]},
                    {b.as<T>() + at[2], b.strides[batch], b.strides[batch + 1]}, out.shape[batch], out.shape[batch + 1],
                    a.shape[batch + 1], convert<Wide<T>>(beta));
      for (int o = 0; o < 3; ++o) at[o] += loop.step(o);
    }
  });
}

/// The axes of a reduction: those that stay (operands out, in) and those that go (in).
struct Axes {
  Loop<2> kept;
  Loop<1> reduced;
};

Axes split_axes(const View& out, const View& in) {
  Axes axes;
  for (int axis = 0; axis < in.shape.rank(); ++axis) {
    if (out.shape[axis] == in.shape[axis]) axes.kept.push(in.shape[axis], {out.strides[axis], in.strides[axis]});
    else axes.reduced.push(in.shape[axis], {in.strides[axis]});
  }
  axes.kept.finish();
  axes.reduced.finish();
  return axes;
}

// Each output in turn: right when the reduced elements lie close together.
template <class A, class T> void reduce_lines(const Axes& axes, T* out, const T* in) {
  for_each_line(axes.kept, [&](auto at) {
    for (std::int64_t i = 0; i < axes.kept.line(); ++i) {
      A total;
      for_each_line(axes.reduced, [&](const auto& from) {
        accumulate(total, in + at[1] + from[0], axes.reduced.step(0), axes.reduced.line());
      });
      out[at[0]] = total.result();
      at[0] += axes.kept.step(0);
      at[1] += axes.kept.step(1);
    }
  });
}

template <class A, class T> void add_row(A* totals, const T* row, std::int64_t step, std::int64_t n) {
  if (step == 1) {
    for (std::int64_t j = 0; j < n; ++j) totals[j].add(row[j]);
  } else {
    for (std::int64_t j = 0; j < n; ++j) totals[j].add(row[j * step]);
  }
}

// Many outputs side by side: right when neighbours in memory belong to different outputs (sums over rows).
template <class A, class T> void reduce_columns(const Axes& axes, T* out, const T* in) {
  const std::int64_t so = axes.kept.step(0), si = axes.kept.step(1);
  for_each_line(axes.kept, [&](const auto& at) {
    for (std::int64_t first = 0; first < axes.kept.line(); first += tile) {
      const std::int64_t width = std::min(tile, axes.kept.line() - first);
      A totals[tile];
      for_each_line(axes.reduced, [&](const auto& from) {
        const T* row = in + at[1] + first * si + from[0];
        for (std::int64_t i = 0; i < axes.reduced.line(); ++i, row += axes.reduced.step(0))
          add_row(totals, row, si, width);
      });
      for (std::int64_t j = 0; j < width; ++j) out[at[0] + (first + j) * so] = totals[j].result();
    }
  });
}

template <class A, class T> void reduce_with(const View& out, const View& in) {
  const Axes axes = split_axes(out, in);
  const bool columns = axes.kept.line() > 1 && std::abs(axes.kept.step(1)) < std::abs(axes.reduced.step(0));
  if (columns) reduce_columns<A>(axes, out.as<T>(), in.as<T>());
  else reduce_lines<A>(axes, out.as<T>(), in.as<T>());
}

template <class T> void cumsum_line(T* out, std::int64_t so, const T* in, std::int64_t si, std::int64_t n) {
  Sum<T> total;
  for (std::int64_t i = 0; i < n; ++i) {
    total.add(in[i * si]);
    out[i * so] = total.result();
  }
}

template <class T> void cumsum_of(const View& out, const View& in, int axis) {
  Loop<2> others;
  for (int i = 0; i < out.shape.rank(); ++i)
    if (i != axis) others.push(out.shape[i], {out.strides[i], in.strides[i]});
  others.finish();
  for_each_line(others, [&](auto at) {
    for (std::int64_t i = 0; i < others.line(); ++i) {
      cumsum_line(out.as<T>() + at[0], out.strides[axis], in.as<T>() + at[1], in.strides[axis], out.shape[axis]);
      at[0] += others.step(0);
      at[1] += others.step(1);
    }
  });
}

}  // namespace

void matmul(const View& out, const View& a, const View& b, double beta) {
  dispatch(out.dtype, [&](auto zero) { matmul_of<decltype(zero)>(out, a, b, beta); });
}

void reduce(Reduction op, const View& out, const View& in) {
  dispatch(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (op == Reduction::sum) reduce_with<Sum<T>, T>(out, in);
    else reduce_with<Max<T>, T>(out, in);
  });
}

void cumsum(const View& out, const View& in, int axis) {
  dispatch(out.dtype, [&](auto zero) { cumsum_of<decltype(zero)>(out, in, axis); });
}

}  // namespace chronotope::cpu
