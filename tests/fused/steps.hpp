#pragma once
// What the optimizer asks of a backend: steps of AdamW, sums of squares.

#include "chronotope/train/adam_step.hpp"
#include "fused/comparison.hpp"

namespace chronotope::test {

/// Parameter and moments after a step; of some rows where there are ids.
struct SteppedAdam {
  Shape shape;
  std::vector<std::int32_t> ids;

  template <Backend B> Outcome run(DType dtype) const {
    constexpr AdamStep step{.lr = 3e-4, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.05,
                            .correction1 = 0.19, .correction2 = 0.0199, .grad_scale = 0.7};
    Context<B> c(typename B::stream(), 42);
    const auto some = [&](const Shape& s, std::uint64_t seed, double low) { return upload(c, draw(s.elements(), seed, low, 2), s, dtype); };
    const auto p = some(shape, 1, -2), m = some(shape, 2, -2), v = some(shape, 3, 0);
    Shape rows = shape;
    if (!ids.empty()) rows[0] = static_cast<std::int64_t>(ids.size());
    const auto g = some(rows, 4, -2);
    if (ids.empty()) adam(p, m, v, g, step);
    else adam_rows(p, m, v, Tensor<B>::from_host(c, ids, {rows[0]}), g, step);
    return {{on_host(p), on_host(m), on_host(v)}, ids.empty() ? requires { &B::try_adamw; } : requires { &B::try_adamw_rows; }};
  }
};

struct SumOfSquares {
  Shape shape;
  template <Backend B> Outcome run(DType dtype) const {
    Context<B> c(typename B::stream(), 42);
    return {{on_host(sum_squares(upload(c, draw(shape.elements(), 5), shape, dtype)))}, requires { &B::try_sum_squares; }};
  }
};

template <class V> void step_cases(V&& visit) {
  for (const Shape& shape : {Shape{1}, Shape{31, 33}, Shape{9001}}) visit(FusedCase{"adamw", to_string(shape), 2}, SteppedAdam{shape, {}});
  for (const std::int64_t width : {1, 31, 32, 33, 1000})
    visit(FusedCase{"adamw_rows", to_string(Shape{20, width}), 2}, SteppedAdam{{20, width}, {7, 0, 19, 3, 11}});
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{1000}, Shape{257, 33}, Shape{50001}})
    visit(FusedCase{"sum_squares", to_string(shape), static_cast<double>(shape.elements())}, SumOfSquares{shape});
}

}  // namespace chronotope::test
