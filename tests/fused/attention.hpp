#pragma once
// Attention: plain sequences, some of them empty, some tokens asking; branches; pieces of one tensor.

#include <random>

#include "branching.hpp"
#include "fused/comparison.hpp"

namespace chronotope::test {

struct AttentionOf {
  std::vector<std::int32_t> lengths, rows;
  std::vector<Prefix> prefixes;

  template <class C, class T> auto operator()(C& c, const std::vector<T>& x) const {
    using B = typename C::backend;
    const Packing<B> packing = prefixes.empty() ? Packing<B>(c, lengths) : Packing<B>(c, lengths, prefixes);
    return attention(x[0], x[1], x[2], packing, Tensor<B>::from_host(c, rows, {static_cast<std::int64_t>(rows.size())}), 0.3);
  }
};

template <class V>
void attention_case(V&& visit, const char* what, AttentionOf use, std::int64_t heads, std::int64_t width, double range = 1.5) {
  std::int64_t tokens = 0;
  for (std::int32_t length : use.lengths) tokens += length;
  if (use.rows.empty())
    for (std::int32_t t = 0; t < tokens; ++t) use.rows.push_back(t);
  const Shape queries{static_cast<std::int64_t>(use.rows.size()), heads, width}, keys{tokens, heads, width};
  visit(FusedCase{"attention", what + (" " + to_string(keys)), static_cast<double>(std::max(tokens, width))},
        WithGradients{{queries, keys, keys}, range, use});
}

template <class V> void attention_cases(V&& visit) {
  attention_case(visit, "one token", {{1}, {0}, {}}, 1, 2);
  attention_case(visit, "two sequences", {{3, 2}, {}, {}}, 2, 4);
  attention_case(visit, "with empty sequences", {{0, 4, 0, 0, 5, 0}, {1, 2, 8}, {}}, 3, 24);
  attention_case(visit, "one asks", {{2, 3, 2}, {6}, {}}, 2, 8);
  // No query that sees one key: its gradient of k is pure cancellation, large beside the others here.
  attention_case(visit, "some ask", {{130, 70, 1, 33}, {5, 129, 139, 199, 203, 233}, {}}, 4, 24);
  attention_case(visit, "a long sequence", {{256}, {}, {}}, 2, 32);
  // Scores of a few units, as in models: e^x has the relative error of x times |x|, which the formula does not know.
  attention_case(visit, "wide heads", {{40, 3}, {}, {}}, 1, 128, 0.5);
  for (unsigned seed = 1; seed <= 6; ++seed) {
    std::mt19937 random_layout(seed);
    const branching::Layout x = branching::draw(random_layout, 16, 60);
    attention_case(visit, ("branches of seed " + std::to_string(seed)).c_str(), {x.lengths, x.rows, x.prefixes}, 2, 24);
  }
  const auto pieces = [](auto& c, const auto& x) {
    return AttentionOf{{4, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {}}(c, std::vector{select(x[0], 1, 0), select(x[0], 1, 1), select(x[0], 1, 2)});
  };
  visit(FusedCase{"attention", "pieces of [9, 3, 2, 8]", 9, Taken::either}, WithGradients{{{9, 3, 2, 8}}, 1.5, pieces});
}

}  // namespace chronotope::test
