// gather and scatter_add of dense rows, top-k of dense f32 rows. Bad ids go to the portable loops, which name them.

#include <cstring>
#include <optional>

#include "cpu/loops.hpp"
#include "reduce_kernels.hpp"
#include "views.hpp"
#include "walk.hpp"

namespace chronotope {
namespace {

using onednn::Impl;
using onednn::parallel;

/// Row numbers of either width.
class Ids {
 public:
  explicit Ids(const View& v) : data_(v.data), wide_(v.dtype == DType::i64), step_(v.strides[0]), count_(v.shape[0]) {}
  std::int64_t operator[](std::int64_t i) const {
    return wide_ ? static_cast<const std::int64_t*>(data_)[i * step_]
                 : static_cast<const std::int32_t*>(data_)[i * step_];
  }
  bool within(std::int64_t rows) const {
    bool fit = true;
    for (std::int64_t i = 0; i < count_; ++i) fit &= (*this)[i] >= 0 && (*this)[i] < rows;
    return fit;
  }

 private:
  const void* data_;
  bool wide_;
  std::int64_t step_, count_;
};

/// Elements of a row when the rows of both views are dense, 0 when they are empty or not dense.
std::int64_t dense_row(const View& a, const View& b) {
  const auto row = cpu::make_loop(a.shape, 1, a.shape.rank(), a.strides, b.strides);
  return !row.empty && row.merged_to_line() && row.step(0) == 1 && row.step(1) == 1 ? row.line() : 0;
}

struct Ranked {
  float value;
  std::int32_t index;
};

bool beats(float a, float b) { return a > b || (a == a && b != b); }

bool ranks_before(const Ranked& a, const Ranked& b) {
  if (beats(a.value, b.value)) return true;
  return !beats(b.value, a.value) && a.index < b.index;
}

bool any_beats(const float* x, std::int64_t n, float least) {
  bool any = false;
  for (std::int64_t i = 0; i < n; ++i) any |= x[i] > least;
  return any;
}

/// The best k of a row, in order. They are kept in a heap with the worst on top; most blocks hold nothing better.
void best_of_row(Ranked* best, std::int64_t k, const float* x, std::int64_t columns) {
  constexpr std::int64_t block = 32;
  for (std::int64_t c = 0; c < k; ++c) best[c] = {x[c], static_cast<std::int32_t>(c)};
  std::make_heap(best, best + k, ranks_before);
  for (std::int64_t begin = k; begin < columns; begin += block) {
    const std::int64_t end = std::min(columns, begin + block);
    if (best->value == best->value && !any_beats(x + begin, end - begin, best->value)) continue;
    for (std::int64_t c = begin; c < end; ++c) {
      if (!beats(x[c], best->value)) continue;
      std::pop_heap(best, best + k, ranks_before);
      best[k - 1] = {x[c], static_cast<std::int32_t>(c)};
      std::push_heap(best, best + k, ranks_before);
    }
  }
  std::sort_heap(best, best + k, ranks_before);
}

/// Rows that are asked for this many steps before they are used: looked-up rows lie anywhere.
constexpr std::int64_t ahead = 16;

/// Adds rows to the elements [begin, end) of the table's rows [low, high), in ascending order of the rows. Only what this
/// thread will add to is asked for: a line that another thread writes to would be taken away from it.
void add_rows_within(const View& table, const Ids& ids, const View& rows, std::int64_t low, std::int64_t high,
                     std::int64_t begin, std::int64_t end) {
  const std::int64_t count = rows.shape[0];
  const auto mine = [&](std::int64_t i) { return ids[i] >= low && ids[i] < high; };
  const auto to = [&](std::int64_t i) { return table.as<float>() + ids[i] * table.strides[0] + begin; };
  const auto from = [&](std::int64_t i) { return rows.as<float>() + i * rows.strides[0] + begin; };
  for (std::int64_t i = 0; i < count; ++i) {
    if (i + ahead < count && mine(i + ahead)) __builtin_prefetch(to(i + ahead), 1), __builtin_prefetch(from(i + ahead));
    if (mine(i)) onednn::add_rows(from(i), 0, 1, end - begin, to(i));
  }
}

/// Rows of `bytes` bytes, of which whole multiples of a small block are copied without a call.
void copy_row(char* to, const char* from, std::size_t bytes) {
  constexpr std::size_t block = 64, most = 4 * block;
  if (bytes > most || bytes % block != 0) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes; i += block) std::memcpy(to + i, from + i, block);
}

}  // namespace

void onednn_backend::gather(stream& s, const View& out, const View& table, const View& ids) {
  const std::int64_t width = dense_row(out, table);
  const Ids rows(ids);
  if (width == 0 || !rows.within(table.shape[0])) return cpu::gather(out, table, ids);
  const std::size_t size = size_of(out.dtype), bytes = size * static_cast<std::size_t>(width);
  const auto address = [size](const View& v, std::int64_t row) {
    return static_cast<char*>(v.data) + row * v.strides[0] * static_cast<std::int64_t>(size);
  };
  parallel(s.impl(), out.shape[0], out.shape[0] * width, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (i + ahead < end) __builtin_prefetch(address(table, rows[i + ahead]));
      copy_row(address(out, i), address(table, rows[i]), bytes);
    }
  });
}

void onednn_backend::scatter_add(stream& s, const View& table, const View& ids, const View& rows) {
  constexpr std::int64_t grain = 64;
  const std::int64_t width = table.dtype == DType::f32 ? dense_row(table, rows) : 0, extent = table.shape[0];
  const Ids row_ids(ids);
  if (width == 0 || !row_ids.within(extent)) return cpu::scatter_add(table, ids, rows);
  // Threads share out columns or, where rows are short, the table's rows: each element is added to by one thread.
  if (width >= grain * s.threads()) {
    parallel(s.impl(), width, rows.elements(), grain, [&](std::int64_t begin, std::int64_t end, int) {
      add_rows_within(table, row_ids, rows, 0, extent, begin, end);
    });
  } else {
    parallel(s.impl(), extent, rows.elements(), [&](std::int64_t low, std::int64_t high, int) {
      add_rows_within(table, row_ids, rows, low, high, 0, width);
    });
  }
}

void onednn_backend::topk(stream& s, const View& values, const View& indices, const View& in) {
  const auto rows = onednn::rows_of(in);
  const std::int64_t k = values.shape[1];
  if (!rows || k == 0 || k > rows->columns) return cpu::topk(values, indices, in);
  auto* memory = static_cast<Ranked*>(
      s.impl().scratch.get(onednn::Slot::partial, sizeof(Ranked) * static_cast<std::size_t>(k * s.threads())));
  parallel(s.impl(), rows->rows, in.elements(), [&](std::int64_t begin, std::int64_t end, int part) {
    Ranked* best = memory + k * part;
    for (std::int64_t r = begin; r < end; ++r) {
      best_of_row(best, k, rows->row(r), rows->columns);
      for (std::int64_t i = 0; i < k; ++i) {
        values.as<float>()[r * values.strides[0] + i * values.strides[1]] = best[i].value;
        indices.as<std::int32_t>()[r * indices.strides[0] + i * indices.strides[1]] = best[i].index;
      }
    }
  });
}

}  // namespace chronotope
