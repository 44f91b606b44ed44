// Scores of a history pointer: every instruction set and number of threads gives what the others give, what is not covered is declined. Values are
// compared with the composition in tests/ops/fused_test.cpp.

#include "agree.hpp"
#include "fused/pointer_size.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// The arguments of both hooks.
struct Pointer {
  std::vector<Block> tables, gradients, bins;
  Block content, scores, dscores, dcontent;

  explicit Pointer(const PointerSize& n)
      : content(random_block({n.sequences, n.heads, n.queries, n.keys})), scores(DType::f32, content.view().shape), dscores(random_block(content.view().shape)),
        dcontent(DType::f32, content.view().shape) {
    for (std::size_t r = 0; r < n.rows.size(); ++r) {
      tables.push_back(random_block({n.rows[r], n.heads})), gradients.emplace_back(DType::f32, tables[r].view().shape);
      bins.emplace_back(DType::i32, Shape{n.sequences, n.queries, n.keys});
      const auto drawn = some_bins(n.sequences, n.queries * n.keys, n.rows[r], r);
      for (std::size_t i = 0; i < drawn.size(); ++i) set(bins[r], static_cast<std::int64_t>(i), drawn[i]);
    }
  }
  std::vector<RelationViews> relations(const std::vector<Block>& of) const {
    std::vector<RelationViews> all;
    for (std::size_t r = 0; r < bins.size(); ++r) all.push_back({of[r], bins[r]});
    return all;
  }
  bool forward(Fast::stream& s) const { return Fast::try_pointer_scores(s, scores, content, relations(tables), 0.3, 1.5); }
  bool backward(Fast::stream& s) const { return Fast::try_pointer_scores_backward(s, dcontent, dscores, relations(gradients), 0.3, 1.5); }
  bool untouched() const { return test::untouched(scores) && test::untouched(dcontent) && test::untouched(gradients[0]); }
};

}  // namespace

TEST_CASE("scores of a pointer on every instruction set") {
  for (const PointerSize& n : {PointerSize{1, 1, 1, 1, {1}}, PointerSize{3, 2, 5, 7, {20, 26, 2}}, PointerSize{9, 4, 20, 33, {20, 26, 14, 17, 4}},
                               PointerSize{2, 5, 1, 300, {1, 300}}}) {
    const Pointer p(n);
    std::vector<const Block*> outputs{&p.scores, &p.dcontent};
    for (const Block& gradient : p.gradients) outputs.push_back(&gradient);
    agree(outputs, [&](Fast::stream& s) {
      REQUIRE(p.forward(s));
      REQUIRE(p.backward(s));
    });
  }
}

TEST_CASE("scores of a pointer do not know where in a plane they lie, to the bit") {
  CAPTURE(seed());
  Fast::stream s(1);
  const std::int64_t keys = 531;
  const Pointer all({1, 3, 1, keys, {20, 26}});
  REQUIRE(all.forward(s));
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, 1}, {7, 9}, {255, 258}, {3, 531}}) {
    const Pointer some({1, 3, 1, end - begin, {20, 26}});
    for (std::int64_t k = 0; k < 3; ++k)
      for (std::int64_t i = begin; i < end; ++i) set(some.content, k * (end - begin) + i - begin, get(all.content, k * keys + i));
    for (std::size_t r = 0; r < 2; ++r) {
      for (std::int64_t i = begin; i < end; ++i) set(some.bins[r], i - begin, get(all.bins[r], i));
      for (std::int64_t i = 0; i < some.tables[r].view().elements(); ++i) set(some.tables[r], i, get(all.tables[r], i));
    }
    REQUIRE(some.forward(s));
    std::int64_t wrong = 0;
    for (std::int64_t k = 0; k < 3; ++k)
      for (std::int64_t i = begin; i < end; ++i) wrong += get(some.scores, k * (end - begin) + i - begin) != get(all.scores, k * keys + i);
    CHECK(wrong == 0);
  }
}

TEST_CASE("scores of a pointer: what is not covered, bins outside their tables among it, is declined and nothing written") {
  Fast::stream s(2);
  for (const std::int32_t bad : {-1, 26, 1 << 30}) {
    const Pointer p({4, 2, 30, 41, {20, 26}});
    set(p.bins[1], 4 * 30 * 41 - 1, bad);
    CHECK_FALSE(p.forward(s));
    CHECK_FALSE(p.backward(s));
    CHECK(p.untouched());
  }
  const Pointer p({2, 3, 4, 5, {7}});
  const Block wide(DType::f64, {2, 3, 4, 5}), wide_bins(DType::i64, {2, 4, 5}), other_bins(DType::i32, {2, 5, 4}), other_table = random_block({7, 2});
  const auto declines = [&](const View& out, const View& content, const RelationViews& relation) {
    CHECK_FALSE(Fast::try_pointer_scores(s, out, content, std::vector{relation}, 1, 1));
    CHECK_FALSE(Fast::try_pointer_scores_backward(s, out, content, std::vector{relation}, 1, 1));
    CHECK(p.untouched());
  };
  declines(p.scores, wide, {p.tables[0], p.bins[0]});
  declines(p.scores, permuted(random_block({3, 2, 4, 5}), {1, 0, 2, 3}), {p.tables[0], p.bins[0]});
  declines(random_block({2, 3, 5, 4}), p.content, {p.tables[0], p.bins[0]});
  declines(p.scores, p.content, {other_table, p.bins[0]});
  declines(p.scores, p.content, {p.tables[0], wide_bins});
  declines(p.scores, p.content, {p.tables[0], other_bins});
}
