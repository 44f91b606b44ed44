#pragma once
// Random click rows, and the measures once more as the plain double loops that define them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "chronotope/eval/clicks.hpp"

namespace chronotope::click_test {

struct Rows {
  std::vector<float> scores, second;
  std::vector<std::uint8_t> labels, subset;
  std::vector<std::uint32_t> users;
  ClickRows view() const { return {scores, labels, subset}; }
};

/// `levels` distinct scores: few make many ties. Users are of very unequal size; some rows are outside the subset.
inline Rows random_rows(std::mt19937& random, std::size_t n, int levels, std::uint32_t users, bool with_subset) {
  Rows r;
  std::uniform_int_distribution<int> level(0, levels - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const int a = level(random);
    r.scores.push_back(static_cast<float>(a - levels / 2) / 7);
    r.second.push_back(static_cast<float>(std::min(a, level(random))));
    r.labels.push_back(static_cast<int>(random() % levels) < a);
    r.users.push_back(static_cast<std::uint32_t>(random() % users * (random() % users)));
    if (with_subset) r.subset.push_back(random() % 4 != 0);
  }
  return r;
}

inline bool counts(const ClickRows& r, std::size_t i) { return r.subset.empty() || r.subset[i]; }
inline double won(float click, float other) { return click > other ? 1 : click == other ? .5 : 0; }

/// NaN with one class only.
inline double slow_auc(const ClickRows& r) {
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < r.scores.size(); ++i)
    for (std::size_t j = 0; j < r.scores.size(); ++j) {
      if (!counts(r, i) || !counts(r, j) || !r.labels[i] || r.labels[j]) continue;
      sum += won(r.scores[i], r.scores[j]);
      pairs += 1;
    }
  return sum / pairs;
}

/// Placement of row i: its mean against the rows of the other class.
inline double slow_placement(const ClickRows& r, std::size_t i) {
  double sum = 0, n = 0;
  for (std::size_t j = 0; j < r.scores.size(); ++j) {
    if (!counts(r, j) || r.labels[i] == r.labels[j]) continue;
    sum += r.labels[i] ? won(r.scores[i], r.scores[j]) : won(r.scores[j], r.scores[i]);
    n += 1;
  }
  return sum / n;
}

/// Sample covariance matrix entries as DeLong's paper has them, for the difference of `r` and `second` (empty: `r`
/// alone).
inline double slow_delong_variance(const ClickRows& r, std::span<const float> second) {
  double total = 0;
  for (const int label : {0, 1}) {
    std::vector<double> v;
    for (std::size_t i = 0; i < r.scores.size(); ++i)
      if (counts(r, i) && r.labels[i] == label)
        v.push_back(slow_placement(r, i) - (second.empty() ? 0 : slow_placement({second, r.labels, r.subset}, i)));
    double mean = 0, squares = 0;
    for (const double x : v) mean += x / static_cast<double>(v.size());
    for (const double x : v) squares += (x - mean) * (x - mean);
    total += squares / static_cast<double>(v.size() - 1) / static_cast<double>(v.size());
  }
  return total;
}

}  // namespace chronotope::click_test
