#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "arithmetic.hpp"
#include "chronotope/core/error.hpp"
#include "loops.hpp"
#include "strided.hpp"

namespace chronotope::cpu {

namespace {

std::vector<std::int64_t> checked_ids(const char* operation, const View& ids, std::int64_t extent) {
  std::vector<std::int64_t> checked(static_cast<std::size_t>(ids.shape[0]));
  copy(contiguous_view(checked.data(), DType::i64, ids.shape), ids);
  for (std::size_t i = 0; i < checked.size(); ++i)
    if (checked[i] < 0 || checked[i] >= extent)
      throw ShapeError("[" + std::string(operation) + "] id " + std::to_string(checked[i]) + " at position " +
                       std::to_string(i) + " is outside a table of " + std::to_string(extent) + " rows");
  return checked;
}

/// The axes of one row, operands `to` and `from`.
Loop<2> row_loop(const View& to, const View& from) {
  return make_loop(to.shape, 1, to.shape.rank(), to.strides, from.strides);
}

template <class T> void gather_of(const View& out, const View& table, const std::vector<std::int64_t>& ids) {
  const Loop<2> row = row_loop(out, table);
  if (row.empty) return;
  const bool flat = row.merged_to_line() && row.step(0) == 1 && row.step(1) == 1;
  const auto bytes = static_cast<std::size_t>(row.line()) * sizeof(T);
  T* to = out.as<T>();
  for (const std::int64_t id : ids) {
    const T* from = table.as<T>() + id * table.strides[0];
    if (flat) {
      std::memcpy(to, from, bytes);
    } else {
      for_each_line(row, [&](const auto& at) {
        for (std::int64_t i = 0; i < row.line(); ++i) to[at[0] + i * row.step(0)] = from[at[1] + i * row.step(1)];
      });
    }
    to += out.strides[0];
  }
}

template <class T> void add_line(T* to, std::int64_t st, const T* from, std::int64_t sf, std::int64_t n) {
  if (st == 1 && sf == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = wrap_add(to[i], from[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * st] = wrap_add(to[i * st], from[i * sf]);
  }
}

template <class T> void scatter_add_of(const View& table, const std::vector<std::int64_t>& ids, const View& rows) {
  const Loop<2> row = row_loop(table, rows);
  const T* from = rows.as<T>();
  for (const std::int64_t id : ids) {
    T* to = table.as<T>() + id * table.strides[0];
    for_each_line(row,
                  [&](const auto& at) { add_line(to + at[0], row.step(0), from + at[1], row.step(1), row.line()); });
    from += rows.strides[0];
  }
}

template <class T> struct Ranked {
  T value;
  std::int32_t index;
};

/// Ranks a higher than b: the larger value, NaN below all of them.
template <class T> bool beats(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a > b || (a == a && b != b);
  else return a > b;
}

template <class T> bool ranks_before(const Ranked<T>& a, const Ranked<T>& b) {
  if (beats(a.value, b.value)) return true;
  return !beats(b.value, a.value) && a.index < b.index;
}

// A heap of the best so far, its worst on top. Columns come in ascending order, so an equal value never displaces one.
template <class T>
void best_of_row(std::vector<Ranked<T>>& best, const T* in, std::int64_t step, std::int64_t columns) {
  const auto k = static_cast<std::int64_t>(best.size());
  for (std::int64_t c = 0; c < k; ++c) best[c] = {in[c * step], static_cast<std::int32_t>(c)};
  std::make_heap(best.begin(), best.end(), ranks_before<T>);
  for (std::int64_t c = k; c < columns; ++c) {
    if (!beats(in[c * step], best.front().value)) continue;
    std::pop_heap(best.begin(), best.end(), ranks_before<T>);
    best.back() = {in[c * step], static_cast<std::int32_t>(c)};
    std::push_heap(best.begin(), best.end(), ranks_before<T>);
  }
  std::sort_heap(best.begin(), best.end(), ranks_before<T>);
}

template <class T> void topk_of(const View& values, const View& indices, const View& in) {
  const std::int64_t k = values.shape[1];
  if (k == 0) return;
  std::vector<Ranked<T>> best(static_cast<std::size_t>(k));
  for (std::int64_t r = 0; r < in.shape[0]; ++r) {
    best_of_row(best, in.as<T>() + r * in.strides[0], in.strides[1], in.shape[1]);
    for (std::int64_t i = 0; i < k; ++i) {
      values.as<T>()[r * values.strides[0] + i * values.strides[1]] = best[i].value;
      indices.as<std::int32_t>()[r * indices.strides[0] + i * indices.strides[1]] = best[i].index;
    }
  }
}

}  // namespace

void gather(const View& out, const View& table, const View& ids) {
  const auto checked = checked_ids("gather", ids, table.shape[0]);
  dispatch(out.dtype, [&](auto zero) { gather_of<decltype(zero)>(out, table, checked); });
}

void scatter_add(const View& table, const View& ids, const View& rows) {
  const auto checked = checked_ids("scatter_add", ids, table.shape[0]);
  dispatch(table.dtype, [&](auto zero) { scatter_add_of<decltype(zero)>(table, checked, rows); });
}

void topk(const View& values, const View& indices, const View& in) {
  if (values.shape[1] > in.shape[1])
    throw ShapeError("[topk] k = " + std::to_string(values.shape[1]) + " exceeds the " + std::to_string(in.shape[1]) +
                     " columns of " + to_string(in.shape));
  dispatch(in.dtype, [&](auto zero) { topk_of<decltype(zero)>(values, indices, in); });
}

}  // namespace chronotope::cpu
