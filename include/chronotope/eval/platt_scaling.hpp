#pragma once
// Probabilities that come true as often as they say (Platt 1999, "Probabilistic Outputs for Support Vector Machines").

#include <cstdint>
#include <span>

namespace chronotope {

/// A line through logits. It keeps their order, so AUC and GAUC stay as they were.
struct PlattScaling {
  double slope = 1, shift = 0;
  float operator()(float logit) const { return static_cast<float>(slope * static_cast<double>(logit) + shift); }
};

/// The line under which the labels of held-out samples are likeliest. The line as it is (1, 0) where there is nothing to learn
/// from: samples of one class, no samples, logits that are not finite, or logits that do not rise with the labels. O(samples).
PlattScaling fit_platt_scaling(std::span<const float> logits, std::span<const std::uint8_t> labels);

}  // namespace chronotope
