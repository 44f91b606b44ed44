#pragma once
// What the optimizer asks of a backend: steps of AdamW, sums of squares.

#include "chronotope/train/adam_step.hpp"
#include "fused/comparison.hpp"

namespace chronotope::test {

inline constexpr AdamStep made_up_step{.lr = 3e-4, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.05,
                                       .correction1 = 0.19, .correction2 = 0.0199, .grad_scale = 0.7};

/// Parameter and moments after a step; of some rows where there are ids.
struct SteppedAdam {
  Shape shape;
  std::vector<std::int32_t> ids;

  template <Backend B> Outcome run(DType dtype) const {
    Context<B> c(typename B::stream(), 42);
    const auto some = [&](const Shape& s, std::uint64_t seed, double low) { return upload(c, draw(s.elements(), seed, low, 2), s, dtype); };
    const auto p = some(shape, 1, -2), m = some(shape, 2, -2), v = some(shape, 3, 0);
    Shape rows = shape;
    if (!ids.empty()) rows[0] = static_cast<std::int64_t>(ids.size());
    const auto g = some(rows, 4, -2);
    if (ids.empty()) adam(p, m, v, g, made_up_step);
    else adam_rows(p, m, v, Tensor<B>::from_host(c, ids, {rows[0]}), g, made_up_step);
    return {{on_host(p), on_host(m), on_host(v)}, ids.empty() ? requires { &B::try_adamw; } : requires { &B::try_adamw_rows; }};
  }
};

/// Parameters of several sizes at once, all but their first `skipped` elements: of odd numbers, nothing lies by 16 bytes.
struct SteppedMany {
  std::vector<std::int64_t> sizes;
  std::int64_t skipped;

  template <Backend B> Outcome run(DType dtype) const {
    Context<B> c(typename B::stream(), 42);
    std::vector<AdamTensors<B>> all;
    for (const std::int64_t n : sizes) {
      const auto some = [&](std::uint64_t seed, double low) {
        return slice(upload(c, draw(n + skipped, seed + static_cast<std::uint64_t>(n), low, 2), {n + skipped}, dtype), 0, skipped, n + skipped);
      };
      all.push_back({some(1, -2), some(2, -2), some(3, 0), some(4, -2)});
    }
    adam_many(all, made_up_step);
    Outcome result{{}, requires { &B::try_adamw_many; }};
    for (const AdamTensors<B>& x : all)
      for (const Tensor<B>& y : {x.p, x.m, x.v}) result.tensors.push_back(on_host(y));
    return result;
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
  const std::vector<std::int64_t> sizes{5000, 0, 1, 2048, 9001, 3};
  visit(FusedCase{"adamw_many", "six parameters", 2}, SteppedMany{sizes, 0});
  visit(FusedCase{"adamw_many", "six parameters that lie oddly", 2}, SteppedMany{sizes, 1});
  visit(FusedCase{"adamw_many", "no parameter", 2}, SteppedMany{{}, 0});
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{1000}, Shape{257, 33}, Shape{50001}})
    visit(FusedCase{"sum_squares", to_string(shape), static_cast<double>(shape.elements())}, SumOfSquares{shape});
}

}  // namespace chronotope::test
