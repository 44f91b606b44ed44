// gather: rows of a table, 16 bytes at a time where they lie so.
#include "ids.hpp"
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = 128;

/// The walk is over one row (out, table), the steps are from row to row.
template <class T>
__global__ void gather_rows(Ids ids, Walk<2> row, std::int64_t out_step, std::int64_t table_step, T* out, const T* table) {
  for (std::int64_t i = first_item(); i < ids.count * row.elements; i += item_step()) {
    const std::int64_t position = i / row.elements, id = ids.at(position);
    if (!ids.inside(id)) {
      ids.report(id, position);
      continue;
    }
    std::int64_t at[2];
    row.locate(i - position * row.elements, at);
    out[position * out_step + at[0]] = table[id * table_step + at[1]];
  }
}

/// As elements of type T, `per` of the view's each.
template <class T> void gather_as(const Queue& queue, const View& out, const View& table, const View& ids, std::int64_t per) {
  cpu::Loop<2> loop = cpu::make_loop(out.shape, 1, out.shape.rank(), out.strides, table.strides);
  loop.extent[loop.rank - 1] /= per;
  const Walk<2> row(loop);
  const Ids which(queue, ids, table.shape[0], false);
  if (row.elements == 0 || which.count == 0) return;
  launch(queue, "gather", gather_rows<T>, blocks_for(which.count * row.elements, threads), threads, which, row, out.strides[0] / per,
         table.strides[0] / per, data_of<T>(out), data_of<T>(table));
}

/// Whether rows are dense and begin at multiples of 16 bytes.
bool fits_16(const View& v) {
  const auto bytes = static_cast<std::int64_t>(size_of(v.dtype));
  return reinterpret_cast<std::uintptr_t>(v.data) % 16 == 0 && (v.shape[0] <= 1 || v.strides[0] * bytes % 16 == 0);
}

}  // namespace

void gather(const Queue& queue, const View& out, const View& table, const View& ids) {
  const auto bytes = static_cast<std::int64_t>(size_of(out.dtype));
  const auto loop = cpu::make_loop(out.shape, 1, out.shape.rank(), out.strides, table.strides);
  if (is_dense(loop) && loop.line() * bytes % 16 == 0 && fits_16(out) && fits_16(table))
    return gather_as<Pack<std::uint32_t, 4>>(queue, out, table, ids, 16 / bytes);
  switch (bytes) {
    case 1: return gather_as<std::uint8_t>(queue, out, table, ids, 1);
    case 4: return gather_as<std::uint32_t>(queue, out, table, ids, 1);
    default: return gather_as<std::uint64_t>(queue, out, table, ids, 1);
  }
}

}  // namespace chronotope::cuda
