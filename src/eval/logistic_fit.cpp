#include "eval/logistic_fit.hpp"

#include <algorithm>
#include <cmath>

namespace chronotope::counting {
namespace {

using Vector = std::vector<double>;

/// Loss, gradient [d] and Hessian [d, d] (lower half) at one point.
struct Slope {
  double loss = 0;
  Vector gradient, hessian;
};

double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

class Problem {
 public:
  Problem(std::span<const float> features, std::span<const std::uint8_t> labels, double ridge)
      : features_(features), labels_(labels), ridge_(ridge), width_(labels.empty() ? 0 : features.size() / labels.size()) {}

  std::size_t weights() const { return width_ + 1; }

  double loss(const Vector& w) const {
    double sum = penalty(w);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const double z = score(w, i);
      sum += softplus(labels_[i] ? -z : z);
    }
    return sum;
  }

  Slope slope(const Vector& w) const {
    const std::size_t d = weights();
    Slope s{loss(w), Vector(d), Vector(d * d)};
    Vector x(d, 1);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      std::copy_n(features_.begin() + static_cast<std::ptrdiff_t>(i * width_), width_, x.begin() + 1);
      const double p = 1 / (1 + std::exp(-score(w, i))), curvature = p * (1 - p);
      for (std::size_t a = 0; a < d; ++a) {
        s.gradient[a] += (p - labels_[i]) * x[a];
        for (std::size_t b = 0; b <= a; ++b) s.hessian[a * d + b] += curvature * x[a] * x[b];
      }
    }
    for (std::size_t a = 1; a < d; ++a) s.gradient[a] += ridge_ * w[a], s.hessian[a * d + a] += ridge_;
    return s;
  }

 private:
  double penalty(const Vector& w) const {
    double squares = 0;
    for (std::size_t a = 1; a < w.size(); ++a) squares += w[a] * w[a];
    return ridge_ / 2 * squares;
  }
  double score(const Vector& w, std::size_t row) const {
    double z = w[0];
    for (std::size_t a = 0; a < width_; ++a) z += w[a + 1] * static_cast<double>(features_[row * width_ + a]);
    return z;
  }

  std::span<const float> features_;
  std::span<const std::uint8_t> labels_;
  double ridge_;
  std::size_t width_;
};

/// Solves H x = g by Cholesky's decomposition in place; a pivot at the edge of 0 is lifted.
Vector solve(Vector h, Vector g) {
  const std::size_t d = g.size();
  for (std::size_t a = 0; a < d; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = h[a * d + b];
      for (std::size_t c = 0; c < b; ++c) sum -= h[a * d + c] * h[b * d + c];
      h[a * d + b] = a == b ? std::sqrt(std::max(sum, 1e-12)) : sum / h[b * d + b];
    }
  for (std::size_t a = 0; a < d; ++a) {
    for (std::size_t b = 0; b < a; ++b) g[a] -= h[a * d + b] * g[b];
    g[a] /= h[a * d + a];
  }
  for (std::size_t a = d; a-- > 0;) {
    for (std::size_t b = a + 1; b < d; ++b) g[a] -= h[b * d + a] * g[b];
    g[a] /= h[a * d + a];
  }
  return g;
}

}  // namespace

std::vector<double> fit_logistic(std::span<const float> features, std::span<const std::uint8_t> labels, double ridge) {
  const Problem problem(features, labels, ridge);
  Vector w(problem.weights());
  for (int step = 0; step < 50; ++step) {
    const Slope s = problem.slope(w);
    const Vector by = solve(s.hessian, s.gradient);
    Vector next = w;
    double part = 1, largest = 0;
    for (;; part /= 2) {
      for (std::size_t a = 0; a < w.size(); ++a) next[a] = w[a] - part * by[a];
      if (problem.loss(next) <= s.loss) break;
      if (part < 1e-6) return w;  // no way down: the lowest point, but for rounding
    }
    for (const double b : by) largest = std::max(largest, std::abs(part * b));
    w = next;
    if (largest < 1e-9) break;
  }
  return w;
}

}  // namespace chronotope::counting
