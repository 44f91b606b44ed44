#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

TEST_CASE("gradients of matmul, batched, broadcast, transposed and empty") {
  const std::pair<Shape, Shape> shapes[] = {{{2, 3}, {3, 4}},       {{1, 3}, {3, 1}},          {{5, 2, 3}, {5, 3, 2}},
                                            {{5, 2, 3}, {3, 2}},    {{2, 3}, {4, 3, 2}},       {{2, 1, 2, 3}, {3, 3, 2}},
                                            {{2, 0}, {0, 3}},       {{0, 3}, {3, 2}}};
  for (const auto& [a, b] : shapes) {
    INFO(to_string(a), " times ", to_string(b));
    check_gradients("matmul", {random(a, 1), random(b, 2)}, [](const Inputs& x) { return matmul(x[0], x[1]); });
  }
  check_gradients("matmul transposed", {random({3, 2}, 3), random({4, 3}, 4)},
                  [](const Inputs& x) { return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1)); });
  check_gradients("matmul of heads", {random({4, 2, 3}, 5), random({5, 2, 3}, 6)},
                  [](const Inputs& x) { return matmul(permute(x[0], {1, 0, 2}), permute(x[1], {1, 2, 0})); });
  check_gradients("matmul with itself", {random({3, 3}, 7)}, [](const Inputs& x) { return matmul(x[0], x[0]); });
}

TEST_CASE("gradients of linear") {
  const auto f = [](const Inputs& x) { return linear(x[0], x[1]); };
  for (const Shape& shape : {Shape{3}, Shape{2, 3}, Shape{2, 2, 3}, Shape{0, 3}})
    check_gradients("linear", {random(shape, 11), random({4, 3}, 12)}, f);
  check_gradients("linear of a transpose", {random({3, 5}, 13), random({4, 3}, 14)},
                  [](const Inputs& x) { return linear(transpose(x[0], 0, 1), x[1]); });
  check_gradients("linear without inputs", {random({2, 0}, 15), random({4, 0}, 16)}, f);
}

TEST_CASE("gradients of look-ups: parameters keep rows, other tensors a dense sum") {
  const T some = ids({3, 0, 3, 1, 3});
  const auto f = [](const Inputs& x) { return gather(x[0], x[1]); };
  check_gradients("gather", {random({4, 2}, 21), some}, f);
  check_gradients("gather of a vector", {random({4}, 22), some}, f);
  check_gradients("gather of matrices", {random({4, 2, 3}, 23), reshape(ids({1, 1, 0, 2}), {2, 2})}, f);
  check_gradients("gather with one id", {random({4, 2}, 24), reshape(ids({2}), Shape{})}, f);
  check_gradients("gather of nothing", {random({4, 2}, 25), ids({})}, f);
  check_gradients("gather twice", {random({4, 2}, 26), some},
                  [](const Inputs& x) { return gather(x[0], x[1]) * gather(x[0] * 2.0, x[1]) + sum(x[0]); });
  check_gradients("gather of a strided table", {random({2, 4}, 27), some},
                  [](const Inputs& x) { return gather(transpose(x[0], 0, 1), x[1]); });
  check_gradients("gather with strided ids", {random({4, 2}, 28), reshape(ids({3, 0, 0, 0, 2, 1}), {3, 2})},
                  [](const Inputs& x) { return gather(x[0], transpose(x[1], 0, 1)); });
  check_gradients("gather with i64 ids", {random({4, 2}, 29), cast(some, DType::i64)}, f);
}

TEST_CASE("gradients of several look-ups side by side") {
  const T a = ids({1, 0, 1}), b = ids({2, 2, 0});
  check_gradients("gather_concat", {random({2, 3}, 31), random({3, 1}, 32)}, [&](const Inputs& x) {
    return gather_concat(Inputs{x[0], x[1]}, Inputs{a, b});
  });
  check_gradients("gather_concat of computed tables", {random({2, 3}, 33)}, [&](const Inputs& x) {
    const T both = gather_concat(Inputs{x[0], exp(x[0]), x[0]}, Inputs{a, a, ids({0, 0, 0})});
    return both * both;
  });
}

TEST_CASE("gradients of scatter_add in base and rows, repeated ids") {
  const auto f = [](const Inputs& x) { return scatter_add(x[0], x[2], x[1]); };
  check_gradients("scatter_add", {random({4, 2}, 41), random({5, 2}, 42), ids({3, 0, 3, 1, 3})}, f);
  check_gradients("scatter_add to a vector", {random({4}, 43), random({2}, 44), ids({2, 2})}, f);
  check_gradients("scatter_add of nothing", {random({4, 2}, 45), random({0, 2}, 46), ids({})}, f);
  check_gradients("scatter_add of its own base", {random({3, 2}, 47)},
                  [](const Inputs& x) { return scatter_add(x[0], ids({2, 0, 0}), x[0] * x[0]); });
  check_gradients("scatter_add of strided rows", {random({4, 2}, 48), random({2, 3}, 49)},
                  [](const Inputs& x) { return scatter_add(x[0], ids({1, 1, 0}), transpose(x[1], 0, 1)); });
}
