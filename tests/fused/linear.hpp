#pragma once
// Linear layers and the cross-entropy over a vocabulary.

#include "fused/comparison.hpp"

namespace chronotope::test {

template <class V> void cross_entropy_cases(V&& visit) {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2}, {3, 5, 7}, {17, 24, 300}, {64, 96, 1031}};
  for (const auto& [rows, width, classes] : sizes) {
    std::vector<std::int32_t> wanted;
    for (std::int64_t i = 0; i < rows; ++i) wanted.push_back(static_cast<std::int32_t>((i * 31 + 1) % classes));
    const auto loss = [wanted, n = rows](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return linear_cross_entropy(x[0], x[1], Tensor<B>::from_host(c, wanted, {n}));
    };
    // Logits of a few units, as in models: e^x has the relative error of x times |x|, which the formula does not know.
    visit(FusedCase{"linear_cross_entropy", to_string(Shape{rows, width, classes}), static_cast<double>(std::max(classes, width))},
          WithGradients{{{rows, width}, {classes, width}}, 0.5, loss});
  }
}

template <class V> void linear_cases(V&& visit) {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 1}, {5, 7, 3}, {13, 80, 64}, {200, 64, 33}, {97, 300, 130}};
  for (const auto& [rows, in, out] : sizes)
    for (const bool relu : {false, true})
      visit(FusedCase{"linear", to_string(Shape{rows, in, out}) + (relu ? " with ReLU" : ""), static_cast<double>(std::max({rows, in, out}))},
            WithGradients{{{rows, in}, {out, in}, {out}}, 1.5, [relu](auto&, const auto& x) { return linear(x[0], x[1], x[2], relu); }});
  visit(FusedCase{"linear", "leading axes", 12},
        WithGradients{{{4, 3, 10}, {6, 10}, {6}}, 1.5, [](auto&, const auto& x) { return linear(x[0], x[1], x[2], true); }});
  visit(FusedCase{"linear", "a transposed input", 10, Taken::either},
        WithGradients{{{10, 7}, {6, 10}, {6}}, 1.5, [](auto&, const auto& x) { return linear(transpose(x[0], 0, 1), x[1], x[2]); }});
}

template <class V> void grouped_cases(V&& visit) {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 1, 1}, {13, 7, 3, 5}, {205, 48, 64, 168}, {97, 300, 130, 9}};
  for (const auto& [rows, in, out, groups] : sizes) {
    std::vector<std::int32_t> group;
    for (std::int64_t r = 0; r < rows; ++r) group.push_back(static_cast<std::int32_t>(r * 7 % groups));
    const auto layer = [group, n = rows](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return linear_grouped(x[0], x[1], x[2] * 1.0, Tensor<B>::from_host(c, group, {n}));  // the gradient of a leaf would stay rows
    };
    visit(FusedCase{"linear_grouped", to_string(Shape{rows, in, out, groups}), static_cast<double>(std::max({rows, in, out})), Taken::either, false},
          WithGradients{{{rows, in}, {out, in}, {groups, out}}, 1.5, layer});
  }
}

}  // namespace chronotope::test
