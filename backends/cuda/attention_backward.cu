// The gradients of attention: delta, then those of queries and those of keys and values by kernels of their own. So there are seven products of
// a visible pair, where one kernel for all would have five: without atomics, no block can own both.
#include "attention_backward.hpp"

namespace chronotope::cuda {

namespace {

/// A query's head to a team.
template <class T> struct Delta {
  HeadRows<T> dout, out;
  T* delta;
  std::int64_t heads;

  template <class Team> __device__ void row(std::int64_t r) const {
    const T *grad = dout.at(r / heads, r % heads), *y = out.at(r / heads, r % heads);
    const T sum = row_sum<Team, T>(dout.width, [&](std::int64_t i) { return grad[i] * y[i]; });
    if (threadIdx.x == 0) delta[r] = sum;
  }
};

}  // namespace

bool attention_backward(const Queue& queue, const View& dq, const View& dk, const View& dv, const View& dout, const View& q, const View& k,
                        const View& v, const View& out, const View& lse, const AttentionLayout& layout, double scale) {
  if (!attention_covers(out, lse, q, k, v, layout) || !attention_covers(dq, lse, dout, dk, dv, layout) || dout.dtype != q.dtype ||
      !(dout.shape == q.shape) || !(dk.shape == k.shape))
    return false;
  with_floating(q.dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t rows = q.shape[0] * q.shape[1];
    const Scratch delta(queue, static_cast<std::size_t>(rows) * sizeof(T), "attention_backward");
    const AttentionPlan plan(queue, layout, k.shape[0], gradient_unit_rows<T>(q.shape[2]));
    const AttentionGradients<T> gradients{AttentionTask<T>(plan, q, k, v, out, lse, scale), HeadRows<T>(dq), HeadRows<T>(dk), HeadRows<T>(dv),
                                          HeadRows<T>(dout), delta.as<T>()};
    for_rows(queue, "attention_backward", rows, q.shape[2], Delta<T>{gradients.dout, gradients.task.out, gradients.delta, q.shape[1]});
    attention_query_gradient(queue, gradients, plan.most_units());
    attention_key_gradient(queue, gradients);
  });
  return true;
}

}  // namespace chronotope::cuda
