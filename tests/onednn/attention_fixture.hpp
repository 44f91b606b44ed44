#pragma once
// What the tests of attention share: problems drawn from a seed, and naive loops in double precision.

#include "branching.hpp"
#include "fused_fixture.hpp"

namespace attention_fixture {

using namespace fused_fixture;
using chronotope::AttentionLayout;
using chronotope::onednn_backend;

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
  std::vector<std::int32_t> offsets{0}, rows, prefix{};  ///< prefix: [S, 2], or empty
  std::int64_t T, Q, H, D;
  double scale;
  std::vector<float> qkv, q_rows, dout;
  bool sliced;

  Problem(const Case& c, unsigned seed)
      : H(c.heads), D(c.dim), scale(1 / std::sqrt(static_cast<double>(c.dim))), sliced(c.sliced) {
    for (std::size_t s = 0; s < c.lengths.size(); ++s) add_sequence(c, static_cast<int>(s));
    draw(seed, c.deviation);
  }
  Problem(const branching::Layout& x, std::int64_t heads, std::int64_t dim, unsigned seed, bool slices = false)
      : offsets(x.offsets()), rows(x.rows), H(heads), D(dim), scale(1 / std::sqrt(static_cast<double>(dim))), sliced(slices) {
    for (const auto& range : x.prefixes) prefix.insert(prefix.end(), {range.begin, range.end});
    draw(seed, 1);
  }
  void draw(unsigned seed, double deviation) {
    T = offsets.back();
    Q = static_cast<std::int64_t>(rows.size());
    std::mt19937 random(seed);
    qkv = normal(random, 3 * T * H * D, deviation);
    q_rows = normal(random, Q * H * D, deviation);
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
            contiguous_view(rows.data(), DType::i32, {Q}),
            contiguous_view(prefix.empty() ? nullptr : prefix.data(), DType::i32, {static_cast<std::int64_t>(prefix.size()) / 2, 2})};
  }
  /// What query i sees.
  std::vector<std::int64_t> keys(std::int64_t i) const {
    const std::int32_t row = rows[static_cast<std::size_t>(i)];
    std::size_t s = 0;
    while (row >= offsets[s + 1]) ++s;
    std::vector<std::int64_t> seen;
    if (!prefix.empty()) for (std::int64_t key = prefix[2 * s]; key < prefix[2 * s + 1]; ++key) seen.push_back(key);
    for (std::int64_t key = offsets[s]; key <= row; ++key) seen.push_back(key);
    return seen;
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

inline Results run(Problem& p, onednn_backend::stream& stream) {
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

inline Dot dot(const float* a, const float* b, std::int64_t n, double scale) {
  Dot d;
  for (std::int64_t i = 0; i < n; ++i) {
    const double term = scale * a[i] * b[i];
    d.value += term;
    d.size += term * term;
  }
  d.size = std::sqrt(d.size);
  return d;
}

inline std::vector<Pair> pairs_of(Problem& p, std::int64_t i, const std::vector<std::int64_t>& keys, std::int64_t h, Expected& lse) {
  std::vector<Pair> pairs;
  double top = -1e300, sum = 0, most = 0;
  for (const std::int64_t key : keys) {
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

inline void add_query(Problem& p, Reference& r, std::int64_t i, const std::vector<std::int64_t>& keys, std::int64_t h) {
  const auto at = [&](std::int64_t row, std::int64_t d) { return static_cast<std::size_t>((row * p.H + h) * p.D + d); };
  const float *q = p.query(i, h), *dout = p.dout.data() + at(i, 0);
  const std::vector<Pair> pairs = pairs_of(p, i, keys, h, r.lse[static_cast<std::size_t>(i * p.H + h)]);
  std::vector<float> out(static_cast<std::size_t>(p.D));
  for (std::int64_t d = 0; d < p.D; ++d) {
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      r.out[at(i, d)].add(pairs[j].p * p.at(2, keys[j], h)[d], pairs[j].condition);
    }
    out[static_cast<std::size_t>(d)] = static_cast<float>(r.out[at(i, d)].value);
  }
  const Dot delta = dot(dout, out.data(), p.D, 1);
  for (std::size_t j = 0; j < pairs.size(); ++j) {
    const std::int64_t key = keys[j];
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

inline Reference reference(Problem& p) {
  const auto queries = static_cast<std::size_t>(p.Q * p.H * p.D), tokens = static_cast<std::size_t>(p.T * p.H * p.D);
  Reference r{std::vector<Expected>(queries), std::vector<Expected>(static_cast<std::size_t>(p.Q * p.H)),
              std::vector<Expected>(queries), std::vector<Expected>(tokens), std::vector<Expected>(tokens)};
  for (std::int64_t i = 0; i < p.Q; ++i) {
    const std::vector<std::int64_t> keys = p.keys(i);
    for (std::int64_t h = 0; h < p.H; ++h) add_query(p, r, i, keys, h);
  }
  return r;
}

/// All results on two threads against naive loops.
inline void check(Problem& p) {
  onednn_backend::stream stream(2);
  const Results got = run(p, stream);
  const Reference want = reference(p);
  check_near("out", got.out, want.out);
  check_near("lse", got.lse, want.lse);
  check_near("dq", got.dq, want.dq);
  check_near("dk", got.dk, want.dk);
  check_near("dv", got.dv, want.dv);
}

inline void check(const Case& c, unsigned seed) {
  CAPTURE(seed);
  CAPTURE(c.dim);
  CAPTURE(c.heads);
  CAPTURE(c.every);
  Problem p(c, seed);
  check(p);
}

}  // namespace attention_fixture
