#pragma once
// Cases for the attention hooks, of backends that have them: plain sequences, branches, some tokens asking, some not.
// What a hook declines must be left unwritten.

#include <algorithm>
#include <vector>

#include "testing/suite.hpp"

namespace chronotope::testing {

struct AttentionSize {
  std::vector<std::int32_t> lengths;
  std::vector<std::int32_t> prefix;  ///< [S, 2], or empty
  std::int32_t every;                ///< the first of this many tokens asks, and so on
  std::int64_t heads, width;
};

inline const std::vector<AttentionSize>& attention_sizes() {
  static const std::vector<AttentionSize> sizes{
      {{1}, {}, 1, 1, 1},
      {{5, 0, 9}, {}, 1, 2, 8},
      {{70, 3, 20}, {}, 3, 2, 24},
      {{4, 2, 2}, {0, 0, 0, 4, 0, 4}, 1, 2, 8},                                        // candidates
      {{4, 2, 2}, {0, 0, 0, 4, 0, 4}, 2, 2, 8},                                        // one token of each asks
      {{6, 3, 2, 0, 5, 1, 3}, {0, 0, 0, 6, 0, 2, 0, 6, 0, 0, 11, 12, 0, 1}, 1, 3, 5},  // of two roots, at any place
      {{70, 1, 2, 66, 2, 40}, {0, 0, 0, 70, 0, 65, 0, 64, 0, 1, 0, 0}, 1, 1, 24},      // long ones
      {{40, 2, 2, 2, 2, 2, 2, 2, 2, 2}, {0, 0, 0, 40, 0, 40, 0, 40, 0, 40, 0, 40, 0, 40, 0, 40, 0, 40, 0, 40}, 1, 2, 24}};
  return sizes;
}

/// A sum, with the size that its terms' errors have together.
struct ConditionedSum {
  long double value = 0, squares = 0;
  void add(long double term, long double condition) {
    value += term;
    squares += condition * condition;
  }
  template <class T> Expected<T> expected() const {
    return {static_cast<double>(value), tolerance<T>(1, std::sqrt(static_cast<double>(squares)), static_cast<double>(value))};
  }
};

/// The operands of one case and what must come out.
template <class T> struct AttentionProblem {
  static constexpr double scale = 0.4;
  std::int64_t H, D, tokens = 0;
  std::vector<std::int32_t> offsets{0}, rows, prefix;
  std::int64_t queries;
  Operand<T> q, k, v, dout;
  std::vector<ConditionedSum> out, lse, dq, dk, dv;

  AttentionProblem(Suite& suite, const AttentionSize& size, Layout layout)
      : H(size.heads), D(size.width), prefix(size.prefix), queries(list_rows(size)), q(suite.target, {queries, H, D}, layout),
        k(suite.target, {tokens, H, D}, layout), v(suite.target, {tokens, H, D}, layout), dout(suite.target, {queries, H, D}) {
    for (Operand<T>* x : {&q, &k, &v, &dout}) x->set_all([&](std::int64_t) { return suite.number<T>(); });
    const auto sums = [](const Operand<T>& x) { return std::vector<ConditionedSum>(static_cast<std::size_t>(x.size())); };
    out = sums(q), dq = sums(q), dk = sums(k), dv = sums(v);
    lse.resize(static_cast<std::size_t>(queries * H));
    for (std::int64_t i = 0; i < queries; ++i)
      for (std::int64_t h = 0; h < H; ++h) add_query(i, h);
  }

 private:
  std::int64_t list_rows(const AttentionSize& size) {
    for (const std::int32_t n : size.lengths) offsets.push_back(offsets.back() + n);
    tokens = offsets.back();
    for (std::int32_t t = 0; t < offsets.back(); t += size.every) rows.push_back(t);
    return static_cast<std::int64_t>(rows.size());
  }
  std::vector<std::int64_t> keys(std::int64_t i) const {
    std::vector<std::int64_t> seen;
    std::size_t s = 0;
    while (rows[i] >= offsets[s + 1]) ++s;
    const std::int32_t begin = prefix.empty() ? 0 : prefix[2 * s], end = prefix.empty() ? 0 : prefix[2 * s + 1];
    for (std::int64_t key = begin; key < end; ++key) seen.push_back(key);
    for (std::int64_t key = offsets[s]; key <= rows[i]; ++key) seen.push_back(key);
    return seen;
  }
  std::size_t at(std::int64_t row, std::int64_t h, std::int64_t d) const { return static_cast<std::size_t>((row * H + h) * D + d); }
  ConditionedSum dot(const Operand<T>& a, std::int64_t row_a, const Operand<T>& b, std::int64_t row_b, std::int64_t h) const {
    ConditionedSum sum;
    for (std::int64_t d = 0; d < D; ++d) {
      const long double term = static_cast<long double>(a[at(row_a, h, d)]) * b[at(row_b, h, d)];
      sum.add(term, term);
    }
    return sum;
  }

  /// Softmax over the keys of query i and the gradients that go back from it.
  void add_query(std::int64_t i, std::int64_t h) {
    const std::vector<std::int64_t> seen = keys(i);
    std::vector<long double> score, size;
    long double total = 0, worst = 0, delta = 0, delta_size = 0;
    for (const std::int64_t key : seen) {
      const ConditionedSum s = dot(q, i, k, key, h);
      score.push_back(scale * s.value);
      size.push_back(scale * std::sqrt(s.squares) + std::abs(scale * s.value));
      total += std::exp(score.back());
      worst = std::max(worst, size.back());
    }
    const long double log_total = std::log(total);
    lse[at(i, h, 0) / static_cast<std::size_t>(D)].add(log_total, 1 + worst);
    std::vector<long double> p, error;  // an error of the exponent is a relative error of the exponential
    for (std::size_t j = 0; j < seen.size(); ++j) {
      p.push_back(std::exp(score[j] - log_total));
      error.push_back(p[j] * (1 + size[j] + std::abs(log_total)));
      for (std::int64_t d = 0; d < D; ++d) out[at(i, h, d)].add(p[j] * v[at(seen[j], h, d)], error[j] * v[at(seen[j], h, d)]);
    }
    for (std::int64_t d = 0; d < D; ++d) {
      const long double term = out[at(i, h, d)].value * dout[at(i, h, d)];
      delta += term;
      delta_size += std::abs(term) + std::sqrt(out[at(i, h, d)].squares) * std::abs(static_cast<long double>(dout[at(i, h, d)]));
    }
    for (std::size_t j = 0; j < seen.size(); ++j) {
      const ConditionedSum dp = dot(dout, i, v, seen[j], h);
      const long double ds = scale * p[j] * (dp.value - delta);
      const long double ds_error = scale * error[j] * (std::sqrt(dp.squares) + std::abs(dp.value) + delta_size);
      for (std::int64_t d = 0; d < D; ++d) {
        const std::size_t own = at(i, h, d), other = at(seen[j], h, d);
        dq[own].add(ds * k[other], ds_error * k[other]);
        dk[other].add(ds * q[own], ds_error * q[own]);
        dv[other].add(p[j] * dout[own], error[j] * dout[own]);
      }
    }
  }
};

template <class T> void attention_case(Suite& suite, const AttentionSize& size, Layout layout) {
  AttentionProblem<T> p(suite, size, layout);
  const Target& t = suite.target;
  const Shape queries{p.queries, p.H, p.D}, tokens{p.tokens, p.H, p.D};
  Operand<T> out(t, queries), lse(t, {p.queries, p.H}), dq(t, queries), dk(t, tokens), dv(t, tokens);
  Operand<std::int32_t> offsets(t, {static_cast<std::int64_t>(p.offsets.size())}), rows(t, {p.queries}),
      prefix(t, {static_cast<std::int64_t>(p.prefix.size()) / 2, 2});
  offsets.set_all([&](std::int64_t i) { return p.offsets[i]; });
  rows.set_all([&](std::int64_t i) { return p.rows[i]; });
  prefix.set_all([&](std::int64_t i) { return p.prefix[i]; });
  const AttentionLayout where{offsets.view(), rows.view(), p.prefix.empty() ? View() : prefix.view()};
  const auto wanted = [](const std::vector<ConditionedSum>& sums) {
    return [&](std::int64_t i) { return sums[i].template expected<T>(); };
  };
  Case c(suite, "attention", out, lse, p.q, p.k, p.v, prefix);
  bool taken = false;
  const auto forward = [&] { taken = t.attention(out.view(), lse.view(), p.q.view(), p.k.view(), p.v.view(), where, p.scale); };
  if (!c.call(forward)) return;
  if (!taken) return c.unchanged(out, lse, p.q, p.k, p.v);
  c.expect(out, wanted(p.out));
  c.expect(lse, wanted(p.lse));
  Case back(suite, "attention_backward", dq, dk, dv, p.q, p.k, p.v, prefix);
  const auto backward = [&] {
    taken = t.attention_backward(dq.view(), dk.view(), dv.view(), p.dout.view(), p.q.view(), p.k.view(), p.v.view(),
                                 out.view(), lse.view(), where, p.scale);
  };
  if (!back.call(backward)) return;
  if (!taken) return back.fail("declined what attention had taken");
  back.expect(dq, wanted(p.dq));
  back.expect(dk, wanted(p.dk));
  back.expect(dv, wanted(p.dv));
  back.unchanged(p.q, p.k, p.v, p.dout, offsets, rows);
}

inline void attention_cases(Suite& suite) {
  if (!suite.target.attention) return;
  for (const AttentionSize& size : attention_sizes())
    for (const Layout layout : {Layout::contiguous, Layout::padded, Layout::stepped, Layout::transposed}) {
      if (suite.target.supports(DType::f32)) attention_case<float>(suite, size, layout);
      if (suite.target.supports(DType::f64)) attention_case<double>(suite, size, layout);
    }
}

}  // namespace chronotope::testing
