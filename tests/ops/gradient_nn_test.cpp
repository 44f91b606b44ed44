#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

TEST_CASE("gradients of norms and softmax") {
  for (const Shape& shape : {Shape{5}, Shape{3, 5}, Shape{2, 2, 5}, Shape{0, 5}}) {
    INFO(to_string(shape));
    check_gradients("rms_norm", {random(shape, 1), random({5}, 2)}, [](const Inputs& x) { return rms_norm(x[0], x[1]); });
    check_gradients("layer_norm", {random(shape, 3), random({5}, 4), random({5}, 5)},
                    [](const Inputs& x) { return layer_norm(x[0], x[1], x[2]); });
    check_gradients("softmax", {random(shape, 6, -3, 3)}, [](const Inputs& x) { return softmax(x[0]); });
  }
  check_gradients("norms of strided inputs", {random({5, 3}, 7), random({5, 2}, 8)}, [](const Inputs& x) {
    const T w = select(transpose(x[1], 0, 1), 0, 1);
    return rms_norm(transpose(x[0], 0, 1), w, 1e-3) + layer_norm(transpose(x[0], 0, 1), w, w, 1e-2);
  });
  check_gradients("norm of small values", {random({3, 4}, 9, -1e-3, 1e-3), random({4}, 10)},
                  [](const Inputs& x) { return rms_norm(x[0], x[1], 1e-5) + layer_norm(x[0], x[1], x[1], 1e-5); },
                  {.step = 1e-7, .tolerance = 1e-5});  // the functions curve on the scale of the inputs
}

TEST_CASE("softmax with hidden entries: their gradient is 0, not NaN") {
  const T mask = T::from_host(context(), std::vector<std::uint8_t>{0, 1, 0, 1, 0, 0}, {2, 3});
  check_gradients("masked softmax", {random({2, 3}, 11)}, [&](const Inputs& x) {
    return softmax(where(mask, scalar_like(x[0], -std::numeric_limits<double>::infinity()), x[0]));
  });
}

TEST_CASE("gradients of rope, positions repeated and out of order") {
  const RopeTables<Reference> tables(context(), 9, 4, 100, DType::f64);
  const T position = ids({0, 8, 3, 3});
  check_gradients("rope", {random({4, 2, 4}, 21)}, [&](const Inputs& x) { return rope(x[0], position, tables); });
  check_gradients("rope of a slice", {random({4, 3, 2, 4}, 22)},
                  [&](const Inputs& x) { return rope(select(x[0], 1, 1), position, tables); });
  check_gradients("rope of nothing", {random({0, 2, 4}, 23)}, [&](const Inputs& x) { return rope(x[0], ids({}), tables); });
}

TEST_CASE("gradients of swiglu") {
  const auto f = [](const Inputs& x) { return swiglu(x[0]); };
  for (const Shape& shape : {Shape{6}, Shape{3, 4}, Shape{2, 2, 2}, Shape{0, 4}, Shape{3, 0}})
    check_gradients("swiglu", {random(shape, 31, -3, 3)}, f);
  check_gradients("swiglu of a transpose", {random({4, 3}, 32)}, [](const Inputs& x) { return swiglu(transpose(x[0], 0, 1)); });
}

TEST_CASE("gradients of dropout: the mask of the backward is that of the forward") {
  check_gradients("dropout", {random({6, 7}, 41)}, [](const Inputs& x) { return dropout(x[0] * x[0], 0.4); });
  check_gradients("two dropouts", {random({6, 7}, 42)}, [](const Inputs& x) { return dropout(dropout(x[0], 0.3), 0.3); });
  check_gradients("dropout of a transpose", {random({6, 7}, 43)},
                  [](const Inputs& x) { return dropout(transpose(x[0], 0, 1), 0.5); });
}

TEST_CASE("gradients of losses") {
  const T target = ids({2, 0, 4, 2});
  check_gradients("cross_entropy", {random({4, 5}, 51, -3, 3)}, [&](const Inputs& x) { return cross_entropy(x[0], target); });
  check_gradients("cross_entropy of a transpose", {random({5, 4}, 52, -3, 3)},
                  [&](const Inputs& x) { return cross_entropy(transpose(x[0], 0, 1), target); });
  check_gradients("cross_entropy of no rows", {random({0, 5}, 53)}, [](const Inputs& x) { return cross_entropy(x[0], ids({})); });
  check_gradients("linear_cross_entropy", {random({4, 3}, 54), random({5, 3}, 55)},
                  [&](const Inputs& x) { return linear_cross_entropy(x[0], x[1], target); });
  check_gradients("linear_cross_entropy of no rows", {random({0, 3}, 56), random({5, 3}, 57)},
                  [](const Inputs& x) { return linear_cross_entropy(x[0], x[1], ids({})); });
}

namespace {

void check_attention_gradients(const char* name, const std::vector<std::int32_t>& lengths, const std::vector<std::int32_t>& rows) {
  const Packing<Reference> packing(context(), lengths);
  const T query_rows = ids(rows);
  const auto Q = static_cast<std::int64_t>(rows.size()), tokens = packing.tokens();
  check_gradients(name, {random({Q, 2, 4}, 61), random({tokens, 2, 4}, 62), random({tokens, 2, 4}, 63)},
                  [&](const Inputs& x) { return attention(x[0], x[1], x[2], packing, query_rows, 0.7); });
}

}  // namespace

TEST_CASE("gradients of packed attention") {
  check_attention_gradients("every token asks", {3, 2}, {0, 1, 2, 3, 4});
  check_attention_gradients("some tokens ask", {3, 1, 4}, {2, 3, 5, 7});
  check_attention_gradients("empty sequences", {0, 2, 0, 0, 3, 0}, {1, 2, 4});
  check_attention_gradients("sequences nobody asks in", {2, 3, 2}, {6});
  check_attention_gradients("one token", {1}, {0});
  check_attention_gradients("nobody asks", {2, 1}, {});
  check_attention_gradients("no tokens", {0, 0}, {});
  const Packing<Reference> packing(context(), {2, 3});
  const T rows = ids({0, 1, 2, 3, 4});
  check_gradients("q, k and v are pieces of one tensor", {random({5, 3, 2, 4}, 64)}, [&](const Inputs& x) {
    return attention(select(x[0], 1, 0), select(x[0], 1, 1), select(x[0], 1, 2), packing, rows, 0.5);
  });
}

TEST_CASE("gradients of the scores of a pointer; those of tables are dense") {
  const auto bins = [](std::vector<std::int32_t> values, const Shape& shape) { return reshape(ids(values), shape); };
  const T few = bins({0, 2, 1, 2, 2, 0, 0, 1, 2, 2, 1, 0}, {2, 2, 3}), one = bins(std::vector<std::int32_t>(12, 0), {2, 2, 3});
  const auto scores = [&](const Inputs& x) { return pointer_scores(x[0], {{x[1], few}, {x[2], one}}, 0.7, 3); };
  check_gradients("pointer_scores", {random({2, 2, 2, 3}, 71), random({3, 2}, 72), random({2, 2}, 73)}, scores);
  check_gradients("pointer_scores of pieces", {random({2, 2, 3, 2}, 74), random({2, 3}, 75)}, [&](const Inputs& x) {
    const T table = transpose(x[1], 0, 1);
    return pointer_scores(transpose(x[0], 2, 3), {{table, few}, {table, one}}, 0.7, 1);
  });
  check_gradients("without relations", {random({1, 2, 2, 3}, 76)}, [](const Inputs& x) { return pointer_scores(x[0], {}, 0.7, 3); });
  check_gradients("of nobody", {random({0, 2, 2, 3}, 77), random({3, 2}, 78)},
                  [&](const Inputs& x) { return pointer_scores(x[0], {{x[1], bins({}, {0, 2, 3})}}, 0.7, 3); });
  const Parameter<Reference> table(random({3, 2}, 79));
  backward(sum(pointer_scores(random({2, 2, 2, 3}, 80), {{table(), few}}, 1, 1)));
  CHECK(table.gradient().rows.empty());
  check_values(table.gradient().dense, {4, 4, 3, 3, 5, 5}, {3, 2});
}
