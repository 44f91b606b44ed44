// Attention of the oneDNN backend against naive loops in double precision.

#include "fused_fixture.hpp"

#include "chronotope/core/error.hpp"

namespace {

using namespace fused_fixture;
using chronotope::AttentionLayout;
using chronotope::onednn_backend;
using chronotope::ShapeError;

/// Sequences, queries (every `every`-th token of a sequence, its last ones; 0: none) and how q, k, v lie in memory.
struct Case {
  std::vector<int> lengths;
  std::int64_t heads, dim;
  int every = 1;
  bool sliced = false;  ///< q, k, v are slices of one tensor [T, 3, H, D]
  double deviation = 1;
  std::vector<int> silent = {};  ///< sequences that do not ask
};

struct Problem {
  std::vector<std::int32_t> offsets{0}, rows;
  std::int64_t T, Q, H, D;
  double scale;
  std::vector<float> qkv, q_rows, dout;
  bool sliced;

  Problem(const Case& c, unsigned seed)
      : H(c.heads), D(c.dim), scale(1 / std::sqrt(static_cast<double>(c.dim))), sliced(c.sliced) {
    for (std::size_t s = 0; s < c.lengths.size(); ++s) add_sequence(c, static_cast<int>(s));
    T = offsets.back();
    Q = static_cast<std::int64_t>(rows.size());
    std::mt19937 random(seed);
    qkv = normal(random, 3 * T * H * D, c.deviation);
    q_rows = normal(random, Q * H * D, c.deviation);
    dout = normal(random, Q * H * D);
  }
  void add_sequence(const Case& c, int s) {
    const int first = offsets.back(), length = c.lengths[static_cast<std::size_t>(s)];
    offsets.push_back(first + length);
    for (const int silent : c.silent) if (silent == s) return;
    for (int i = 0; i < length; ++i) {
      if (c.every > 0 && (length - 1 - i) % c.every == 0) rows.push_back(first + i);
    }
  }
  /// Entry `part` of the qkv tensor: part-major when not sliced, token-major when sliced.
  float* at(int part, std::int64_t token, std::int64_t head) {
    const std::int64_t row = sliced ? token * 3 + part : part * T + token;
    return qkv.data() + (row * H + head) * D;
  }
  View part(int i) {
    View view = contiguous_view(T > 0 ? at(i, 0, 0) : nullptr, DType::f32, {T, H, D});
    if (sliced) view.strides[0] = 3 * H * D;
    return view;
  }
  bool queries_are_tokens() const { return sliced && Q == T; }
  View q() { return queries_are_tokens() ? part(0) : contiguous_view(q_rows.data(), DType::f32, {Q, H, D}); }
  const float* query(std::int64_t i, std::int64_t h) {
    return queries_are_tokens() ? at(0, i, h) : q_rows.data() + (i * H + h) * D;
  }
  View dout_view() { return contiguous_view(dout.data(), DType::f32, {Q, H, D}); }
  AttentionLayout layout() {
    return {contiguous_view(offsets.data(), DType::i32, {static_cast<std::int64_t>(offsets.size())}),
            contiguous_view(rows.data(), DType::i32, {Q})};
  }
};

struct Results {
  Buffer out, lse, dq, dk, dv;
  explicit Results(const Problem& p)
      : out(p.Q * p.H * p.D), lse(p.Q * p.H), dq(out.size()), dk(p.T * p.H * p.D), dv(dk.size()) {}
  friend bool operator==(const Results& a, const Results& b) {
    return a.out == b.out && a.lse == b.lse && a.dq == b.dq && a.dk == b.dk && a.dv == b.dv;
  }
};

Results run(Problem& p, onednn_backend::stream& stream) {
  Results r(p);
  const Shape queries{p.Q, p.H, p.D}, tokens{p.T, p.H, p.D};
  const View q = p.q(), k = p.part(1), v = p.part(2), out = r.out.view(queries), lse = r.lse.view({p.Q, p.H});
  REQUIRE(onednn_backend::try_attention(stream, out, lse, q, k, v, p.layout(), p.scale));
  REQUIRE(onednn_backend::try_attention_backward(stream, r.dq.view(queries), r.dk.view(tokens), r.dv.view(tokens),
                                                 p.dout_view(), q, k, v, out, lse, p.layout(), p.scale));
  return r;
}

struct Reference {
  std::vector<Expected> out, lse, dq, dk, dv;
};

/// One (query, key) pair: score, the size of its terms, probability and the condition number of the exponential.
struct Pair {
  double score = 0, size = 0, p = 0, condition = 1;
};

/// Root of the sum of squared terms, and the sum.
struct Dot {
  double value = 0, size = 0;
};

Dot dot(const float* a, const float* b, std::int64_t n, double scale) {
  Dot d;
  for (std::int64_t i = 0; i < n; ++i) {
    const double term = scale * a[i] * b[i];
    d.value += term;
    d.size += term * term;
  }
  d.size = std::sqrt(d.size);
  return d;
}

std::vector<Pair> pairs_of(Problem& p, std::int64_t i, std::int64_t first, std::int64_t h, Expected& lse) {
  std::vector<Pair> pairs;
  double top = -1e300, sum = 0, most = 0;
  for (std::int64_t key = first; key <= p.rows[static_cast<std::size_t>(i)]; ++key) {
    const Dot s = dot(p.query(i, h), p.at(1, key, h), p.D, p.scale);
    pairs.push_back({s.value, s.size, 0, 1});
    top = std::max(top, s.value);
    most = std::max(most, s.size + std::abs(s.value));
  }
  for (const Pair& pair : pairs) sum += std::exp(pair.score - top);
  lse.value = top + std::log(sum);
  lse.squares = (1 + most) * (1 + most);
  for (Pair& pair : pairs) {
    pair.p = std::exp(pair.score - lse.value);
    // An error of the exponent is a relative error of the exponential.
    pair.condition = 1 + pair.size + std::abs(pair.score) + std::abs(lse.value);
  }
  return pairs;
}

void add_query(Problem& p, Reference& r, std::int64_t i, std::int64_t first, std::int64_t h) {
  const auto at = [&](std::int64_t row, std::int64_t d) { return static_cast<std::size_t>((row * p.H + h) * p.D + d); };
  const float *q = p.query(i, h), *dout = p.dout.data() + at(i, 0);
  const std::vector<Pair> pairs = pairs_of(p, i, first, h, r.lse[static_cast<std::size_t>(i * p.H + h)]);
  std::vector<float> out(static_cast<std::size_t>(p.D));
  for (std::int64_t d = 0; d < p.D; ++d) {
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      r.out[at(i, d)].add(pairs[j].p * p.at(2, first + static_cast<std::int64_t>(j), h)[d], pairs[j].condition);
    }
    out[static_cast<std::size_t>(d)] = static_cast<float>(r.out[at(i, d)].value);
  }
  const Dot delta = dot(dout, out.data(), p.D, 1);
  for (std::size_t j = 0; j < pairs.size(); ++j) {
    const std::int64_t key = first + static_cast<std::int64_t>(j);
    const Dot dp = dot(dout, p.at(2, key, h), p.D, 1);
    const double ds = pairs[j].p * (dp.value - delta.value) * p.scale;
    const double parts = dp.size + std::abs(dp.value) + delta.size + std::abs(delta.value);
    const double size = pairs[j].p * pairs[j].condition * parts * p.scale;
    for (std::int64_t d = 0; d < p.D; ++d) {
      r.dv[at(key, d)].add(pairs[j].p * dout[d], pairs[j].condition);
      r.dk[at(key, d)].value += ds * q[d];
      r.dk[at(key, d)].squares += size * size * q[d] * q[d];
      r.dq[at(i, d)].value += ds * p.at(1, key, h)[d];
      r.dq[at(i, d)].squares += std::pow(size * p.at(1, key, h)[d], 2);
    }
  }
}

Reference reference(Problem& p) {
  const auto queries = static_cast<std::size_t>(p.Q * p.H * p.D), tokens = static_cast<std::size_t>(p.T * p.H * p.D);
  Reference r{std::vector<Expected>(queries), std::vector<Expected>(static_cast<std::size_t>(p.Q * p.H)),
              std::vector<Expected>(queries), std::vector<Expected>(tokens), std::vector<Expected>(tokens)};
  std::size_t s = 0;
  for (std::int64_t i = 0; i < p.Q; ++i) {
    while (p.rows[static_cast<std::size_t>(i)] >= p.offsets[s + 1]) ++s;
    for (std::int64_t h = 0; h < p.H; ++h) add_query(p, r, i, p.offsets[s], h);
  }
  return r;
}

void check(const Case& c, unsigned seed) {
  CAPTURE(seed);
  CAPTURE(c.dim);
  CAPTURE(c.heads);
  CAPTURE(c.every);
  Problem p(c, seed);
  onednn_backend::stream stream(2);
  const Results got = run(p, stream);
  const Reference want = reference(p);
  check_near("out", got.out, want.out);
  check_near("lse", got.lse, want.lse);
  check_near("dq", got.dq, want.dq);
  check_near("dk", got.dk, want.dk);
  check_near("dv", got.dv, want.dv);
}

TEST_CASE("attention agrees with naive loops for any head width") {
  for (const std::int64_t dim : {24, 8, 32, 33, 64, 1, 5, 128, 200, 256}) {
    check({{17, 1, 0, 2, 70}, 3, dim}, 11);
    check({{17, 1, 0, 2, 70}, 2, dim, 2, true}, 12);
  }
}

TEST_CASE("attention agrees with naive loops at training lengths") {
  check({{256, 300}, 2, 24}, 21);
  check({{256, 300}, 2, 24, 1, true}, 22);
  check({{300, 256}, 1, 32, 2}, 23);
  check({{300}, 2, 33, 7, true}, 24);
  check({{1000}, 1, 24, 3}, 25);
}

TEST_CASE("attention of one query, of short sequences, and of sequences that do not ask") {
  check({{256}, 4, 24, 256}, 31);
  check({{47, 48, 49, 1, 1, 3, 16, 15, 8}, 2, 24}, 32);
  check({{5, 40, 0, 7}, 2, 24, 1, false, 1, {1}}, 33);
  check({{60}, 2, 24, 1, false, 1, {0}}, 34);
  check({{0, 0, 3, 0}, 2, 8}, 35);
  check({{0, 0}, 2, 8}, 36);
  check({{9, 12}, 2, 8, 0}, 37);
}

TEST_CASE("attention with extreme scores stays finite and exact to its condition") {
  check({{70, 33}, 2, 24, 1, false, 5}, 41);
  Problem p({{64}, 1, 16}, 42);
  for (float& x : p.q_rows) x = 9.0f;
  for (std::int64_t t = 0; t < p.T; ++t) std::fill_n(p.at(1, t, 0), p.D, (t % 2 == 0 ? 80.0f : -80.0f) / (4 * 9.0f));
  onednn_backend::stream stream(1);
  const Results got = run(p, stream);
  const Reference want = reference(p);
  check_near("out", got.out, want.out);
  check_near("lse", got.lse, want.lse);
  check_near("dk", got.dk, want.dk);
}

TEST_CASE("attention on every instruction set") {
  for_each_instruction_set([] {
    check({{17, 1, 60}, 2, 24}, 51);
    check({{40, 9}, 2, 33, 2, true}, 52);
  });
}

TEST_CASE("attention is equal to the bit between runs and thread counts") {
  Problem p({{100, 3, 0, 256, 17, 31}, 5, 24, 1, true}, 61);
  onednn_backend::stream one(1);
  const Results first = run(p, one);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    onednn_backend::stream stream(threads);
    CHECK(run(p, stream) == first);
    CHECK(run(p, stream) == first);
  }
}

TEST_CASE("attention writes through strided outputs") {
  Problem p({{20, 30}, 2, 24, 1, true}, 71);
  onednn_backend::stream stream(2);
  const Results dense = run(p, stream);
  Buffer all(3 * p.T * p.H * p.D);
  View slices[3];
  for (int i = 0; i < 3; ++i) {
    slices[i] = contiguous_view(all.data() + i * p.H * p.D, DType::f32, {p.T, p.H, p.D});
    slices[i].strides[0] = 3 * p.H * p.D;
  }
  Results r = dense;
  REQUIRE(onednn_backend::try_attention_backward(stream, slices[0], slices[1], slices[2], p.dout_view(), p.q(),
                                                 p.part(1), p.part(2), r.out.view({p.Q, p.H, p.D}),
                                                 r.lse.view({p.Q, p.H}), p.layout(), p.scale));
  bool same = true;
  for (std::int64_t t = 0; t < p.T; ++t) {
    for (std::int64_t i = 0; i < p.H * p.D; ++i) {
      const std::int64_t from = t * p.H * p.D + i, to = 3 * t * p.H * p.D + i;
      same = same && all[to] == dense.dq[from] && all[to + p.H * p.D] == dense.dk[from] &&
             all[to + 2 * p.H * p.D] == dense.dv[from];
    }
  }
  CHECK(same);
  CHECK(all.guards_hold());
}

TEST_CASE("attention declines what it does not cover and writes nothing") {
  onednn_backend::stream stream(1);
  Problem p({{6}, 2, 8}, 81);
  Results r(p);
  const auto declined = [&](const View& q, const View& k) {
    const View out = r.out.view(q.shape), lse = r.lse.view({p.Q, p.H});
    return !onednn_backend::try_attention(stream, out, lse, q, k, p.part(2), p.layout(), 1) &&
           r.out.untouched() && r.lse.untouched();
  };
  View doubles = p.q();
  doubles.dtype = DType::f64;
  CHECK(declined(doubles, p.part(1)));
  View apart = p.part(1);
  apart.shape[2] = 4;
  apart.strides[2] = 2;
  CHECK(declined(p.q(), apart));
  Problem wide({{2}, 1, 257}, 82);
  Results w(wide);
  CHECK_FALSE(onednn_backend::try_attention(stream, w.out.view({2, 1, 257}), w.lse.view({2, 1}), wide.q(), wide.part(1),
                                            wide.part(2), wide.layout(), 1));
  CHECK(w.out.untouched());
}

TEST_CASE("attention refuses layouts that break the rules") {
  onednn_backend::stream stream(1);
  const auto refused = [&](std::vector<std::int32_t> offsets, std::vector<std::int32_t> rows) {
    Problem p({{6}, 2, 8}, 91);
    Results r(p);
    p.offsets = std::move(offsets);
    p.rows = std::move(rows);
    CHECK_THROWS_AS(onednn_backend::try_attention(stream, r.out.view({p.Q, p.H, p.D}), r.lse.view({p.Q, p.H}), p.q(),
                                                  p.part(1), p.part(2), p.layout(), 1), ShapeError);
    CHECK(r.out.untouched());
  };
  const std::vector<std::int32_t> rows{0, 1, 2, 3, 4, 5};
  refused({0, 7}, rows);
  refused({1, 6}, rows);
  refused({0, 4, 3, 6}, rows);
  refused({0, 6}, {0, 1, 2, 3, 3, 5});
  refused({0, 6}, {-1, 1, 2, 3, 4, 5});
  refused({0, 6}, {0, 1, 2, 3, 4, 6});
}

}  // namespace
