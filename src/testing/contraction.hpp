#pragma once
// Cases for matmul, reduce and cumsum.

#include <limits>

#include "testing/elementwise.hpp"

namespace chronotope::testing {

/// A reference sum: integers exactly, floats with the tolerance of their terms.
template <class T> class ReferenceSum {
 public:
  void add(T a, T b = 1) {
    if constexpr (std::is_floating_point_v<T>) terms_.add(static_cast<long double>(a) * b);
    else whole_ += static_cast<std::int64_t>(a) * b;
  }
  Expected<T> result() const {
    if constexpr (std::is_floating_point_v<T>) return {terms_.total(), terms_.tolerance<T>()};
    else return {static_cast<T>(whole_)};
  }

 private:
  TermSum terms_;
  std::int64_t whole_ = 0;
};

struct MatmulSize {
  std::int64_t m, n, k;
  Shape batch;
};

inline Shape matrices(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

/// The operands of one product; `out` holds numbers where they count (beta != 0) and poison where they must not.
template <class T> struct Matmul {
  Operand<T> out, a, b;
  MatmulSize size;
  double beta;

  Matmul(Suite& suite, const MatmulSize& s, const std::vector<Layout>& layout, double beta)
      : out(suite.target, matrices(s.batch, s.m, s.n), layout[0]),
        a(suite.target, matrices(s.batch, s.m, s.k), layout[1]),
        b(suite.target, matrices(s.batch, s.k, s.n), layout[2]),
        size(s),
        beta(beta) {
    const bool equal = repeats(layout[1]) && repeats(layout[2]);
    a.set_all([&](std::int64_t) { return suite.sequential_term<T>(s.k, equal); });
    b.set_all([&](std::int64_t) { return suite.sequential_term<T>(s.k, equal); });
    if (beta != 0) out.set_all([&](std::int64_t) { return suite.sequential_term<T>(s.k, equal); });
  }

  Expected<T> reference(std::int64_t i) const {
    const std::int64_t column = i % size.n, row = i / size.n, matrix = row / size.m;
    ReferenceSum<T> sum;
    for (std::int64_t k = 0; k < size.k; ++k) sum.add(a[row * size.k + k], b[(matrix * size.k + k) * size.n + column]);
    if (beta != 0) sum.add(static_cast<T>(beta), out[i]);
    return sum.result();
  }

  void check(Suite& suite, const char* what = "matmul") {
    Case c(suite, std::string(what) + " beta " + show(beta), out, a, b);
    if (c.call([&] { suite.target.matmul(out.view(), a.view(), b.view(), beta); }))
      c.expect(out, [&](std::int64_t i) { return reference(i); });
    c.unchanged(a, b);
  }
};

/// A NaN or an infinity reaches exactly the outputs it is multiplied into.
template <class T> void matmul_specials(Suite& suite) {
  if constexpr (std::is_floating_point_v<T>) {
    for (const T special : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
      Matmul<T> product(suite, {9, 21, 17, {}}, {Layout::contiguous, Layout::contiguous, Layout::contiguous}, 0);
      product.a.set(5 * 17 + 3, special);
      product.b.set(11 * 21 + 20, special);
      product.check(suite, "matmul of NaN or inf");
    }
  }
}

inline void matmul_cases(Suite& suite) {
  const std::vector<MatmulSize> sizes{{1, 1, 1, {}},
                                      {3, 5, 7, {}},
                                      {17, 1, 9, {}},
                                      {1, 19, 10, {}},
                                      {16, 16, 16, {}},
                                      {33, 65, 10, {}},
                                      {0, 4, 3, {}},
                                      {4, 0, 3, {}},
                                      {4, 3, 0, {}},
                                      {37, 23, 150, {}},
                                      {5, 3, 4, {2}},
                                      {4, 6, 5, {2, 3}},
                                      {3, 2, 4, {0}},
                                      {1, 8, 6, {5}},
                                      {6, 4, 0, {3}},
                                      {9, 16, 12, {1, 3}},
                                      {2, 3, 2, {1, 2, 1, 1, 2, 1}}};
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    for (const MatmulSize& size : sizes)
      for (const double beta : {0.0, 1.0, std::is_floating_point_v<T> ? -0.5 : 2.0})
        for (const auto& layout : suite.layouts(1, 2)) Matmul<T>(suite, size, layout, beta).check(suite);
    matmul_specials<T>(suite);
  });
}

struct ReduceSize {
  Shape shape;
  unsigned axes;  ///< bit i: axis i is reduced
};

inline Shape reduced_shape(const ReduceSize& size) {
  Shape out = size.shape;
  for (int i = 0; i < out.rank(); ++i)
    if (size.axes >> i & 1) out[i] = 1;
  return out;
}

/// Calls f(output element, input element) for every element of the input, both in row-major order.
template <class F> void for_each_reduced(const ReduceSize& size, F&& f) {
  const Shape out = reduced_shape(size);
  for (std::int64_t i = 0, n = size.shape.elements(); i < n; ++i) {
    const auto at = position(size.shape, i);
    std::int64_t to = 0;
    for (int axis = 0; axis < out.rank(); ++axis) to = to * out[axis] + (out[axis] == 1 ? 0 : at[axis]);
    f(to, i);
  }
}

template <class T> Expected<T> least() {
  if constexpr (std::is_floating_point_v<T>) return exactly(-std::numeric_limits<T>::infinity());
  else return exactly(std::numeric_limits<T>::min());
}

template <class T>
std::vector<Expected<T>> reduce_reference(Reduction op, const ReduceSize& size, const Operand<T>& in) {
  const auto n = static_cast<std::size_t>(reduced_shape(size).elements());
  std::vector<ReferenceSum<T>> sums(n);
  std::vector<Expected<T>> wanted(n, least<T>());
  for_each_reduced(size, [&](std::int64_t to, std::int64_t from) {
    if (op == Reduction::sum) sums[to].add(in[from]);
    else if (in[from] != in[from] || in[from] > wanted[to].value) wanted[to].value = in[from];
  });
  if (op == Reduction::sum)
    for (std::size_t i = 0; i < n; ++i) wanted[i] = sums[i].result();
  return wanted;
}

template <class T>
void reduce_case(Suite& suite, Reduction op, const ReduceSize& size, const std::vector<Layout>& layout, bool specials) {
  Operand<T> out(suite.target, reduced_shape(size), layout[0]), in(suite.target, size.shape, layout[1]);
  in.set_all([&](std::int64_t) { return suite.term<T>(); });
  if (specials) {
    in.set_all([&](std::int64_t i) { return i % 2 ? in[i] : static_cast<T>(least<T>().value); });
    if (std::is_floating_point_v<T> && in.size() > 0)
      in.set(suite.below(in.size()), std::numeric_limits<T>::quiet_NaN());
  }
  const auto wanted = reduce_reference(op, size, in);
  Case c(suite, std::string("reduce ") + (op == Reduction::sum ? "sum" : "max"), out, in);
  if (c.call([&] { suite.target.reduce(op, out.view(), in.view()); }))
    c.expect(out, [&](std::int64_t i) { return wanted[i]; });
  c.unchanged(in);
}

inline void reduce_cases(Suite& suite) {
  const std::vector<ReduceSize> sizes{{{}, 0},
                                      {{7}, 1},
                                      {{3, 5}, 0},
                                      {{3, 5}, 1},
                                      {{3, 5}, 2},
                                      {{3, 5}, 3},
                                      {{2, 3, 4}, 1},
                                      {{2, 3, 4}, 2},
                                      {{2, 3, 4}, 4},
                                      {{2, 3, 4}, 5},
                                      {{2, 3, 4}, 6},
                                      {{17, 33}, 1},
                                      {{17, 33}, 2},
                                      {{0}, 1},
                                      {{3, 0}, 2},
                                      {{0, 3}, 1},
                                      {{0, 3}, 2},
                                      {{1, 1}, 3},
                                      {{130, 9}, 1},
                                      {{9, 130}, 2},
                                      {{2, 1, 3, 1, 2, 2, 1, 3}, 0x55},
                                      {{2, 1, 3, 1, 2, 2, 1, 3}, 0xAA}};
  const std::vector<ReduceSize> long_sums{{{3, 5000}, 2}, {{5000, 3}, 1}, {{20000}, 1}, {{40, 25, 3}, 3}};
  suite.for_each_dtype([&](auto zero) {
    using T = decltype(zero);
    for (const Reduction op : {Reduction::sum, Reduction::max}) {
      for (const ReduceSize& size : sizes)
        for (const auto& layout : suite.layouts(1, 1)) reduce_case<T>(suite, op, size, layout, false);
      if (sizeof(T) > 1 || op == Reduction::max)
        for (const ReduceSize& size : long_sums)
          for (const Layout in : {Layout::contiguous, Layout::transposed, Layout::padded})
            reduce_case<T>(suite, op, size, {Layout::contiguous, in}, false);
    }
    for (const ReduceSize& size : sizes)
      reduce_case<T>(suite, Reduction::max, size, {Layout::contiguous, Layout::padded}, true);
  });
}

template <class T> void cumsum_case(Suite& suite, const Shape& shape, int axis, const std::vector<Layout>& layout) {
  Operand<T> out(suite.target, shape, layout[0]), in(suite.target, shape, layout[1]);
  in.set_all([&](std::int64_t) { return suite.term<T>(); });
  const std::int64_t step = contiguous_strides(shape)[axis];
  Case c(suite, "cumsum over axis " + std::to_string(axis), out, in);
  if (c.call([&] { suite.target.cumsum(out.view(), in.view(), axis); }))
    c.expect(out, [&](std::int64_t i) {
      ReferenceSum<T> sum;
      for (std::int64_t back = position(shape, i)[axis]; back >= 0; --back) sum.add(in[i - back * step]);
      return sum.result();
    });
  c.unchanged(in);
}

inline void cumsum_cases(Suite& suite) {
  const std::vector<Shape> shapes{{1},  {0}, {7}, {3, 5}, {5, 0, 3}, {2, 3, 4}, {17, 33}, {2, 1, 3, 1, 2, 2, 1, 3},
                                  {240}};
  suite.for_each_dtype([&](auto zero) {
    for (const Shape& shape : shapes)
      for (int axis = 0; axis < shape.rank(); ++axis)
        for (const auto& layout : suite.layouts(1, 1)) cumsum_case<decltype(zero)>(suite, shape, axis, layout);
  });
}

}  // namespace chronotope::testing
