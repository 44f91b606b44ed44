#pragma once
// Cases for gather, scatter_add and topk.

#include <algorithm>

#include "testing/contraction.hpp"

namespace chronotope::testing {

struct IndexSize {
  std::int64_t rows;  ///< N, of the table
  std::int64_t ids;   ///< M
  Shape tail;         ///< of one row
};

inline const std::vector<IndexSize>& index_sizes() {
  static const std::vector<IndexSize> sizes{{4, 6, {}},      {1, 3, {5}},    {7, 1, {1}},
                                            {9, 20, {3, 4}}, {5, 0, {3}},    {5, 4, {0}},
                                            {0, 0, {2}},     {50, 70, {33}}, {3, 9, {1, 2, 1, 1, 2, 1, 2}}};
  return sizes;
}

inline Shape rows_of(std::int64_t rows, const Shape& tail) {
  Shape shape{rows};
  for (const std::int64_t extent : tail) shape.push_back(extent);
  return shape;
}

/// Ids in any order, some repeated.
template <class I> void set_ids(Suite& suite, Operand<I>& ids, std::int64_t rows) {
  ids.set_all([&](std::int64_t) { return suite.below(rows); });
}

/// Calls f(zero of the type) for each supported dtype of ids.
template <class F> void for_each_id_type(Suite& suite, F&& f) {
  if (suite.target.supports(DType::i32)) f(std::int32_t{});
  if (suite.target.supports(DType::i64)) f(std::int64_t{});
}

template <class T, class I> void gather_case(Suite& suite, const IndexSize& size, const std::vector<Layout>& layout) {
  Operand<T> out(suite.target, rows_of(size.ids, size.tail), layout[0]);
  Operand<T> table(suite.target, rows_of(size.rows, size.tail), layout[1]);
  Operand<I> ids(suite.target, {size.ids}, layout[2]);
  table.set_all([&](std::int64_t) { return suite.number<T>(); });
  set_ids(suite, ids, size.rows);
  const std::int64_t width = size.tail.elements();
  Case c(suite, "gather", out, table, ids);
  if (c.call([&] { suite.target.gather(out.view(), table.view(), ids.view()); }))
    c.expect(out, [&](std::int64_t i) { return exactly(table[ids[i / width] * width + i % width]); });
  c.unchanged(table);
  c.unchanged(ids);
}

template <class T, class I>
void scatter_add_case(Suite& suite, const IndexSize& size, const std::vector<Layout>& layout) {
  Operand<T> table(suite.target, rows_of(size.rows, size.tail), layout[0]);
  Operand<T> rows(suite.target, rows_of(size.ids, size.tail), layout[1]);
  Operand<I> ids(suite.target, {size.ids}, layout[2]);
  table.set_all([&](std::int64_t) { return suite.sequential_term<T>(size.ids, repeats(layout[1])); });
  rows.set_all([&](std::int64_t) { return suite.sequential_term<T>(size.ids, repeats(layout[1])); });
  set_ids(suite, ids, size.rows);
  const std::int64_t width = size.tail.elements();
  Case c(suite, "scatter_add", table, rows, ids);
  if (c.call([&] { suite.target.scatter_add(table.view(), ids.view(), rows.view()); }))
    c.expect(table, [&](std::int64_t i) {
      ReferenceSum<T> sum;
      sum.add(table[i]);
      for (std::int64_t m = 0; m < size.ids; ++m)
        if (ids[m] == i / width) sum.add(rows[m * width + i % width]);
      return sum.result();
    });
  c.unchanged(rows);
  c.unchanged(ids);
}

/// One id outside the table, of which ShapeError must tell; nothing but the output may have changed.
template <class I> void bad_id_case(Suite& suite, std::int64_t bad, bool scatter) {
  Operand<float> table(suite.target, {5, 3}), rows(suite.target, {4, 3});
  Operand<I> ids(suite.target, {4});
  ids.set_all([&](std::int64_t i) { return i == 2 ? bad : 1; });
  table.set_all([&](std::int64_t) { return suite.number<float>(); });
  rows.set_all([&](std::int64_t) { return suite.number<float>(); });
  Case c(suite, std::string(scatter ? "scatter_add" : "gather") + " of id " + std::to_string(bad), table, rows, ids);
  try {
    if (scatter) suite.target.scatter_add(table.view(), ids.view(), rows.view());
    else suite.target.gather(rows.view(), table.view(), ids.view());
    c.fail("threw nothing, wanted ShapeError");
  } catch (const ShapeError& e) {
    if (std::string(e.what()).find(std::to_string(bad)) == std::string::npos)
      c.fail("threw a ShapeError that does not name the id: " + std::string(e.what()));
  } catch (const std::exception& e) {
    c.fail("wanted ShapeError, but threw: " + std::string(e.what()));
  }
  c.unchanged(scatter ? rows : table);
  c.unchanged(ids);
}

/// f(zero of the dtype, zero of the type of ids, size, layouts)
template <class F> void for_each_index_case(Suite& suite, F&& f) {
  suite.for_each_dtype([&](auto zero) {
    for_each_id_type(suite, [&](auto id) {
      for (const IndexSize& size : index_sizes())
        for (const auto& layout : suite.layouts(1, 2)) f(zero, id, size, layout);
    });
  });
}

inline void bad_id_cases(Suite& suite, bool scatter) {
  if (!suite.options.reports_bad_ids || !suite.target.supports(DType::f32)) return;
  for_each_id_type(suite, [&](auto id) {
    using I = decltype(id);
    for (const std::int64_t bad : {-1, 5, std::numeric_limits<std::int32_t>::max()})
      bad_id_case<I>(suite, bad, scatter);
    // Would be row 1 if cut to 32 bits.
    if (sizeof(I) == 8) bad_id_case<I>(suite, (std::int64_t{1} << 32) + 1, scatter);
  });
}

inline void gather_cases(Suite& suite) {
  for_each_index_case(suite, [&](auto zero, auto id, const IndexSize& size, const std::vector<Layout>& layout) {
    gather_case<decltype(zero), decltype(id)>(suite, size, layout);
  });
  bad_id_cases(suite, false);
}

inline void scatter_add_cases(Suite& suite) {
  for_each_index_case(suite, [&](auto zero, auto id, const IndexSize& size, const std::vector<Layout>& layout) {
    scatter_add_case<decltype(zero), decltype(id)>(suite, size, layout);
  });
  bad_id_cases(suite, true);
}

struct TopkSize {
  std::int64_t rows, columns, k;
};

/// The columns of a row, best first.
template <class T> std::vector<std::int64_t> ranking(const Operand<T>& in, std::int64_t row, std::int64_t columns) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(columns));
  for (std::int64_t i = 0; i < columns; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const T x = in[row * columns + a], y = in[row * columns + b];
    return x > y || (x == x && y != y);
  });
  return order;
}

template <class T>
void topk_case(Suite& suite, const TopkSize& size, const std::vector<Layout>& layout, bool only_specials) {
  Operand<T> values(suite.target, {size.rows, size.k}, layout[0]),
      in(suite.target, {size.rows, size.columns}, layout[2]);
  Operand<std::int32_t> indices(suite.target, {size.rows, size.k}, layout[1]);
  in.set_all([&](std::int64_t) {
    if constexpr (std::is_floating_point_v<T>) {
      const T inf = std::numeric_limits<T>::infinity();
      const T special[] = {std::numeric_limits<T>::quiet_NaN(), -inf, inf, T(0), T(1), T(1)};
      if (only_specials || suite.below(3) == 0) return special[suite.below(only_specials ? 2 : 6)];
    }
    return suite.number<T>();
  });
  std::vector<std::int64_t> best;
  for (std::int64_t row = 0; row < size.rows; ++row) {
    const auto order = ranking(in, row, size.columns);
    best.insert(best.end(), order.begin(), order.begin() + size.k);
  }
  Case c(suite, "topk", values, indices, in);
  if (c.call([&] { suite.target.topk(values.view(), indices.view(), in.view()); })) {
    c.expect(values, [&](std::int64_t i) { return exactly(in[i / size.k * size.columns + best[i]]); });
    c.expect(indices, [&](std::int64_t i) { return exactly(static_cast<std::int32_t>(best[i])); });
  }
  c.unchanged(in);
}

inline void topk_cases(Suite& suite) {
  if (!suite.need(DType::i32, "topk")) return;
  const TopkSize sizes[] = {{1, 1, 1}, {3, 7, 2},    {2, 5, 5},      {0, 4, 2},
                            {3, 4, 0}, {2, 300, 17}, {1, 1025, 100}, {4, 33, 1}};
  suite.for_each_dtype([&](auto zero) {
    for (const TopkSize& size : sizes) {
      for (const auto& layout : suite.layouts(2, 1)) topk_case<decltype(zero)>(suite, size, layout, false);
      topk_case<decltype(zero)>(suite, size, std::vector<Layout>(3), true);
    }
  });
}

}  // namespace chronotope::testing
