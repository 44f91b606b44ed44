#pragma once
// The operands of attention, and what its kernels have in common on the host's side.

#include <cmath>
#include <limits>
#include <numbers>

#include "attention_unit.hpp"
#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

/// Scores are in units of ln 2.
template <class T> struct AttentionTask {
  Sequences sequences;
  HeadRows<T> q, k, v, out;
  T* lse;  ///< [Q, H]
  std::int32_t heads;
  T scale;

  AttentionTask(const AttentionPlan& plan, const View& q_rows, const View& k_rows, const View& v_rows, const View& out_rows, const View& logs,
                double by)
      : sequences(plan.sequences()), q(q_rows), k(k_rows), v(v_rows), out(out_rows), lse(logs.as<T>()),
        heads(static_cast<std::int32_t>(q_rows.shape[1])), scale(static_cast<T>(by)) {}
  __device__ T factor() const { return scale * static_cast<T>(std::numbers::log2e); }
};

/// Whether the operands that forward and backward share are covered.
inline bool attention_covers(const View& out, const View& lse, const View& q, const View& k, const View& v, const AttentionLayout& layout) {
  if (q.shape.rank() != 3 || k.shape.rank() != 3 || !is_floating(q.dtype)) return false;
  const std::int64_t heads = q.shape[1], width = q.shape[2], widest = q.dtype == DType::f32 ? 256 : 128;
  const Shape tokens{k.shape[0], heads, width};
  const auto fits = [&](const View& x, const Shape& shape) { return x.dtype == q.dtype && x.shape == shape && (width < 2 || x.strides[2] == 1); };
  return width >= 1 && width <= widest && heads < std::int64_t{1} << 24 && fits(q, q.shape) && fits(out, q.shape) &&
         fits(k, tokens) && fits(v, tokens) && lse.dtype == q.dtype && lse.shape == Shape{q.shape[0], heads} && lse.contiguous() && AttentionPlan::covers(layout, q.shape[0], k.shape[0]);
}

/// What fits the 48 KiB of shared memory of a block and the registers of a thread: heads up to a width, teams of R and W, and J slices
/// of 32 columns of what comes out; a wider head is done in parts, each with all scores anew.
template <class T, int padded_width, int R, int W, int J> struct AttentionSizes : TileTeam<R, W> {
  static constexpr int padded = padded_width, slices = J, columns = J * tile_columns;
  static int parts(std::int64_t width) { return static_cast<int>((width + columns - 1) / columns); }
};

/// What a block does at a time: heads go fastest, for they are neighbours in memory.
struct AttentionItem {
  std::int32_t head, part;
  std::int64_t tile;
  __device__ AttentionItem(std::int64_t item, std::int32_t heads, std::int32_t parts)
      : head(static_cast<std::int32_t>(item % heads)), part(static_cast<std::int32_t>(item / heads % parts)), tile(item / heads / parts) {}
};

}  // namespace chronotope::cuda
