// The attention hooks: what is covered, and the division of work among threads.

#include "attention.hpp"

namespace chronotope {
namespace {

using onednn::AttentionPlan;
using onednn::AttentionTask;
using onednn::heads_of;
using onednn::Impl;
using onednn::Slot;

constexpr std::int64_t max_dim = 256;

bool is_index_list(const View& view) {
  return view.dtype == DType::i32 && view.shape.rank() == 1 && (view.shape[0] < 2 || view.strides[0] == 1);
}

bool is_prefix_list(const View& view, std::int64_t segments) {
  return !view.data || (view.dtype == DType::i32 && view.shape == Shape{segments, 2} && view.contiguous());
}

bool is_covered(const View& q, const View& k, const View& lse, const AttentionLayout& layout) {
  if (!is_index_list(layout.offsets) || !is_index_list(layout.query_rows) || layout.offsets.shape[0] < 1) return false;
  if (!is_prefix_list(layout.prefix, layout.offsets.shape[0] - 1)) return false;
  if (q.shape.rank() != 3 || k.shape.rank() != 3 || q.shape[2] < 1 || q.shape[2] > max_dim) return false;
  return lse.dtype == DType::f32 && lse.shape == Shape{q.shape[0], q.shape[1]} && lse.contiguous() &&
         layout.query_rows.shape[0] == q.shape[0];
}

/// Finds the heads of a tensor [rows, H, D]; false when its layout is not covered.
bool take(onednn::Heads& heads, const View& view, std::int64_t rows, const View& q) {
  const auto found = heads_of(view, rows, q.shape[1], q.shape[2]);
  if (found) heads = *found;
  return found.has_value();
}

bool take_inputs(AttentionTask& task, const View& q, const View& k, const View& v, const View& out, const View& lse,
                 const AttentionLayout& layout, double scale) {
  if (!is_covered(q, k, lse, layout)) return false;
  const std::int64_t queries = q.shape[0], tokens = k.shape[0];
  task.heads = q.shape[1];
  task.dim = q.shape[2];
  task.scale = static_cast<float>(scale);
  task.lse = lse.as<float>();
  return take(task.q, q, queries, q) && take(task.k, k, tokens, q) && take(task.v, v, tokens, q) &&
         take(task.out, out, queries, q);
}

/// Runs `kernel` on every thread's units, each thread with `floats` of scratch memory.
template <class Kernel>
void run(Impl& impl, const AttentionTask& task, std::int64_t floats, Kernel&& kernel) {
  float* scratch = impl.floats(Slot::attention, floats * impl.threads);
  const std::int64_t work = task.plan->total_cost() * task.dim / 8;
  onednn::parallel(impl, impl.threads, work, [&](std::int64_t, std::int64_t, int part) {
    kernel(task, part, impl.threads, scratch + floats * part);
  });
}

}  // namespace

bool onednn_backend::try_attention(stream& s, const View& out, const View& lse, const View& q, const View& k,
                                   const View& v, const AttentionLayout& layout, double scale) {
  AttentionTask task;
  if (!take_inputs(task, q, k, v, out, lse, layout, scale)) return false;
  const AttentionPlan plan(s.impl(), layout, k.shape[0], task.heads);
  task.plan = &plan;
  run(s.impl(), task, onednn::attention_forward_scratch(task), onednn::attention_forward);
  return true;
}

bool onednn_backend::try_attention_backward(stream& s, const View& dq, const View& dk, const View& dv, const View& dout,
                                            const View& q, const View& k, const View& v, const View& out,
                                            const View& lse, const AttentionLayout& layout, double scale) {
  AttentionTask task;
  const std::int64_t queries = q.shape[0], tokens = k.shape[0];
  if (!take_inputs(task, q, k, v, out, lse, layout, scale) || !take(task.grad_q, dq, queries, q) ||
      !take(task.grad_k, dk, tokens, q) || !take(task.grad_v, dv, tokens, q) ||
      !take(task.grad_out, dout, queries, q)) {
    return false;
  }
  const AttentionPlan plan(s.impl(), layout, tokens, task.heads);
  task.plan = &plan;
  run(s.impl(), task, onednn::attention_backward_scratch(task), onednn::attention_backward);
  return true;
}

}  // namespace chronotope
