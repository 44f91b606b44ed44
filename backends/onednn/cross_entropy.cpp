// Linear layer and cross entropy in one: logits are made block by block (classes, and rows when there are many), used
// and thrown away; the backward pass makes them again. The maximum and the sum of exponentials follow the blocks
// (Milakov & Gimelshein 2018).

// Lane counts must be known when compiling: rows are padded to whole vectors.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/cross_entropy.cpp"
#include <hwy/foreach_target.h>

#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "gemm.hpp"
#include "vector_math.hpp"

#ifndef CHRONOTOPE_ONEDNN_CROSS_ENTROPY_TYPES
#define CHRONOTOPE_ONEDNN_CROSS_ENTROPY_TYPES
namespace chronotope::onednn {
namespace {

constexpr std::int64_t padding = 16;  ///< rows of a block are whole vectors of every target
constexpr float log2_e = 1.44269504f;

/// Logits of rows [row, row + rows) for classes [first, first + columns).
struct LogitBlock {
  float* data;
  std::int64_t stride, row, rows, first, columns;
  /// A row, its padding set to a logit that counts for nothing.
  float* prepare(std::int64_t i) const {
    float* logits = data + i * stride;
    for (std::int64_t c = columns; c % padding != 0; ++c) logits[c] = std::numeric_limits<float>::lowest();
    return logits;
  }
  bool holds(std::int64_t target) const { return target >= first && target < first + columns; }
};

/// What the forward pass knows of a row so far.
struct RowState {
  float top, sum, picked;
};

}  // namespace
}  // namespace chronotope::onednn
#endif

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

using Lanes = hn::ScalableTag<float>;

float greatest(const float* x, std::int64_t n) {
  const Lanes d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  auto top = hn::Load(d, x);
  for (std::int64_t c = step; c < n; c += step) top = hn::Max(top, hn::Load(d, x + c));
  return hn::GetLane(hn::MaxOfLanes(d, top));
}

/// Sum of exp(x - top).
float sum_of_exponentials(const float* x, std::int64_t n, float top) {
  const Lanes d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  const auto greatest = hn::Set(d, top), factor = hn::Set(d, log2_e);
  auto sum = hn::Zero(d);
  for (std::int64_t c = 0; c < n; c += step) {
    sum = hn::Add(sum, exp2(d, hn::Mul(hn::Sub(hn::Load(d, x + c), greatest), factor)));
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// Takes the rows [begin, end) of a block into account.
void observe(const LogitBlock& block, std::int64_t begin, std::int64_t end, const std::int32_t* target,
             RowState* state) {
  for (std::int64_t i = begin; i < end; ++i) {
    const float* logits = block.prepare(i);
    RowState& row = state[block.row + i];
    const float top = std::max(row.top, greatest(logits, block.columns));
    row.sum = row.sum * std::exp(row.top - top) + sum_of_exponentials(logits, block.columns, top);
    row.top = top;
    const std::int64_t wanted = target[block.row + i];
    if (block.holds(wanted)) row.picked = logits[wanted - block.first];
  }
}

/// x = weight * exp(x - lse)
void weigh(float* x, std::int64_t n, float lse, float weight) {
  const Lanes d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  const auto shift = hn::Set(d, lse), factor = hn::Set(d, log2_e), scale = hn::Set(d, weight);
  for (std::int64_t c = 0; c < n; c += step) {
    const auto p = exp2(d, hn::Mul(hn::Sub(hn::Load(d, x + c), shift), factor));
    hn::Store(hn::Mul(scale, p), d, x + c);
  }
}

/// Logits of rows [begin, end) become their gradients.
void differentiate(const LogitBlock& block, std::int64_t begin, std::int64_t end, const std::int32_t* target,
                   const float* lse, const float* grad, std::int64_t grad_stride) {
  for (std::int64_t i = begin; i < end; ++i) {
    float* logits = block.prepare(i);
    const float weight = grad[(block.row + i) * grad_stride];
    weigh(logits, block.columns, lse[block.row + i], weight);
    const std::int64_t wanted = target[block.row + i];
    if (block.holds(wanted)) logits[wanted - block.first] -= weight;
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope {
namespace onednn {
namespace {

HWY_EXPORT(observe);
HWY_EXPORT(differentiate);

/// A matrix with dense rows.
struct Rows {
  float* data;
  std::int64_t rows, columns, stride;
  float* at(std::int64_t row) const { return data + row * stride; }
};

bool is_rows(const View& v) {
  return v.dtype == DType::f32 && v.shape.rank() == 2 && v.shape[1] > 0 && (v.shape[1] == 1 || v.strides[1] == 1) &&
         (v.shape[0] < 2 || v.strides[0] >= v.shape[1]);
}

Rows rows_of(const View& v) { return {v.as<float>(), v.shape[0], v.shape[1], std::max(v.strides[0], v.shape[1])}; }

bool is_list(const View& v, DType dtype, std::int64_t n) {
  return v.dtype == dtype && v.shape == Shape{n} && (n < 2 || v.strides[0] == 1);
}

bool is_covered(const View& h, const View& w, const View& target, const View& lse) {
  return is_rows(h) && is_rows(w) && h.shape[1] == w.shape[1] && is_list(target, DType::i32, h.shape[0]) &&
         is_list(lse, DType::f32, h.shape[0]);
}

void check_targets(const std::int32_t* target, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t i = 0; i < rows; ++i) {
    if (target[i] >= 0 && target[i] < classes) continue;
    throw ShapeError("[linear_cross_entropy] target " + std::to_string(target[i]) + " of row " + std::to_string(i) +
                     " is outside [0, " + std::to_string(classes) + ")");
  }
}

/// How [Q, P] is cut so that the logits of one block take `most_logits` at most and the products stay efficient.
struct Blocking {
  static constexpr std::int64_t most_logits = std::int64_t{1} << 19, most_rows = 2048;
  std::int64_t rows, columns, stride;

  Blocking(std::int64_t Q, std::int64_t P) : rows(std::min(Q, most_rows)) {
    const std::int64_t blocks = (P * rows + most_logits - 1) / most_logits;
    columns = ((P + blocks - 1) / blocks + padding - 1) / padding * padding;
    stride = columns % 256 == 0 ? columns + padding : columns;  // powers of two collide in the cache
  }
  std::int64_t floats() const { return rows * stride; }
};

LogitBlock make_logits(Impl& impl, const Blocking& cut, float* data, const Rows& h, const Rows& w, std::int64_t row,
                       std::int64_t first) {
  const LogitBlock block{data, cut.stride, row, std::min(cut.rows, h.rows - row), first,
                         std::min(cut.columns, w.rows - first)};
  gemm(impl, false, true, block.rows, block.columns, h.columns, 1.0f, h.at(row), h.stride, w.at(first), w.stride, 0.0f,
       data, cut.stride);
  return block;
}

void forward(Impl& impl, const Rows& h, const Rows& w, const std::int32_t* target, RowState* state) {
  const Blocking cut(h.rows, w.rows);
  float* logits = impl.floats(Slot::cross_entropy, cut.floats());
  const auto kernel = HWY_DYNAMIC_DISPATCH(observe);
  for (std::int64_t row = 0; row < h.rows; row += cut.rows) {
    for (std::int64_t first = 0; first < w.rows; first += cut.columns) {
      const LogitBlock block = make_logits(impl, cut, logits, h, w, row, first);
      parallel(impl, block.rows, block.rows * block.columns,
               [&](std::int64_t begin, std::int64_t end, int) { kernel(block, begin, end, target, state); });
    }
  }
}

/// Gradients of a block of logits into dh and dw, whose first contribution overwrites.
void add_gradients(Impl& impl, const LogitBlock& g, const Rows& dh, const Rows& dw, const Rows& h, const Rows& w) {
  const std::int64_t D = h.columns;
  gemm(impl, false, false, g.rows, D, g.columns, 1.0f, g.data, g.stride, w.at(g.first), w.stride,
       g.first == 0 ? 0.0f : 1.0f, dh.at(g.row), dh.stride);
  gemm(impl, true, false, g.columns, D, g.rows, 1.0f, g.data, g.stride, h.at(g.row), h.stride,
       g.row == 0 ? 0.0f : 1.0f, dw.at(g.first), dw.stride);
}

}  // namespace
}  // namespace onednn

bool onednn_backend::try_linear_cross_entropy(stream& s, const View& nll, const View& lse, const View& h, const View& w,
                                              const View& target) {
  using namespace onednn;
  if (!onednn::is_covered(h, w, target, lse) || !is_list(nll, DType::f32, h.shape[0])) return false;
  const std::int64_t Q = h.shape[0];
  check_targets(target.as<std::int32_t>(), Q, w.shape[0]);
  if (Q == 0) return true;
  auto* state = static_cast<RowState*>(
      s.impl().scratch.get(Slot::cross_entropy_2, static_cast<std::size_t>(Q) * sizeof(RowState)));
  std::fill_n(state, Q, RowState{std::numeric_limits<float>::lowest(), 0, 0});
  onednn::forward(s.impl(), rows_of(h), rows_of(w), target.as<std::int32_t>(), state);
  for (std::int64_t i = 0; i < Q; ++i) {
    const float log_sum = std::log(state[i].sum);
    lse.as<float>()[i] = state[i].top + log_sum;
    nll.as<float>()[i] = (state[i].top - state[i].picked) + log_sum;
  }
  return true;
}

bool onednn_backend::try_linear_cross_entropy_backward(stream& s, const View& dh, const View& dw, const View& dnll,
                                                       const View& h, const View& w, const View& target,
                                                       const View& lse) {
  using namespace onednn;
  if (!onednn::is_covered(h, w, target, lse) || !is_rows(dh) || !is_rows(dw) || !(dh.shape == h.shape) ||
      !(dw.shape == w.shape) || dnll.dtype != DType::f32 || !(dnll.shape == lse.shape)) {
    return false;
  }
  const Rows hidden = rows_of(h), weights = rows_of(w), grad_h = rows_of(dh), grad_w = rows_of(dw);
  const auto* classes = target.as<std::int32_t>();
  check_targets(classes, hidden.rows, weights.rows);
  if (hidden.rows == 0) {
    for (std::int64_t p = 0; p < grad_w.rows; ++p) std::fill_n(grad_w.at(p), grad_w.columns, 0.0f);
    return true;
  }
  const Blocking cut(hidden.rows, weights.rows);
  float* logits = s.impl().floats(Slot::cross_entropy, cut.floats());
  const auto kernel = HWY_DYNAMIC_DISPATCH(differentiate);
  for (std::int64_t first = 0; first < weights.rows; first += cut.columns) {
    for (std::int64_t row = 0; row < hidden.rows; row += cut.rows) {
      const LogitBlock block = make_logits(s.impl(), cut, logits, hidden, weights, row, first);
      parallel(s.impl(), block.rows, block.rows * block.columns, [&](std::int64_t begin, std::int64_t end, int) {
        kernel(block, begin, end, classes, lse.as<float>(), dnll.as<float>(), dnll.strides[0]);
      });
      add_gradients(s.impl(), block, grad_h, grad_w, hidden, weights);
    }
  }
  return true;
}

}  // namespace chronotope
#endif
