// Linear layers with bias and, where asked for, ReLU. Each thread takes rows a chunk at a time: bias and ReLU happen in
// registers, and of the gradient everything that a chunk contributes is computed while the chunk is in the cache.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/linear.cpp"
#include <hwy/foreach_target.h>

#include "dot_linear.hpp"
#include "linear.hpp"
#include "products.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

/// C = A B + bias[group of the row].
struct Grouped {
  float* data;
  std::int64_t stride;
  const float* bias;
  const std::int32_t* group;
  std::int64_t width;
  template <class At> HWY_INLINE Vec begin(At at, std::int64_t r, std::int64_t c) const { return at.load(bias + group[r] * width + c); }
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const { at.store(v, data + r * stride + c); }
};

/// Goes on with sums that an earlier part of the inner extent left in C.
template <class Out> struct Continued : Out {
  HWY_INLINE Continued from_column(std::int64_t c) const { return {Out::from_column(c)}; }
  template <class At> HWY_INLINE Vec begin(At at, std::int64_t r, std::int64_t c) const { return at.load(this->data + r * this->stride + c); }
};

/// Inner extents beyond this are summed a piece at a time, so that rounding errors of long chains stay small.
constexpr std::int64_t longest_chain = 256;

/// A panel of `width` columns: y = x w^T + bias for some rows, `panel` [K, product_width].
template <class Plain>
void panel_rows(const LinearTask& t, std::int64_t begin, std::int64_t rows, std::int64_t width, const float* panel, const Plain& plain) {
  for (std::int64_t k = 0; k < t.x.columns; k += longest_chain) {
    const std::int64_t n = HWY_MIN(longest_chain, t.x.columns - k);
    const Left a{t.x.row(begin) + k, t.x.stride, 1};
    const Right b{panel + k * product_width, product_width};
    const bool rectify = t.relu && k + n == t.x.columns;
    if constexpr (std::is_same_v<Plain, Biased>) {
      if (k == 0 && rectify) product(rows, width, n, a, b, Rectified{plain});
      else if (rectify) product(rows, width, n, a, b, Continued<Rectified>{Rectified{plain}});
    }
    if (rectify) continue;
    if (k == 0) product(rows, width, n, a, b, plain);
    else product(rows, width, n, a, b, Continued<Plain>{plain});
  }
}

void linear_rows(const LinearTask& t, std::int64_t begin, std::int64_t end) {
  for (; begin < end; begin += linear_chunk) {
    const std::int64_t rows = HWY_MIN(linear_chunk, end - begin);
    for (std::int64_t first = 0; first < t.y.columns; first += product_width) {
      const std::int64_t width = HWY_MIN(product_width, t.y.columns - first);
      const float* panel = t.packed + first * t.x.columns;
      float* y = t.y.row(begin) + first;
      if (t.group) panel_rows(t, begin, rows, width, panel, Grouped{y, t.y.stride, t.bias + first, t.group + begin, t.y.columns});
      else panel_rows(t, begin, rows, width, panel, Biased{y, t.y.stride, t.bias + first});
    }
  }
}

void linear_pack(const LinearTask& t, std::int64_t begin, std::int64_t end) {
  for (std::int64_t first = begin * product_width; first < HWY_MIN(end * product_width, t.y.columns); first += product_width)
    pack_panels(t.w + first * t.x.columns, HWY_MIN(product_width, t.y.columns - first), t.x.columns, t.packed + first * t.x.columns);
}

std::int64_t linear_panels(const LinearTask& t) { return panel_floats(t.y.columns) / product_width; }

/// dz = dy where y > 0, and its sums over rows added to db.
void rectified_gradient(const LinearTask& t, std::int64_t begin, std::int64_t end, float* dz, float* db) {
  for (std::int64_t r = begin; r < end; ++r, dz += t.y.columns) {
    const float *grad = t.dy.row(r), *y = t.y.row(r);
    for_vectors(t.y.columns, [=](auto at, std::int64_t i) HWY_ATTR {
      const Vec g = t.relu ? hn::IfThenElseZero(hn::Gt(at.load(y + i), constant(0)), at.load(grad + i)) : at.load(grad + i);
      at.store(g, dz + i);
      at.store(hn::Add(at.load(db + i), g), db + i);
    });
  }
}

/// Rows [begin, end), at most linear_chunk of them: dx, and what they add to dw [N, K] and db [N]. `dz` is memory to work in.
void linear_backward_rows(const LinearTask& t, std::int64_t begin, std::int64_t end, float* dz, float* dw, float* db) {
  const std::int64_t rows = end - begin, N = t.y.columns, K = t.x.columns;
  rectified_gradient(t, begin, end, dz, db);
  if (t.dx.data) product(rows, K, N, Left{dz, N, 1}, Right{t.w, K}, Stored{t.dx.row(begin), t.dx.stride});
  product(N, K, rows, Left{dz, 1, N}, Right{t.x.row(begin), t.x.stride}, Added{dw, K});
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(linear_rows);
HWY_EXPORT(linear_pack);
HWY_EXPORT(linear_panels);
HWY_EXPORT(rectified_gradient);
HWY_EXPORT(linear_backward_rows);
namespace {

/// Weights of this many elements are left to the general products: there packing pays.
constexpr std::int64_t most_weights = 1 << 19;
/// Up to here each thread adds up a gradient of the weights of its own, in its cache.
constexpr std::int64_t most_private = 1 << 15;

std::optional<LinearTask> linear_task(const View& x, const View& w, const View& y, bool relu) {
  const bool shapes = x.shape.rank() == 2 && w.shape.rank() == 2 && y.shape == Shape{x.shape[0], w.shape[0]} && w.shape[1] == x.shape[1];
  if (!shapes || !is_dense(x) || !is_dense(w) || !is_dense(y) || x.elements() == 0 || y.elements() == 0) return std::nullopt;
  if (w.elements() > most_weights) return std::nullopt;
  LinearTask task;
  task.x = *rows_of(x);
  task.y = *rows_of(y);
  task.w = w.as<float>();
  task.relu = relu;
  return task;
}

/// A multiplication costs about a 16th of an addition that waits for memory.
std::int64_t work_of(const LinearTask& t) { return t.x.rows * t.x.columns * t.y.columns / 16; }

void run_linear(Impl& impl, LinearTask& task) {
  const std::int64_t N = task.y.columns, K = task.x.columns;
  task.packed = impl.floats(Slot::networks, (N + widest_panel) * K);
  parallel(impl, HWY_DYNAMIC_DISPATCH(linear_panels)(task), N * K, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(linear_pack)(task, begin, end);
  });
  parallel(impl, task.x.rows, work_of(task), 6, [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(linear_rows)(task, begin, end);
  });
}

void backward_in_chunks(Impl& impl, const LinearTask& t, float* dw, float* db) {
  const std::int64_t N = t.y.columns, weights = N * t.x.columns;
  float* scratch = impl.floats(Slot::networks, linear_chunk * N * impl.threads);
  const double* totals = sum_over_blocks(impl, t.x.rows, linear_chunk, weights + N, 2 * work_of(t),
                                         [&](std::int64_t begin, std::int64_t end, float* sums, int part) {
    HWY_DYNAMIC_DISPATCH(linear_backward_rows)(t, begin, end, scratch + linear_chunk * N * part, sums, sums + weights);
  });
  std::copy_n(totals, weights, dw);
  std::copy_n(totals + weights, N, db);
}

void backward_by_gemm(Impl& impl, const LinearTask& t, float* dw, float* db) {
  const std::int64_t N = t.y.columns, K = t.x.columns, R = t.x.rows;
  float* dz = impl.floats(Slot::networks, R * N);
  const double* totals = sum_over_rows(impl, R, N, R * N, [&](std::int64_t begin, std::int64_t end, float* sums) {
    HWY_DYNAMIC_DISPATCH(rectified_gradient)(t, begin, end, dz + begin * N, sums);
  });
  std::copy_n(totals, N, db);
  if (t.dx.data) gemm(impl, false, false, R, K, N, 1, dz, N, t.w, K, 0, t.dx.data, K);
  gemm(impl, true, false, N, K, R, 1, dz, N, t.x.data, K, 0, dw, K);
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_linear(stream& s, const View& y, const View& x, const View& w, const View& bias, bool relu) {
  if (!bias.data) {
    const auto xs = rows_of(x), ws = rows_of(w), ys = rows_of(y);
    if (relu || !xs || !ws || !ys || xs->columns == 0) return false;
    dot_linear(s.impl(), {*xs, *ws, *ys});
    return true;
  }
  auto task = linear_task(x, w, y, relu);
  if (!task || !vector_of(bias, y.shape[1])) return false;
  task->bias = vector_of(bias, y.shape[1]);
  run_linear(s.impl(), *task);
  return true;
}

bool onednn_backend::try_linear_grouped(stream& s, const View& y, const View& x, const View& w, const View& bias, const View& group) {
  auto task = linear_task(x, w, y, false);
  if (!task || !is_dense(bias) || bias.shape.rank() != 2 || bias.shape[1] != y.shape[1]) return false;
  if (group.dtype != DType::i32 || !group.contiguous() || !(group.shape == Shape{x.shape[0]})) return false;
  task->bias = bias.as<float>(), task->group = group.as<std::int32_t>();
  const bool within = std::all_of(task->group, task->group + x.shape[0], [&](std::int32_t g) { return g >= 0 && g < bias.shape[0]; });
  if (!within) return false;  // the composition names the group
  run_linear(s.impl(), *task);
  return true;
}

bool onednn_backend::try_linear_backward(stream& s, const View& dx, const View& dw, const View& db, const View& dy, const View& x,
                                         const View& w, const View& y, bool relu) {
  auto task = linear_task(x, w, y, relu);
  float* into = task ? vector_of(db, y.shape[1]) : nullptr;
  if (!into || !is_dense(dw) || !(dw.shape == w.shape) || !is_dense(dy) || !(dy.shape == y.shape)) return false;
  if (dx.data && (!is_dense(dx) || !(dx.shape == x.shape))) return false;
  task->dy = *rows_of(dy);
  if (dx.data) task->dx = *rows_of(dx);
  if (w.elements() <= most_private) backward_in_chunks(s.impl(), *task, dw.as<float>(), into);
  else backward_by_gemm(s.impl(), *task, dw.as<float>(), into);
  return true;
}

}  // namespace chronotope
#endif
