// Error texts name the operation, the values that disagree and the rule.

#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

template <class E, class F> void check_text(F&& f, const std::vector<std::string>& parts) {
  const std::string text = error_text<E>(f);
  for (const std::string& part : parts) {
    INFO(text);
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

T shaped(const Shape& shape, DType dtype = DType::f64) { return zeros(context(), shape, dtype); }

}  // namespace

TEST_CASE("shape errors name operation, both shapes and the rule") {
  check_text<ShapeError>([] { shaped({2, 3}) + shaped({4}); }, {"[add]", "broadcast", "[2, 3]", "[4]", "3 against 4"});
  check_text<ShapeError>([] { shaped({2, 3}) * shaped({3, 3}); }, {"[mul]", "[2, 3]", "[3, 3]", "2 against 3"});
  check_text<ShapeError>([] { matmul(shaped({2, 3, 4}), shaped({5, 6})); }, {"[matmul]", "inner extents differ", "[2, 3, 4]", "[5, 6]", "4 != 5"});
  check_text<ShapeError>([] { matmul(shaped({2, 2, 2}), shaped({3, 2, 2})); }, {"[matmul]", "[2]", "[3]"});
  check_text<ShapeError>([] { matmul(shaped({2}), shaped({2, 2})); }, {"[matmul]", "[2]", "[2, 2]", "two axes"});
  check_text<ShapeError>([] { linear(shaped({2, 3}), shaped({4, 5})); }, {"[linear]", "[2, 3]", "[4, 5]"});
  check_text<ShapeError>([] { reshape(shaped({2, 3}), {4, 2}); }, {"[reshape]", "[2, 3]", "[4, 2]"});
  check_text<ShapeError>([] { reshape(shaped({2, 3}), {4, -1}); }, {"[reshape]", "[2, 3]"});
  check_text<ShapeError>([] { permute(shaped({2, 3}), {0, 0}); }, {"[permute]", "twice"});
  check_text<ShapeError>([] { permute(shaped({2, 3}), {0}); }, {"[permute]", "[2, 3]"});
  check_text<ShapeError>([] { slice(shaped({2, 3}), 1, 2, 4); }, {"[slice]", "[2, 3]", "2 up to 4"});
  check_text<ShapeError>([] { slice(shaped({2, 3}), 1, -1, 2); }, {"[slice]"});
  check_text<ShapeError>([] { select(shaped({2, 3}), 0, 2); }, {"[2, 3]"});
  check_text<ShapeError>([] { expand(shaped({2, 3}), {2, 4}); }, {"[expand]", "[2, 3]", "[2, 4]"});
  check_text<ShapeError>([] { expand(shaped({2, 3}), {3}); }, {"[expand]", "[2, 3]", "[3]"});
  check_text<ShapeError>([] { squeeze(shaped({2, 3}), 0); }, {"[squeeze]", "[2, 3]"});
  check_text<ShapeError>([] { unsqueeze(shaped({2, 3}), 4); }, {"[unsqueeze]", "[2, 3]"});
  check_text<ShapeError>([] { concat(Inputs{shaped({2, 3}), shaped({2, 4})}, 0); }, {"[concat]", "[2, 3]", "[2, 4]"});
  check_text<ShapeError>([] { concat(Inputs{shaped({2, 3}), shaped({2})}, 0); }, {"[concat]", "[2, 3]", "[2]"});
  check_text<ShapeError>([] { concat(Inputs{}, 0); }, {"[concat]"});
  check_text<ShapeError>([] { sum(shaped({2, 3}), 2); }, {"axis 2", "[2, 3]"});
  check_text<ShapeError>([] { rms_norm(shaped({2, 3}), shaped({4})); }, {"[rms_norm]", "[2, 3]", "[4]"});
  check_text<ShapeError>([] { layer_norm(shaped({2, 3}), shaped({3}), shaped({2})); }, {"[layer_norm]", "[2, 3]", "[2]"});
  check_text<ShapeError>([] { swiglu(shaped({2, 3})); }, {"[swiglu]", "even", "[2, 3]"});
  check_text<ShapeError>([] { RopeTables<Reference>(context(), 4, 3); }, {"[rope]", "even", "3"});
  check_text<ShapeError>([] { topk(shaped({2, 3}), 4); }, {"[topk]", "k = 4", "3 entries"});
  check_text<ShapeError>([] { scatter_add(shaped({2, 3}), ids({0}), shaped({2, 3})); }, {"[scatter_add]", "[2, 3]"});
  check_text<ShapeError>([] { gather_concat(Inputs{shaped({2, 3})}, Inputs{}); }, {"[gather_concat]", "1 tables and 0"});
  check_text<ShapeError>([] { cross_entropy(shaped({2, 3}), ids({0})); }, {"[cross_entropy]", "[2, 3]", "[1]"});
  check_text<ShapeError>([] { linear_cross_entropy(shaped({2, 3}), shaped({5, 4}), ids({0, 1})); }, {"[linear_cross_entropy]", "[2, 3]", "[5, 4]"});
}

TEST_CASE("attention says which of its operands does not fit") {
  const Packing<Reference> packing(context(), {2, 1});
  const T rows = ids({0, 1, 2}), x = shaped({3, 2, 4});
  check_text<ShapeError>([&] { attention(shaped({3, 2, 2}), x, x, packing, rows, 1); }, {"[attention]", "[3, 2, 2]", "[3, 2, 4]"});
  check_text<ShapeError>([&] { attention(x, x, shaped({3, 2, 2}), packing, rows, 1); }, {"[attention]", "k and v", "[3, 2, 2]"});
  check_text<ShapeError>([&] { attention(x, shaped({4, 2, 4}), shaped({4, 2, 4}), packing, rows, 1); }, {"[attention]", "[4, 2, 4]", "[3]"});
  check_text<ShapeError>([&] { attention(x, x, x, packing, ids({0, 1}), 1); }, {"[attention]", "query row", "[3, 2, 4]", "[2]"});
  check_text<DTypeError>([&] { attention(x, x, x, packing, cast(rows, DType::i64), 1); }, {"[attention]", "query_rows", "i32", "i64"});
  check_text<ShapeError>([&] { Packing<Reference>(context(), {2, -1}); }, {"[packing]", "segment 1", "negative"});
  check_text<ShapeError>([&] { attention(x, x, x, packing, ids({0, 1, 3}), 1); }, {"3"});
}

TEST_CASE("scores of a pointer say which of their operands does not fit") {
  const auto run = [](const Shape& content, const Shape& table, const Shape& bins, DType of_table = DType::f64, DType of_bins = DType::i32) {
    pointer_scores<Reference>(shaped(content), {{shaped(table, of_table), shaped(bins, of_bins)}}, 1, 1);
  };
  check_text<ShapeError>([&] { run({2, 3, 4}, {7, 3}, {2, 4, 5}); }, {"[pointer_scores]", "content", "[2, 3, 4]"});
  check_text<ShapeError>([&] { run({2, 3, 4, 5}, {7}, {2, 4, 5}); }, {"[pointer_scores]", "table", "[7]"});
  check_text<ShapeError>([&] { run({2, 3, 4, 5}, {7, 2}, {2, 4, 5}); }, {"[pointer_scores]", "[2, 3, 4, 5]", "[7, 2]"});
  check_text<ShapeError>([&] { run({2, 3, 4, 5}, {7, 3}, {2, 5, 4}); }, {"[pointer_scores]", "[2, 3, 4, 5]", "[2, 5, 4]"});
  check_text<DTypeError>([&] { run({2, 3, 4, 5}, {7, 3}, {2, 4, 5}, DType::f32); }, {"[pointer_scores]", "f64", "f32"});
  check_text<DTypeError>([&] { run({2, 3, 4, 5}, {7, 3}, {2, 4, 5}, DType::f64, DType::i64); }, {"[pointer_scores]", "i32", "i64"});
}

TEST_CASE("dtype errors name operation and both types") {
  check_text<DTypeError>([] { shaped({2}) + shaped({2}, DType::f32); }, {"[add]", "f64", "f32"});
  check_text<DTypeError>([] { matmul(shaped({2, 2}), shaped({2, 2}, DType::f32)); }, {"[matmul]", "f64", "f32"});
  check_text<DTypeError>([] { exp(shaped({2}, DType::i32)); }, {"[exp]", "i32"});
  check_text<DTypeError>([] { ids({1}) / ids({1}); }, {"[div]", "i32"});
  check_text<DTypeError>([] { where(shaped({2}), shaped({2}), shaped({2})); }, {"[where]", "u8", "f64"});
  check_text<DTypeError>([] { gather(shaped({2}), shaped({2})); }, {"[gather]", "f64"});
  check_text<DTypeError>([] { cross_entropy(shaped({2, 3}), shaped({2}, DType::i64)); }, {"[cross_entropy]", "target", "i32", "i64"});
  check_text<DTypeError>([] { rms_norm(shaped({2, 3}), shaped({3}, DType::f32)); }, {"[rms_norm]", "f64", "f32"});
  check_text<DTypeError>([] { concat(Inputs{shaped({2}), shaped({2}, DType::f32)}, 0); }, {"[concat]", "f64", "f32"});
}

TEST_CASE("numbers outside a table are refused, never read") {
  for (std::int32_t bad : {-1, 3, 1000000}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(gather(shaped({3, 2}), ids({0, bad})), ShapeError);
    CHECK_THROWS_AS(gather_concat(Inputs{shaped({3, 2})}, Inputs{ids({0, bad})}), ShapeError);
    CHECK_THROWS_AS(scatter_add(shaped({3, 2}), ids({0, bad}), shaped({2, 2})), ShapeError);
    CHECK_THROWS_AS(cross_entropy(shaped({2, 3}), ids({bad, 0})), ShapeError);
    CHECK_THROWS_AS(cross_entropy(shaped({2, 3}), ids({0, bad})), ShapeError);
    CHECK_THROWS_AS(linear_cross_entropy(shaped({2, 4}), shaped({3, 4}), ids({0, bad})), ShapeError);
    CHECK_THROWS_AS(pointer_scores(shaped({1, 2, 1, 2}), {{shaped({3, 2}), reshape(ids({0, bad}), {1, 1, 2})}}, 1, 1), ShapeError);
    CHECK_THROWS_AS(rope(shaped({1, 1, 2}), ids({bad}), RopeTables<Reference>(context(), 3, 2, 100, DType::f64)), ShapeError);
  }
}

TEST_CASE("dropout refuses what is no probability below 1") {
  for (double p : {-0.1, 1.0, 2.0, std::nan("")}) CHECK_THROWS_AS(dropout(shaped({2}), p), ConfigError);
}

TEST_CASE("error texts say in which module they happened") {
  const ModuleScope outer("decoder.blocks", 3), inner("attn");
  check_text<ShapeError>([] { matmul(shaped({2, 3}), shaped({4, 5})); }, {"[matmul]", " in decoder.blocks.3.attn"});
}
