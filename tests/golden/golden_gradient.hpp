#pragma once
// What a parameter has collected, for comparison with a golden file.

#include "chronotope/autograd/backward.hpp"
#include "chronotope/autograd/parameter.hpp"
#include "chronotope/ops/ops.hpp"
#include "golden/golden_file.hpp"

namespace chronotope::golden {

/// All of a parameter's gradient: the dense part and the looked-up rows.
template <Backend B> std::vector<double> gradient_of(const Parameter<B>& p) {
  const Gradient<B>& g = p.gradient();
  const Tensor<B> sum = full<B>(p.value().state(), p.shape(), 0, p.value().dtype());
  if (g.dense.defined()) B::copy(sum.stream(), sum.view(), g.dense.view());
  for (const auto& part : g.rows) B::scatter_add(sum.stream(), sum.view(), part.ids.view(), part.rows.view());
  return numbers(sum);
}

}  // namespace chronotope::golden
