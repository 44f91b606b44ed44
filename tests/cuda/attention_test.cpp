// Attention on a device equals its composition, forward and backward: lengths beside those of tiles, some tokens asking, branches; what is
// declined, and layouts that are against the rules.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "cuda/arrays.hpp"
#include "branching.hpp"
#include "fused/comparison.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// Where few queries see many keys, none may see one key only: its gradient of k is pure cancellation, large beside the others.
void compare(const branching::Layout& x, std::int64_t heads, std::int64_t width) {
  const auto Q = static_cast<std::int64_t>(x.rows.size()), tokens = static_cast<std::int64_t>(x.tokens());
  CAPTURE(tokens);
  CAPTURE(width);
  const Shape queries{Q, heads, width}, keys{tokens, heads, width};
  // Scores of a few units, as in models, whatever the width.
  const double scale = 1 / std::sqrt(static_cast<double>(width)), terms = static_cast<double>(std::max<std::int64_t>(tokens, width));
  compare_fused<cuda_backend>({queries, keys, keys}, terms, [&](auto& c, const auto& in) {
    using B = typename std::decay_t<decltype(c)>::backend;
    return attention(in[0], in[1], in[2], Packing<B>(c, x.lengths, x.prefixes), Tensor<B>::from_host(c, x.rows, {Q}), scale);
  }, width <= 128 ? Taken::yes : Taken::either);
}

/// The last tokens of each segment ask, as many as there are up to `asking`.
branching::Layout last_ask(branching::Layout x, std::int32_t asking) {
  const std::vector<std::int32_t> ends = x.offsets();
  x.rows.clear();
  for (std::size_t s = 0; s < x.lengths.size(); ++s)
    for (std::int32_t t = std::max(ends[s], ends[s + 1] - asking); t < ends[s + 1]; ++t) x.rows.push_back(t);
  return x;
}

branching::Layout plain(const std::vector<std::int32_t>& lengths) { return branching::Layout{lengths, {}, {}}.all_ask(); }

/// `branches` segments of `own` tokens behind the first `seen` of each root.
branching::Layout candidates(const std::vector<std::int32_t>& roots, std::int32_t seen, int branches, std::int32_t own) {
  branching::Layout x;
  std::int32_t end = 0;
  for (const std::int32_t root : roots) {
    const Prefix before{end, end + seen};
    x.lengths.push_back(root);
    x.prefixes.push_back({});
    for (int b = 0; b < branches; ++b) x.lengths.push_back(own), x.prefixes.push_back(before);
    end += root + branches * own;
  }
  return x.all_ask();
}

}  // namespace

TEST_CASE("attention on a device equals its composition for any head width") {
  for (const std::int64_t width : {1, 5, 24, 31, 32, 33, 64, 66, 128, 200, 256}) compare(last_ask(plain({41, 0, 7, 34}), 30), 2, width);
}

TEST_CASE("attention on a device equals its composition at lengths beside those of tiles") {
  compare(plain({1}), 1, 3);
  compare(plain({2, 1, 1, 3}), 2, 8);
  for (const std::int32_t length : {31, 32, 33, 63, 64, 65, 129}) compare(last_ask(plain({length, 5}), length - 1), 1, 24);
  compare(last_ask(plain({65, 33, 2, 64, 0, 32}), 1), 2, 64);
  compare(last_ask(plain({100, 7, 70}), 3), 2, 24);
}

TEST_CASE("attention of branches on a device equals its composition") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    compare(branching::draw(random, 16, 60), 2, seed % 2 == 0 ? 24 : 40);
  }
  compare(last_ask(candidates({40, 70}, 40, 35, 2), 2), 2, 24);
  compare(last_ask(candidates({70, 66}, 64, 3, 33), 33), 1, 24);
  // Branches of roots that lie apart: the queries of a sequence are brought together.
  branching::Layout apart = candidates({33, 40}, 33, 0, 0);
  for (int i = 0; i < 40; ++i) {
    apart.lengths.push_back(1 + i % 3);
    apart.prefixes.push_back(i % 2 == 0 ? Prefix{0, 33 - i % 5} : Prefix{33, 33 + 40});
  }
  compare(last_ask(apart.all_ask(), 3), 2, 24);
}

namespace {

/// The hooks on arrays: q, k and v are slices of [T, 3, H, D].
struct Problem {
  cuda_backend::stream stream;
  std::int64_t T, H, D, Q;
  Array<float> qkv, queries, grads, out, lse, dq, dqkv;
  Array<std::int32_t> offsets, rows, prefix;
  double scale = 0.3;

  Problem(std::int64_t tokens, std::int64_t heads, std::int64_t width, const std::vector<std::int32_t>& ends, const std::vector<std::int32_t>& asking,
          const std::vector<std::int32_t>& prefixes = {})
      : T(tokens), H(heads), D(width), Q(static_cast<std::int64_t>(asking.size())), qkv(stream, {T, 3, H, D}, some(3 * T * H * D, 1)),
        queries(stream, {Q, H, D}, some(Q * H * D, 2)), grads(stream, {Q, H, D}, some(Q * H * D, 3)), out(stream, {Q, H, D}), lse(stream, {Q, H}),
        dq(stream, {Q, H, D}), dqkv(stream, {T, 3, H, D}), offsets(stream, {static_cast<std::int64_t>(ends.size())}, ends), rows(stream, {Q}, asking),
        prefix(stream, {static_cast<std::int64_t>(prefixes.size()) / 2, 2}, prefixes) {}

  static std::vector<float> some(std::int64_t n, std::uint64_t seed) {
    const auto values = draw(n, seed);
    return {values.begin(), values.end()};
  }
  View part(const Array<float>& all, int i) const {
    View v = contiguous_view(static_cast<float*>(all.view().data) + i * H * D, DType::f32, {T, H, D});
    v.strides[0] = 3 * H * D;
    return v;
  }
  AttentionLayout layout() const { return {offsets.view(), rows.view(), prefix.view().elements() > 0 ? prefix.view() : View()}; }
  bool forward(const View& q, const AttentionLayout& l) {
    return cuda_backend::try_attention(stream, out.view(), lse.view(), q, part(qkv, 1), part(qkv, 2), l, scale);
  }
  bool backward(const View& q, const AttentionLayout& l) {
    return cuda_backend::try_attention_backward(stream, dq.view(), part(dqkv, 1), part(dqkv, 2), grads.view(), q, part(qkv, 1), part(qkv, 2),
                                                out.view(), lse.view(), l, scale);
  }
};

}  // namespace

TEST_CASE("attention on a device reads and writes slices of a packed product") {
  std::vector<std::int32_t> all(70);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i);
  for (const std::int64_t width : {24, 6}) {
    Problem p(70, 2, width, {0, 30, 70}, all);
    REQUIRE(p.forward(p.part(p.qkv, 0), p.layout()));
    REQUIRE(p.backward(p.part(p.qkv, 0), p.layout()));
    const std::vector<float> out = p.out.fetch(), dq = p.dq.fetch(), grads = p.dqkv.fetch(), x = p.qkv.fetch(), dout = p.grads.fetch();
    Context<Reference> c;
    const Shape shape{70, 3, 2, width};
    Parameter<Reference> packed(upload(c, {x.begin(), x.end()}, shape, DType::f64));
    const auto in = packed();
    const auto y = attention(select(in, 1, 0), select(in, 1, 1), select(in, 1, 2), Packing<Reference>(c, {30, 40}),
                             Tensor<Reference>::from_host(c, all, {70}), p.scale);
    backward(y, upload(c, {dout.begin(), dout.end()}, y.shape(), DType::f64));
    Outcome expected, actual;
    expected.tensors = {on_host(y), on_host(packed.gradient().dense)};
    actual.tensors = {{out.begin(), out.end()}, {grads.begin(), grads.end()}};
    for (std::int64_t t = 0; t < 70; ++t)  // dq is apart, as the hook's queries may be fewer than its tokens
      std::copy_n(dq.begin() + t * 2 * width, 2 * width, actual.tensors[1].begin() + t * 6 * width);
    check_close(actual, expected, 70);
  }
}

TEST_CASE("attention on a device leaves zeros for tokens that nobody sees") {
  // Row 2 sees the root's first three tokens, row 7 its six and the first two of the first branch.
  Problem p(11, 1, 8, {0, 6, 9, 11}, {2, 7}, {0, 0, 0, 6, 0, 4});
  REQUIRE(p.forward(p.queries.view(), p.layout()));
  REQUIRE(p.backward(p.queries.view(), p.layout()));
  const std::vector<float> grads = p.dqkv.fetch();
  for (std::size_t t = 0; t < 11; ++t)
    for (std::size_t i = 8; i < 24; ++i) CHECK((grads[t * 24 + i] == 0) == (t >= 8));
}

TEST_CASE("attention on a device without queries or tokens") {
  Problem silent(40, 2, 8, {0, 33, 40}, {}, {0, 0, 0, 3});
  REQUIRE(silent.forward(silent.queries.view(), silent.layout()));
  REQUIRE(silent.backward(silent.queries.view(), silent.layout()));
  const std::vector<float> grads = silent.dqkv.fetch();
  for (std::size_t i = 0; i < grads.size(); ++i) CHECK((grads[i] == 0) == true);
  Problem empty(0, 2, 8, {0, 0, 0}, {});
  CHECK(empty.forward(empty.queries.view(), empty.layout()));
  CHECK(empty.backward(empty.queries.view(), empty.layout()));
  cuda_backend::synchronize(empty.stream);
}

TEST_CASE("attention on a device declines what it does not cover") {
  Problem p(6, 2, 8, {0, 6}, {1, 5});
  View apart = p.queries.view(), other = p.queries.view();
  apart.shape[2] = 4;
  apart.strides[2] = 2;
  other.dtype = DType::i32;
  CHECK_FALSE(p.forward(apart, p.layout()));
  CHECK_FALSE(p.forward(other, p.layout()));
  AttentionLayout fewer = p.layout(), wide = p.layout();
  fewer.query_rows.shape[0] = 1;
  wide.offsets.dtype = DType::i64;
  CHECK_FALSE(p.forward(p.queries.view(), fewer));
  CHECK_FALSE(p.backward(p.queries.view(), fewer));
  CHECK_FALSE(p.forward(p.queries.view(), wide));
  Problem w(2, 1, 257, {0, 2}, {1});
  CHECK_FALSE(w.forward(w.queries.view(), w.layout()));
  Problem branches(6, 1, 8, {0, 4, 6}, {5}, {0, 0});
  CHECK_FALSE(branches.forward(branches.queries.view(), branches.layout()));
}

TEST_CASE("attention on a device tells of layouts that are against the rules and does nothing by them") {
  using List = std::vector<std::int32_t>;
  const auto refused = [](const List& ends, const List& rows, const List& prefix = {}) {
    for (const bool back : {false, true}) {
      Problem p(6, 1, 8, ends, rows, prefix);
      REQUIRE((back ? p.backward(p.queries.view(), p.layout()) : p.forward(p.queries.view(), p.layout())));
      CHECK_THROWS_AS(cuda_backend::synchronize(p.stream), ShapeError);
      for (const float x : back ? p.dqkv.fetch() : p.out.fetch()) CHECK(x == 0);
    }
  };
  const List rows{0, 1, 2, 3, 4, 5}, ends{0, 3, 5, 6}, whole{0, 6};
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  refused({0, 7}, rows);
  refused({0, 5}, rows);
  refused({1, 6}, rows);
  refused({0, 4, 3, 6}, rows);
  refused({0, -5, most, 6}, rows);
  refused({0}, rows);
  for (const std::int32_t bad : {-1, 3, 6, most}) refused(whole, {0, 1, 2, 3, bad, 5});
  const std::pair<std::int32_t, std::int32_t> prefixes[] = {{1, 3}, {0, 4}, {0, 7}, {-1, 2}, {3, 0}, {0, most}, {most, -most}};
  for (const auto& [begin, end] : prefixes) refused(ends, rows, {0, 0, begin, end, 0, 0});
  refused(ends, rows, {0, 1, 0, 0, 0, 0});
  refused(ends, rows, {0, 0, 0, 3, 3, 5});  // the first tokens of a branch
}

#endif
