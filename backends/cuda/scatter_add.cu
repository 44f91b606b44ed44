// scatter_add, the same bits as on a CPU: ids are sorted, stably, and each column of a table row adds its rows in ascending
// order. One thread does that for all of an id's rows, so an id that has most of them is slow; nothing is quadratic.
#include "cpu/arithmetic.hpp"
#include "ids.hpp"
#include "kernels.hpp"
#include "merge_sort.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = sort_threads;
constexpr std::int64_t chunk = sort_chunk_size;

using IdPairs = Pairs<std::int64_t, std::int64_t>;  // id, position

/// Reads a chunk of ids and sorts it. Bad ids are told of and go to the end.
__global__ void sort_chunks(Ids ids, IdPairs out, IdPairs scratch) {
  for (std::int64_t begin = blockIdx.x * chunk; begin < ids.count; begin += gridDim.x * chunk) {
    const std::int64_t end = begin + chunk < ids.count ? begin + chunk : ids.count;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
      std::int64_t id = ids.at(i);
      if (!ids.inside(id)) {
        ids.report(id, i);
        id = ids.rows;
      }
      out.keys[i] = id;
      out.values[i] = i;
    }
    sort_chunk(out, scratch, begin, end);
  }
}

/// The walk is over one row (table, rows). The thread of an id's first position has all the work of its column.
template <class T>
__global__ void add_rows(IdPairs sorted, std::int64_t count, std::int64_t table_rows, Walk<2> row, std::int64_t table_step, std::int64_t rows_step,
                         T* table, const T* rows) {
  for (std::int64_t item = first_item(); item < count * row.elements; item += item_step()) {
    const std::int64_t i = item / row.elements, id = sorted.keys[i];
    if (id >= table_rows || (i > 0 && sorted.keys[i - 1] == id)) continue;
    std::int64_t at[2];
    row.locate(item - i * row.elements, at);
    T& to = table[id * table_step + at[0]];
    T sum = to;
    for (std::int64_t j = i; j < count && sorted.keys[j] == id; ++j) sum = cpu::wrap_add(sum, rows[sorted.values[j] * rows_step + at[1]]);
    to = sum;
  }
}

}  // namespace

void scatter_add(const Queue& queue, const View& table, const View& ids, const View& rows) {
  const Ids which(queue, ids, table.shape[0], true);
  const Walk<2> row(cpu::make_loop(table.shape, 1, table.shape.rank(), table.strides, rows.strides));
  if (which.count == 0 || row.elements == 0) return;
  const auto bytes = static_cast<std::size_t>(which.count) * sizeof(std::int64_t);
  const Scratch scratch(queue, 4 * bytes, "scatter_add");
  IdPairs sorted{scratch.as<std::int64_t>(), scratch.as<std::int64_t>(bytes)};
  IdPairs other{scratch.as<std::int64_t>(2 * bytes), scratch.as<std::int64_t>(3 * bytes)};
  launch(queue, "scatter_add", sort_chunks, blocks_for(which.count, chunk), threads, which, sorted, other);
  merge_chunks(queue, "scatter_add", sorted, other, which.count);
  dispatch(table.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(queue, "scatter_add", add_rows<T>, blocks_for(which.count * row.elements, threads), threads, sorted, which.count, which.rows, row,
           table.strides[0], rows.strides[0], table.as<T>(), rows.as<T>());
  });
}

}  // namespace chronotope::cuda
