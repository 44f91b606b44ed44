// Reductions of f32. After merging axes, what occurs is [kept, reduced, kept] with any of the three missing; other
// patterns, other dtypes and empty views take the portable loops.

#include <limits>

#include "cpu/loops.hpp"
#include "reduce_kernels.hpp"
#include "row_sums.hpp"
#include "views.hpp"

namespace chronotope {
namespace {

using onednn::Impl;
using onednn::parallel;

/// in [outer, reduced, inner] -> out [outer, inner]; inner is dense on both sides.
struct Pattern {
  const float* in;
  float* out;
  std::int64_t outer = 1, outer_step = 0, outer_step_out = 0;
  std::int64_t reduced = 1, reduced_step = 1;
  std::int64_t inner = 1;
  std::int64_t elements() const { return outer * reduced * inner; }
};

struct Axis {
  bool reduced;
  std::int64_t extent, step, step_out;
};

/// The axes longer than 1, neighbours of one kind merged where they lie one behind the other.
int merged_axes(const View& out, const View& in, Axis (&axes)[max_rank]) {
  int n = 0;
  for (int i = 0; i < in.shape.rank(); ++i) {
    const Axis axis{out.shape[i] == 1, in.shape[i], in.strides[i], out.strides[i]};
    if (axis.extent == 1) continue;
    if (n > 0) {
      Axis& before = axes[n - 1];
      const bool follows =
          before.step == axis.step * axis.extent && (axis.reduced || before.step_out == axis.step_out * axis.extent);
      if (before.reduced == axis.reduced && follows) {
        before = {axis.reduced, before.extent * axis.extent, axis.step, axis.step_out};
        continue;
      }
    }
    axes[n++] = axis;
  }
  return n;
}

std::optional<Pattern> find_pattern(const View& out, const View& in) {
  if (in.dtype != DType::f32 || in.elements() == 0) return std::nullopt;
  Pattern p;
  p.in = in.as<float>();
  p.out = out.as<float>();
  Axis axes[max_rank];
  const int n = merged_axes(out, in, axes);
  int i = 0;
  if (i < n && !axes[i].reduced && n > 1) {
    p.outer = axes[i].extent, p.outer_step = axes[i].step, p.outer_step_out = axes[i].step_out;
    ++i;
  }
  if (i == n || !axes[i].reduced) return std::nullopt;
  p.reduced = axes[i].extent, p.reduced_step = axes[i].step;
  if (++i < n) {
    if (axes[i].reduced || axes[i].step != 1 || axes[i].step_out != 1) return std::nullopt;
    p.inner = axes[i++].extent;
  } else if (p.reduced_step != 1) {
    return std::nullopt;
  }
  if (i != n) return std::nullopt;
  return p;
}

/// Pieces of a fixed size are added in their order, so the number of threads does not show in the result.
template <class F> double sum_pieces(Impl& impl, const float* x, std::int64_t n, F&& sum) {
  constexpr std::int64_t piece = 1 << 15;
  const std::int64_t pieces = (n + piece - 1) / piece;
  double* sums = impl.doubles(onednn::Slot::partial, pieces);
  parallel(impl, pieces, n, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) sums[i] = sum(x + i * piece, std::min(piece, n - i * piece));
  });
  double total = 0;
  for (std::int64_t i = 0; i < pieces; ++i) total += sums[i];
  return total;
}

void reduce_rows(Impl& impl, Reduction op, const Pattern& p) {
  if (op == Reduction::sum && p.outer == 1) {
    *p.out = static_cast<float>(sum_pieces(impl, p.in, p.reduced, onednn::sum_range));
    return;
  }
  const auto each = op == Reduction::sum ? onednn::sum_each_row : onednn::max_each_row;
  parallel(impl, p.outer, p.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    each(p.in + begin * p.outer_step, p.outer_step, end - begin, p.reduced, p.out + begin * p.outer_step_out,
         p.outer_step_out);
  });
}

/// Few rows: floats are good enough, and the result is the running sum.
void sum_short_columns(Impl& impl, const Pattern& p) {
  const auto add = [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    float* out = p.out + o * p.outer_step_out + begin;
    std::fill_n(out, end - begin, 0.0f);
    onednn::add_rows(p.in + o * p.outer_step + begin, p.reduced_step, p.reduced, end - begin, out);
  };
  if (p.outer == 1) {
    parallel(impl, p.inner, p.elements(), 64, [&](std::int64_t begin, std::int64_t end, int) { add(0, begin, end); });
    return;
  }
  parallel(impl, p.outer, p.elements(), [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t o = first; o < last; ++o) add(o, 0, p.inner);
  });
}

void sum_columns(Impl& impl, const Pattern& p) {
  if (p.reduced <= onednn::row_block) return sum_short_columns(impl, p);
  if (p.outer == 1) {
    const double* totals = onednn::sum_over_rows(
        impl, p.reduced, p.inner, p.elements(), [&](std::int64_t begin, std::int64_t end, float* sums) {
          onednn::add_rows(p.in + begin * p.reduced_step, p.reduced_step, end - begin, p.inner, sums);
        });
    std::copy_n(totals, p.inner, p.out);
    return;
  }
  const std::int64_t stride = (p.inner + 15) / 16 * 16;
  double* memory = impl.doubles(onednn::Slot::partial, 2 * stride * impl.threads);
  parallel(impl, p.outer, p.elements(), [&](std::int64_t first, std::int64_t last, int part) {
    double* totals = memory + 2 * stride * part;
    auto* sums = reinterpret_cast<float*>(totals + stride);
    for (std::int64_t o = first; o < last; ++o) {
      const float* in = p.in + o * p.outer_step;
      std::fill_n(totals, p.inner, 0.0);
      onednn::add_row_sums(0, p.reduced, onednn::row_block, p.inner, totals, sums, [&](std::int64_t begin, std::int64_t end, float* into) {
        onednn::add_rows(in + begin * p.reduced_step, p.reduced_step, end - begin, p.inner, into);
      });
      std::copy_n(totals, p.inner, p.out + o * p.outer_step_out);
    }
  });
}

void max_columns(Impl& impl, const Pattern& p) {
  parallel(impl, p.outer, p.elements(), [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t o = first; o < last; ++o) {
      float* out = p.out + o * p.outer_step_out;
      std::fill_n(out, p.inner, -std::numeric_limits<float>::infinity());
      onednn::max_rows(p.in + o * p.outer_step, p.reduced_step, p.reduced, p.inner, out);
    }
  });
}

}  // namespace

void onednn_backend::reduce(stream& s, Reduction op, const View& out, const View& in) {
  const auto pattern = find_pattern(out, in);
  if (!pattern) return cpu::reduce(op, out, in);
  if (pattern->inner == 1) return reduce_rows(s.impl(), op, *pattern);
  if (op == Reduction::sum) return sum_columns(s.impl(), *pattern);
  max_columns(s.impl(), *pattern);
}

void onednn_backend::cumsum(stream&, const View& out, const View& in, int axis) { cpu::cumsum(out, in, axis); }

bool onednn_backend::try_sum_squares(stream& s, const View& out, const View& x) {
  if (!onednn::is_dense(x) || !onednn::is_dense(out) || out.elements() != 1) return false;
  *out.as<float>() = static_cast<float>(sum_pieces(s.impl(), x.as<float>(), x.elements(), onednn::sum_squares_range));
  return true;
}

}  // namespace chronotope
