#pragma once
// Ids of rows: i32 or i64, any stride, checked by the kernel that reads them.

#include "chronotope/core/shape.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

/// The first to find one outside its table tells; the host reads it after the next wait.
__device__ inline void report_id(BadId* bad, bool scatter, std::int64_t id, std::int64_t position, std::int64_t rows) {
  if (atomicCAS(&bad->found, 0u, 1u) != 0u) return;
  bad->scatter = scatter;
  bad->id = id;
  bad->position = position;
  bad->rows = rows;
}

struct Ids {
  const void* data;
  std::int64_t count, stride, rows;  ///< `rows` of the table
  bool wide, scatter;
  BadId* bad;

  Ids(const Queue& queue, const View& ids, std::int64_t table_rows, bool for_scatter)
      : data(ids.data), count(ids.shape[0]), stride(ids.strides[0]), rows(table_rows), wide(ids.dtype == DType::i64),
        scatter(for_scatter), bad(queue.bad_id) {}

  __device__ std::int64_t at(std::int64_t i) const {
    return wide ? static_cast<const std::int64_t*>(data)[i * stride] : static_cast<const std::int32_t*>(data)[i * stride];
  }
  __device__ bool inside(std::int64_t id) const { return id >= 0 && id < rows; }
  __device__ void report(std::int64_t id, std::int64_t position) const { report_id(bad, scatter, id, position, rows); }
};

}  // namespace chronotope::cuda
