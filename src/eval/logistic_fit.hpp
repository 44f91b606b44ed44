#pragma once
// Logistic regression with a handful of features.

#include <cstdint>
#include <span>
#include <vector>

namespace chronotope::counting {

/// Weights [1 + features], the bias first, that minimise log loss summed over rows plus ridge / 2 x (squares of all weights but
/// the bias). features [rows, features] row by row, labels [rows] 0 or 1. Newton's method with halved steps; a ridge above 0
/// keeps the weights finite where the classes can be told apart. O(rows x features^2) a step, at most 50 steps; memory
/// O(features^2).
std::vector<double> fit_logistic(std::span<const float> features, std::span<const std::uint8_t> labels, double ridge);

}  // namespace chronotope::counting
