#pragma once
// Rows by themselves: norms, softmax, SwiGLU, rope, dropout. Lengths beside a vector's and a warp's, narrow and wide ones, more rows
// than one part of a weight's gradient has.

#include "fused/comparison.hpp"

namespace chronotope::test {

template <class V> void norm_cases(V&& visit) {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 16}, Shape{5, 31}, Shape{2, 2, 32}, Shape{4, 3, 33}, Shape{257, 64},
                             Shape{130, 96}, Shape{5, 768}, Shape{2, 1000}, Shape{700, 3}}) {
    const std::int64_t width = shape[-1];
    const auto terms = static_cast<double>(std::max(width, shape.elements() / width));
    const std::string what = to_string(shape);
    visit(FusedCase{"softmax", what, terms}, WithGradients{{shape}, 1.5, [](auto&, const auto& x) { return softmax(x[0]); }});
    if (width == 1) continue;  // the gradient of a norm of one number is pure cancellation
    visit(FusedCase{"rms_norm", what, terms}, WithGradients{{shape, {width}}, 1.5, [](auto&, const auto& x) { return rms_norm(x[0], x[1]); }});
    visit(FusedCase{"layer_norm", what, terms},
          WithGradients{{shape, {width}, {width}}, 1.5, [](auto&, const auto& x) { return layer_norm(x[0], x[1], x[2]); }});
  }
  visit(FusedCase{"rms_norm", "a transposed [33, 20]", 33, Taken::either},
        WithGradients{{{33, 20}, {33}}, 1.5, [](auto&, const auto& x) { return rms_norm(transpose(x[0], 0, 1), x[1]); }});
  visit(FusedCase{"softmax", "a transposed [33, 20]", 33, Taken::either},
        WithGradients{{{33, 20}}, 1.5, [](auto&, const auto& x) { return softmax(transpose(x[0], 0, 1)); }});
}

template <class V> void swiglu_cases(V&& visit) {
  for (const Shape& shape : {Shape{2}, Shape{5, 62}, Shape{70, 66}, Shape{4, 3, 66}, Shape{257, 128}, Shape{2, 3, 1200}})
    visit(FusedCase{"swiglu", to_string(shape), 1}, WithGradients{{shape}, 1.5, [](auto&, const auto& x) { return swiglu(x[0]); }});
}

template <class V> void rope_cases(V&& visit) {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2}, {5, 3, 6}, {7, 2, 24}, {64, 4, 32}, {7, 24, 64}};
  for (const auto& [tokens, heads, width] : sizes) {
    std::vector<std::int32_t> at;
    for (std::int64_t t = 0; t < tokens; ++t) at.push_back(static_cast<std::int32_t>((t * 7 + 3) % 70));
    const auto turn = [at, w = width](auto& c, const auto& x, bool in_place) {
      using B = typename std::decay_t<decltype(c)>::backend;
      const auto position = Tensor<B>::from_host(c, at, {static_cast<std::int64_t>(at.size())});
      const RopeTables<B> tables(c, 70, w, 10000, x.dtype());
      return in_place ? rope_in_place(x, position, tables) : rope(x, position, tables);
    };
    const Shape whole{tokens, heads, width}, pieces{tokens, 3, heads, width};
    visit(FusedCase{"rope", to_string(whole), 2}, WithGradients{{whole}, 1.5, [turn](auto& c, const auto& x) { return turn(c, x[0], false); }});
    visit(FusedCase{"rope", "a piece of " + to_string(pieces), 2, Taken::either},
          WithGradients{{pieces}, 1.5, [turn](auto& c, const auto& x) { return turn(c, select(x[0], 1, 1), false); }});
    visit(FusedCase{"rope", "a piece of " + to_string(pieces) + " in place", 4, Taken::either},
          WithGradients{{pieces}, 1.5, [turn](auto& c, const auto& x) { return turn(c, select(x[0] + x[0], 1, 1), true); }});
  }
}

template <class V> void dropout_cases(V&& visit) {
  for (const Shape& shape : {Shape{1}, Shape{31}, Shape{5, 33}, Shape{130, 96}})
    for (const double p : {0.1, 0.999})
      visit(FusedCase{"dropout", to_string(shape), 1}, WithGradients{{shape}, 1.5, [p](auto&, const auto& x) { return dropout(x[0], p); }});
}

template <class V> void row_cases(V&& visit) {
  norm_cases(visit);
  swiglu_cases(visit);
  rope_cases(visit);
  dropout_cases(visit);
}

}  // namespace chronotope::test
