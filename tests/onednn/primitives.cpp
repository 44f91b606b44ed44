// Elementwise, copying, reducing and indexing primitives: fast paths and the ways round them.

#include <algorithm>
#include <limits>
#include <numeric>

#include "chronotope/core/error.hpp"
#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

struct Operands {
  Shape shape;
  View a, b;
};

/// Views of one shape in all the layouts that occur: dense, broadcast rows and columns, scalars, slices, transposed.
template <class F> void for_layouts(F&& f) {
  for (const Shape& shape : {Shape{0, 3}, Shape{1, 1}, Shape{5, 3}, Shape{7, 24}, Shape{33, 129}, Shape{300, 100}}) {
    const std::int64_t R = shape[0], D = shape[1];
    const Block dense = random_block(shape), other = random_block(shape), row = random_block({1, D}),
                column = random_block({R, 1});
    const Block turned = random_block({D, R}), scalar = random_block({1, 1});
    Block slice(DType::f32, shape, {R + 1, D + 3});
    randomise(slice);
    const View views[] = {
        other, repeated(row, 0, R),     repeated(column, 1, D), repeated(repeated(scalar, 0, R), 1, D),
        slice, permuted(turned, {1, 0})};
    for (const View& view : views) f(Operands{shape, dense, view}), f(Operands{shape, view, dense});
  }
}

double apply(Binary op, double x, double y) {
  switch (op) {
    case Binary::add: return x + y;
    case Binary::sub: return x - y;
    case Binary::mul: return x * y;
    case Binary::div: return x / y;
    case Binary::max: return std::isnan(x) || std::isnan(y) ? std::nan("") : std::max(x, y);
    case Binary::eq: return x == y;
    default: return x < y;
  }
}

constexpr Binary binaries[] = {Binary::add, Binary::sub, Binary::mul, Binary::div, Binary::max, Binary::eq, Binary::lt};

}  // namespace

TEST_CASE("binary in all layouts") {
  for_layouts([](const Operands& o) {
    for (const Binary op : binaries) {
      const bool compares = op == Binary::eq || op == Binary::lt;
      const Block out(compares ? DType::u8 : DType::f32, o.shape, {o.shape[0], o.shape[1] + 2});
      with_threads({&out}, [&](Fast::stream& s) { Fast::binary(s, op, out, o.a, o.b); });
      check_all("out", out, [&](std::int64_t i) {
        return Reference{static_cast<double>(static_cast<float>(apply(op, get(o.a, i), get(o.b, i))))};
      });
    }
  });
}

TEST_CASE("binary with NaN, infinities and equal values, in place") {
  const double inf = std::numeric_limits<double>::infinity(), values[] = {0, -0.0, 1, -1, inf, -inf, std::nan("")};
  const Block a(DType::f32, {49}), b(DType::f32, {49}), truth(DType::u8, {49});
  Fast::stream s(1);
  for (const Binary op : binaries) {
    for (int i = 0; i < 49; ++i) set(a, i, values[i / 7]), set(b, i, values[i % 7]);
    const bool compares = op == Binary::eq || op == Binary::lt;
    const View& out = compares ? truth.view() : a.view();
    Fast::binary(s, op, out, a, b);
    check_all("out", out, [&](std::int64_t i) { return Reference{apply(op, values[i / 7], values[i % 7])}; });
  }
}

TEST_CASE("unary, select, copy and fill in all layouts") {
  for_layouts([](const Operands& o) {
    const Block out(DType::f32, o.shape), chosen(DType::f32, o.shape),
        copied(DType::f32, o.shape, {o.shape[0], o.shape[1] + 1});
    const Block filled(DType::f32, o.shape, {o.shape[0], o.shape[1] + 1}), cond(DType::u8, o.shape);
    for (std::int64_t i = 0; i < o.shape.elements(); ++i) set(cond, i, static_cast<double>(generator()() % 2 * 255));
    with_threads({&out, &chosen, &copied, &filled}, [&](Fast::stream& s) {
      Fast::unary(s, Unary::exp, out, o.b);
      Fast::select(s, chosen, cond, o.a, o.b);
      Fast::copy(s, copied, o.b);
      Fast::fill(s, filled, 1.5);
    });
    check_all("exp", out, [&](std::int64_t i) { return Reference{std::exp(get(o.b, i))}; });
    const auto exactly = [](const View& v, auto want) {
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < v.elements(); ++i) wrong += get(v, i) != want(i);
      CHECK(wrong == 0);
    };
    exactly(chosen, [&](std::int64_t i) { return get(cond, i) != 0 ? get(o.a, i) : get(o.b, i); });
    exactly(copied, [&](std::int64_t i) { return get(o.b, i); });
    exactly(filled, [](std::int64_t) { return 1.5; });
  });
}

TEST_CASE("copies of permuted tensors, of every size of element") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::u8}) {
    Block in(dtype, {7, 18, 33, 5});
    for (std::int64_t i = 0; i < in.view().elements(); ++i) set(in, i, static_cast<double>(generator()() % 256));
    std::vector<int> order{0, 1, 2, 3};
    do {
      const View from = permuted(in, order);
      const Block out(dtype, from.shape);
      with_threads({&out}, [&](Fast::stream& s) { Fast::copy(s, out, from); });
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < from.elements(); ++i) wrong += get(out, i) != get(from, i);
      CHECK(wrong == 0);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("reductions over every set of axes") {
  for (const Shape& shape :
       {Shape{3, 4, 5}, Shape{100, 1, 30}, Shape{70, 80, 9}, Shape{2, 300, 33}, Shape{1, 1, 20000}, Shape{0, 4, 2}}) {
    const Block dense = random_block(shape), turned = random_block({shape[2], shape[1], shape[0]});
    for (const View& in : {dense.view(), permuted(turned, {2, 1, 0})}) {
      for (int axes = 0; axes < 8; ++axes) {
        Shape kept = shape;
        for (int i = 0; i < 3; ++i)
          if (axes >> i & 1) kept[i] = 1;
        const Block sum(DType::f32, kept), most(DType::f32, kept);
        with_threads({&sum, &most}, [&](Fast::stream& s) {
          Fast::reduce(s, Reduction::sum, sum, in);
          Fast::reduce(s, Reduction::max, most, in);
        });
        std::vector<Reference> sums(static_cast<std::size_t>(kept.elements()));
        std::vector<double> largest(sums.size(), -std::numeric_limits<double>::infinity());
        for (std::int64_t i = 0; i < in.elements(); ++i) {
          const std::int64_t index[] = {i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]};
          std::int64_t to = 0;
          for (int axis = 0; axis < 3; ++axis) to = to * kept[axis] + (kept[axis] == 1 ? 0 : index[axis]);
          sums[to].add(get(in, i));
          largest[to] = std::max(largest[to], get(in, i));
        }
        CAPTURE(axes);
        check_all("sum", sum, [&](std::int64_t i) { return sums[i]; });
        check_all("max", most, [&](std::int64_t i) { return Reference{largest[i]}; });
      }
    }
  }
}

TEST_CASE("maxima pass NaN on") {
  Fast::stream s(2);
  for (const std::int64_t at : {0, 3, 16, 37, 39}) {
    const Block in = random_block({40, 40}), rows(DType::f32, {40, 1}), columns(DType::f32, {1, 40});
    set(in, at * 40 + at, std::nan(""));
    Fast::reduce(s, Reduction::max, rows, in);
    Fast::reduce(s, Reduction::max, columns, in);
    for (std::int64_t i = 0; i < 40; ++i) {
      CHECK(std::isnan(get(rows, i)) == (i == at));
      CHECK(std::isnan(get(columns, i)) == (i == at));
    }
  }
}

TEST_CASE("gather and scatter_add") {
  for (const std::int64_t D : {1, 24, 300}) {
    for (const std::int64_t M : {0, 1, 400}) {
      const Block table = random_block({50, D}), rows = random_block({M, D}),
                  ids = random_ids(D == 24 ? DType::i64 : DType::i32, M, 50);
      const Block out(DType::f32, {M, D}, {M, D + 3});
      with_threads({&out}, [&](Fast::stream& s) { Fast::gather(s, out, table, ids); });
      check_all("gather", out, [&](std::int64_t i) {
        return Reference{get(table, static_cast<std::int64_t>(get(ids, i / D)) * D + i % D)};
      });
      std::vector<float> want(table.view().as<float>(), table.view().as<float>() + 50 * D);
      for (std::int64_t i = 0; i < M * D; ++i)
        want[static_cast<std::int64_t>(get(ids, i / D)) * D + i % D] += static_cast<float>(get(rows, i));
      for (const int threads : thread_counts()) {
        const Block sum(DType::f32, {50, D});
        Fast::stream s(threads);
        Fast::copy(s, sum, table);
        Fast::scatter_add(s, sum, ids, rows);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < 50 * D; ++i) wrong += get(sum, i) != static_cast<double>(want[i]);
        CHECK(wrong == 0);  // ascending order: the same sums as the loop above, to the bit
      }
    }
  }
}

TEST_CASE("bad ids are named") {
  Fast::stream s(2);
  const Block table = random_block({5, 3}), out(DType::f32, {2, 3}), ids(DType::i32, {2});
  for (const double bad : {-1.0, 5.0}) {
    set(ids, 0, 0);
    set(ids, 1, bad);
    CHECK_THROWS_AS(Fast::gather(s, out, table, ids), ShapeError);
    CHECK_THROWS_AS(Fast::scatter_add(s, table, ids, random_block({2, 3})), ShapeError);
  }
}

TEST_CASE("topk with ties and NaN") {
  for (const std::int64_t C : {1, 5, 100, 5000}) {
    const std::int64_t R = 9, k = std::min<std::int64_t>(C, 10);
    Block in(DType::f32, {R, C}, {R, C + 4});
    for (std::int64_t i = 0; i < R * C; ++i) {
      const auto draw = static_cast<double>(generator()() % 200);  // many ties
      set(in, i, draw == 0 || (i / C == 4 && draw < 190) ? std::nan("") : draw);
    }
    if (C > 3)
      for (std::int64_t i = 3; i < C; ++i) set(in, 5 * C + i, std::nan(""));
    const Block values(DType::f32, {R, k}), indices(DType::i32, {R, k});
    with_threads({&values, &indices}, [&](Fast::stream& s) { Fast::topk(s, values, indices, in); });
    std::int64_t wrong = 0;
    for (std::int64_t r = 0; r < R; ++r) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(C));
      std::iota(order.begin(), order.end(), 0);
      const auto rank = [&](std::int64_t c) {
        const double x = get(in, r * C + c);
        return std::isnan(x) ? -1.0 : x;
      };
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return rank(a) > rank(b); });
      for (std::int64_t i = 0; i < k; ++i) {
        wrong += get(indices, r * k + i) != static_cast<double>(order[i]);
        const double got = get(values, r * k + i), want = get(in, r * C + order[i]);
        wrong += !(got == want || (std::isnan(got) && std::isnan(want)));
      }
    }
    CAPTURE(seed());
    CHECK(wrong == 0);
  }
}

TEST_CASE("memory") {
  Fast::stream s;
  CHECK(s.threads() >= 1);
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{1000}, std::size_t{5} << 20}) {
    void* p = Fast::allocate(s, bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
    std::memset(p, 1, bytes);
    Fast::deallocate(s, p);
  }
  CHECK_THROWS_AS(Fast::allocate(s, std::numeric_limits<std::size_t>::max()), BackendError);
  CHECK_THROWS_AS(Fast::allocate(s, std::numeric_limits<std::size_t>::max() / 2), BackendError);
  CHECK_THROWS_AS(Fast::stream(-1), BackendError);
}
