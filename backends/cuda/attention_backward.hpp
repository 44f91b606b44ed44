#pragma once
// The backward pass of attention: delta, the sum of dout * out of each query and head, then the gradients of queries by units and those of keys
// and values by tiles of keys, each with its weights anew from the scores and lse. Every sum has one owner and one order.

#include "attention.hpp"

namespace chronotope::cuda {

template <class T> struct AttentionGradients {
  AttentionTask<T> task;
  HeadRows<T> dq, dk, dv, dout;
  T* delta;  ///< [Q, H]

  /// Of a query's head, in units of ln 2.
  __device__ T log_sum(std::int32_t query, std::int32_t head) const {
    return task.lse[std::int64_t{query} * task.heads + head] * static_cast<T>(std::numbers::log2e);
  }
};

/// Both in f32 and f64, of heads as wide as attention_covers() says.
template <class T> void attention_query_gradient(const Queue& queue, const AttentionGradients<T>& gradients, std::int64_t most_units);
template <class T> void attention_key_gradient(const Queue& queue, const AttentionGradients<T>& gradients);

/// Queries of a unit that attention_query_gradient() takes, of heads up to a width.
template <class T> constexpr int gradient_unit_rows(std::int64_t width) {
  if (sizeof(T) == 8) return 16;
  return width <= 64 ? 64 : width <= 128 ? 32 : 16;
}

}  // namespace chronotope::cuda
