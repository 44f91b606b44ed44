#pragma once
// Scores of a history pointer: planes of pairs that fill vectors and packs or do not, few and many heads, one relation to eight, tables that fit one
// warp's share of shared memory or more, bins that all pairs have.

#include "fused/comparison.hpp"
#include "fused/pointer_size.hpp"

namespace chronotope::test {

template <Backend B> std::vector<Relation<B>> some_relations(Context<B>& c, const PointerSize& n, const std::vector<Tensor<B>>& tables) {
  std::vector<Relation<B>> all;
  for (std::size_t r = 0; r < n.rows.size(); ++r)
    all.push_back({tables[r], Tensor<B>::from_host(c, some_bins(n.sequences, n.queries * n.keys, n.rows[r], 30 + r), {n.sequences, n.queries, n.keys})});
  return all;
}

template <class V> void pointer_case(V&& visit, const PointerSize& n, Taken taken = Taken::yes) {
  const auto scores = [n](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    return pointer_scores(x[0], some_relations<B>(c, n, {x.begin() + 1, x.end()}), 0.35, 2.5);
  };
  std::vector<Shape> shapes{{n.sequences, n.heads, n.queries, n.keys}};
  for (const std::int32_t rows : n.rows) shapes.push_back({rows, n.heads});
  const auto terms = static_cast<double>(n.sequences * n.queries * n.keys);
  visit(FusedCase{"pointer_scores", to_string(shapes[0]) + ", " + std::to_string(n.rows.size()) + " relations", terms, taken}, WithGradients{shapes, 1.5, scores});
}

template <class V> void pointer_cases(V&& visit) {
  pointer_case(visit, {1, 1, 1, 1, {1}});
  pointer_case(visit, {2, 1, 3, 5, {2}});
  pointer_case(visit, {5, 2, 5, 7, {20, 26, 2, 16, 4}});     // planes of odd length
  pointer_case(visit, {3, 4, 41, 12, {20, 26, 14, 17, 4}});  // 123 packs of four
  pointer_case(visit, {9, 4, 20, 33, {20, 26, 14, 17, 4}});
  pointer_case(visit, {2, 5, 3, 86, {3, 1, 7, 2, 5, 11, 4, 6}});  // forty columns, a chunk of pairs and one more
  pointer_case(visit, {4, 8, 6, 10, {200, 56}});                  // 2048 numbers
  pointer_case(visit, {2, 2, 4, 6, {3, 1, 7, 2, 5, 11, 4, 6, 9}}, Taken::either);
  pointer_case(visit, {2, 3, 4, 6, {700}}, Taken::either);
}

}  // namespace chronotope::test
