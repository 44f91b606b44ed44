// Fused equals composed, forward and backward: onednn_backend with and without its hooks in f32, both against the
// composition in f64.

#ifdef CHRONOTOPE_HAVE_ONEDNN

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "fused/cases.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Fused = onednn_backend;
using Composed = primitives_only<onednn_backend>;

struct Compare {
  template <class R> void operator()(const FusedCase& use, const R& run) const {
    const Outcome reference = EqualsComposition<Fused>()(use, run), composed = run.template run<Composed>(DType::f32);
    INFO(use.operation, " of ", use.what, ", composed");
    if (use.operation != "dropout") CHECK_FALSE(composed.one_node);  // that is one node either way
    check_close(composed, reference, use.terms);
  }
};

}  // namespace

TEST_CASE("fused norms, softmax, swiglu, rope and dropout equal their compositions") { row_cases(Compare()); }
TEST_CASE("fused attention equals its composition") { attention_cases(Compare()); }
TEST_CASE("fused linear cross-entropy equals its composition") { cross_entropy_cases(Compare()); }
TEST_CASE("fused linear layers equal their compositions") { linear_cases(Compare()); }
TEST_CASE("a fused linear layer with a bias for each group of rows equals its composition") { grouped_cases(Compare()); }
TEST_CASE("a fused interest unit equals its composition") { hmin_cases(Compare()); }
TEST_CASE("a fused forgetting mask equals its composition") { forgetting_cases(Compare()); }
TEST_CASE("fused scores of a pointer equal their composition") { pointer_cases(Compare()); }
TEST_CASE("fused steps of AdamW and sums of squares equal their compositions") { step_cases(Compare()); }

TEST_CASE("an interest unit of one of everything is fused") {
  hmin_case([](const FusedCase&, const auto& run) { CHECK(run.template run<Fused>(DType::f32).one_node); }, {1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("a bias for each group of rows: shapes and groups are checked") {
  Context<Fused> c;
  const auto ones = [&](std::int64_t a, std::int64_t b) { return full<Fused>(c, {a, b}, 1); };
  const auto groups = [&](std::vector<std::int32_t> g) { return Tensor<Fused>::from_host(c, g, {static_cast<std::int64_t>(g.size())}); };
  CHECK(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 1})).to_host<float>() == std::vector<float>(8, 4));
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 2})), ShapeError);   // no such group
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, -1})), ShapeError);
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 5), groups({0, 1})), ShapeError);
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 1, 0})), ShapeError);
}

TEST_CASE("a fused linear layer gives a row the same bits beside any others") {
  Context<Fused> c;
  const std::int64_t rows = 205, in = 600, out = 70;
  const auto x = upload(c, draw(rows * in, 1), {rows, in}, DType::f32), w = upload(c, draw(out * in, 2), {out, in}, DType::f32), b = upload(c, draw(out, 3), {out}, DType::f32);
  const auto all = linear(x, w, b, true).to_host<float>();
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, 1}, {7, 9}, {100, 205}})
    CHECK(linear(slice(x, 0, begin, end), w, b, true).to_host<float>() == std::vector<float>(all.begin() + begin * out, all.begin() + end * out));
}

TEST_CASE("the fast backend refuses numbers outside their tables") {
  Context<Fused> c;
  const auto number = [&](std::vector<std::int32_t> v) { return Tensor<Fused>::from_host(c, v, {static_cast<std::int64_t>(v.size())}); };
  const auto x = full<Fused>(c, {2, 2, 4}, 1);
  for (std::int32_t bad : {-1, 5, 1 << 30}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(rope(x, number({0, bad}), RopeTables<Fused>(c, 5, 4)), ShapeError);
    CHECK_THROWS_AS(pointer_scores(full<Fused>(c, {1, 2, 1, 2}, 1), {{full<Fused>(c, {5, 2}, 1), reshape(number({0, bad}), {1, 1, 2})}}, 1, 1), ShapeError);
    CHECK_THROWS_AS(linear_cross_entropy(full<Fused>(c, {2, 3}, 1), full<Fused>(c, {5, 3}, 1), number({0, bad})), ShapeError);
    CHECK_THROWS_AS(attention(x, x, x, Packing<Fused>(c, {2}), number({0, bad}), 1), ShapeError);
  }
}

#endif
