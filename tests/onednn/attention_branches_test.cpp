// Attention of branches on the oneDNN backend: against naive loops, and which bits may depend on what.

#include <algorithm>
#include <functional>
#include <numeric>

#include "attention_fixture.hpp"

#include "chronotope/core/error.hpp"

namespace {

using namespace attention_fixture;
using branching::Layout;
using chronotope::Prefix;
using chronotope::ShapeError;

/// Roots of `lengths`, then branches of `own` tokens after the first `seen` tokens of root `root`; all tokens ask.
struct Branch {
  int root;
  std::int32_t seen, own;
};

Layout layout(const std::vector<std::int32_t>& lengths, const std::vector<Branch>& branches) {
  Layout x{lengths, {}, std::vector<Prefix>(lengths.size())};
  const std::vector<std::int32_t> offsets = x.offsets();
  for (const Branch& b : branches) {
    const std::int32_t begin = offsets[static_cast<std::size_t>(b.root)];
    x.prefixes.push_back({begin, begin + b.seen});
    x.lengths.push_back(b.own);
  }
  return x.all_ask();
}

/// Only the last tokens of branches ask.
Layout last_ask(Layout x) {
  const std::vector<std::int32_t> offsets = x.offsets();
  x.rows.clear();
  for (std::size_t s = 0; s < x.lengths.size(); ++s)
    if (x.prefixes[s].length() > 0 && x.lengths[s] > 0) x.rows.push_back(offsets[s + 1] - 1);
  return x;
}

void check(const Layout& x, std::int64_t heads, std::int64_t dim, unsigned seed, bool sliced = false) {
  CAPTURE(seed);
  Problem p(x, heads, dim, seed, sliced);
  check(p);
}

std::vector<Branch> candidates(int count, std::int32_t seen) { return std::vector<Branch>(static_cast<std::size_t>(count), Branch{0, seen, 2}); }

TEST_CASE("attention of branches agrees with naive loops") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    check(branching::draw(random, 20, 40), 2, seed % 3 == 0 ? 33 : 24, seed);
  }
  check(layout({150}, candidates(30, 150)), 2, 24, 21, true);
  check(last_ask(layout({150}, candidates(30, 150))), 2, 24, 22);
  check(layout({80, 3}, {{0, 80, 70}, {1, 1, 130}, {0, 64, 64}, {0, 7, 1}, {1, 3, 65}}), 2, 24, 23);
  check(last_ask(layout({80, 3}, {{0, 80, 70}, {1, 1, 130}, {0, 64, 64}, {0, 7, 1}, {1, 3, 65}})), 1, 8, 24);
}

TEST_CASE("attention of branches on every instruction set") {
  for_each_instruction_set([] {
    check(layout({70, 5}, {{0, 70, 2}, {0, 70, 2}, {1, 2, 3}, {0, 12, 66}, {0, 70, 1}}), 2, 24, 31);
    check(last_ask(layout({70}, candidates(20, 70))), 1, 33, 32);
  });
}

/// The same segments in another order, some of them left out, and other tokens asking; each token keeps its vectors.
struct Variant {
  Problem p;
  std::vector<std::int32_t> rows;    ///< of each query, in the whole layout
  std::vector<std::int32_t> tokens;  ///< of each token, in the whole layout

  Variant(const Layout& whole, Problem& from, const std::vector<std::size_t>& order, const std::function<bool(std::int32_t)>& asks)
      : Variant(whole, from, order, pick(whole, order, asks)) {}

 private:
  struct Picked {
    Layout layout;
    std::vector<std::int32_t> rows, tokens;
  };
  static Picked pick(const Layout& whole, const std::vector<std::size_t>& order, const std::function<bool(std::int32_t)>& asks) {
    Picked x;
    const std::vector<std::int32_t> offsets = whole.offsets();
    std::vector<std::int32_t> moved(offsets.size(), 0);
    for (const std::size_t s : order) {
      moved[s] = static_cast<std::int32_t>(x.tokens.size());
      for (std::int32_t t = offsets[s]; t < offsets[s + 1]; ++t) {
        if (asks(t)) x.layout.rows.push_back(static_cast<std::int32_t>(x.tokens.size())), x.rows.push_back(t);
        x.tokens.push_back(t);
      }
      Prefix before = whole.prefixes[s];
      if (before.length() > 0) {
        const std::int32_t shift = moved[whole.segment(before.begin)] - before.begin;
        before = {before.begin + shift, before.end + shift};
      }
      x.layout.lengths.push_back(whole.lengths[s]);
      x.layout.prefixes.push_back(before);
    }
    return x;
  }
  Variant(const Layout&, Problem& from, const std::vector<std::size_t>&, Picked x)
      : p(x.layout, from.H, from.D, 1), rows(std::move(x.rows)), tokens(std::move(x.tokens)) {
    const auto copy = [&](const float* source, float* to) { std::copy_n(source, from.H * from.D, to); };
    for (std::int64_t t = 0; t < p.T; ++t)
      for (const int part : {0, 1, 2}) copy(from.at(part, tokens[static_cast<std::size_t>(t)], 0), p.at(part, t, 0));
    for (std::int64_t i = 0; i < p.Q; ++i) {
      const std::int64_t row = rows[static_cast<std::size_t>(i)];  // all tokens of `from` ask
      copy(from.query(row, 0), p.q_rows.data() + i * p.H * p.D);
      copy(from.dout.data() + row * p.H * p.D, p.dout.data() + i * p.H * p.D);
    }
  }
};

bool same(const Buffer& a, std::int64_t row_a, const Buffer& b, std::int64_t row_b, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i)
    if (!(a[row_a * width + i] == b[row_b * width + i])) return false;
  return true;
}

/// Queries have the bits that they have among all; with `keys` also the tokens whose queries are all there: those of
/// segments without branches.
void check_bits(Variant& v, const Layout& whole, const Results& all, bool keys) {
  std::vector<bool> has_branches(whole.lengths.size(), false);
  for (const Prefix& before : whole.prefixes)
    if (before.length() > 0) has_branches[whole.segment(before.begin)] = true;
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    onednn_backend::stream stream(threads);
    const Results got = run(v.p, stream);
    const std::int64_t width = v.p.H * v.p.D;
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < v.p.Q; ++i) {
      const std::int64_t row = v.rows[static_cast<std::size_t>(i)];
      wrong += !same(got.out, i, all.out, row, width) + !same(got.lse, i, all.lse, row, v.p.H) + !same(got.dq, i, all.dq, row, width);
    }
    for (std::int64_t t = 0; keys && t < v.p.T; ++t) {
      const std::int32_t token = v.tokens[static_cast<std::size_t>(t)];
      if (has_branches[whole.segment(token)]) continue;
      wrong += !same(got.dk, t, all.dk, token, width) + !same(got.dv, t, all.dv, token, width);
    }
    CHECK(wrong == 0);
  }
}

/// Segments after the first `roots`, which are branches, permuted and partly left out; roots in another order; some rows only.
void check_bits(const Layout& whole, int roots, unsigned seed) {
  CAPTURE(seed);
  Problem p(whole, 2, 24, seed);
  onednn_backend::stream one(1), two(2);
  const Results all = run(p, one);
  CHECK(run(p, two) == all);
  std::mt19937 random(seed);
  std::vector<std::size_t> order(whole.lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto everyone = [](std::int32_t) { return true; };
  std::shuffle(order.begin() + roots, order.end(), random);
  Variant permuted(whole, p, order, everyone);
  check_bits(permuted, whole, all, true);
  std::vector<std::size_t> fewer;  // without the last root and half of the branches
  for (const std::size_t s : order)
    if (s + 1 < static_cast<std::size_t>(roots) || (s >= static_cast<std::size_t>(roots) && s % 2 == 0)) fewer.push_back(s);
  Variant removed(whole, p, fewer, everyone);
  check_bits(removed, whole, all, true);
  std::rotate(order.begin(), order.begin() + 1, order.begin() + roots);
  Variant moved(whole, p, order, [&](std::int32_t t) { return (static_cast<unsigned>(t) * 2654435761u + seed) % 3 == 0; });
  check_bits(moved, whole, all, false);
  for (int i = 0; i < 6; ++i) {
    const auto row = static_cast<std::int32_t>(random() % static_cast<unsigned>(whole.tokens()));
    CAPTURE(row);
    Variant single(whole, p, order, [&](std::int32_t t) { return t == row; });
    check_bits(single, whole, all, false);
  }
}

TEST_CASE("a row of attention has the same bits whatever lies beside it") {
  // Two users with candidates after all or some of their tokens, and other sequences.
  std::vector<Branch> branches;
  for (int i = 0; i < 30; ++i) branches.push_back({i % 3 == 0 ? 1 : 0, i % 7 == 0 ? 31 : 90, 1 + i % 3});
  branches.push_back({0, 90, 100});
  const Layout whole = layout({100, 95, 70, 1, 200}, branches);
  for (unsigned seed = 1; seed <= 4; ++seed) check_bits(whole, 5, seed);
  for_each_instruction_set([&] { check_bits(layout({70, 20}, {{0, 70, 2}, {1, 20, 66}, {0, 70, 2}, {0, 64, 3}, {0, 70, 65}, {0, 3, 1}}), 2, 5); });
}

TEST_CASE("gradients of tokens of branches that nobody sees are zero") {
  Layout x = layout({6}, {{0, 6, 3}, {0, 4, 2}});
  x.rows = {2, 7};  // row 7 sees the root's six tokens and the first two of the first branch
  Problem p(x, 1, 8, 51);
  onednn_backend::stream stream(2);
  const Results r = run(p, stream);
  for (std::int64_t t = 0; t < p.T; ++t) {
    CAPTURE(t);
    bool zero = true;
    for (std::int64_t i = 0; i < 8; ++i) zero = zero && r.dk[t * 8 + i] == 0 && r.dv[t * 8 + i] == 0;
    CHECK(zero == (t >= 8));
  }
}

TEST_CASE("attention declines or refuses prefixes that it cannot take") {
  onednn_backend::stream stream(1);
  Problem p(layout({4, 2}, {{0, 3, 2}, {1, 2, 1}}), 1, 8, 61);
  Results r(p);
  const auto attend = [&](const AttentionLayout& l) {
    return onednn_backend::try_attention(stream, r.out.view({p.Q, 1, 8}), r.lse.view({p.Q, 1}), p.q(), p.part(1), p.part(2), l, 1);
  };
  AttentionLayout short_list = p.layout(), transposed = p.layout();
  short_list.prefix.shape[0] = 3;
  transposed.prefix.strides = {1, 4};
  CHECK_FALSE(attend(short_list));
  CHECK_FALSE(attend(transposed));
  const std::vector<std::int32_t> good = p.prefix;
  const auto refused = [&](std::size_t segment, std::int32_t begin, std::int32_t end) {
    CAPTURE(segment);
    CAPTURE(begin);
    CAPTURE(end);
    p.prefix = good;
    p.prefix[2 * segment] = begin;
    p.prefix[2 * segment + 1] = end;
    CHECK_THROWS_AS(attend(p.layout()), ShapeError);
  };
  refused(2, 1, 3);
  refused(2, 0, 5);
  refused(2, 0, 7);
  refused(2, -1, 2);
  refused(2, 3, 0);
  refused(2, 0, 2147483647);
  refused(0, 0, 1);
  refused(1, 4, 5);
  refused(3, 6, 7);  // the first tokens of a branch
  CHECK(r.out.untouched());
  CHECK(r.lse.untouched());
  p.prefix = good;
  CHECK(attend(p.layout()));
}

}  // namespace
