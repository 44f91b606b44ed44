#include "chronotope/eval/platt_scaling.hpp"

#include <algorithm>
#include <cmath>

#include "eval/logistic_fit.hpp"

namespace chronotope {

PlattScaling fit_platt_scaling(std::span<const float> logits, std::span<const std::uint8_t> labels) {
  constexpr double ridge = 1e-2;  // keeps the line finite where all labels can be told apart, and is nothing beside a few hundred samples
  const auto clicks = std::count(labels.begin(), labels.end(), std::uint8_t{1});
  const bool one_class = clicks == 0 || clicks == std::ssize(labels);
  if (one_class || !std::all_of(logits.begin(), logits.end(), [](float z) { return std::isfinite(z); })) return {};
  const std::vector<double> weights = counting::fit_logistic(logits, labels, ridge);
  return weights[1] > 0 ? PlattScaling{weights[1], weights[0]} : PlattScaling{};
}

}  // namespace chronotope
