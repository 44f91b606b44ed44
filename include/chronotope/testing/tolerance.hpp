#pragma once
// How far a result may lie from its reference: a formula instead of tuned numbers.
//   |a - r| <= c u (sqrt(K) rms(terms) + |r|)
// u is the unit roundoff of the dtype, K the number of terms that were added up; sqrt(K) rms(terms) is the size that a
// sum of K terms of random signs has. c = 8; raising it needs a comment. Sums must be blocked, pairwise or wider than
// their dtype to stay inside for large K: added up one by one, errors drift in proportion to K.

#include <cmath>
#include <cstdint>
#include <limits>

namespace chronotope::testing {

inline constexpr double tolerance_factor = 8;

/// 2^-24 for float, 2^-53 for double.
template <class T> constexpr double unit_roundoff() { return std::numeric_limits<T>::epsilon() / 2; }

/// The formula for results of type T; `rms` is the root mean square of the `terms` numbers added up to `reference`.
template <class T> double tolerance(double terms, double rms, double reference) {
  return tolerance_factor * unit_roundoff<T>() * (std::sqrt(terms) * rms + std::abs(reference));
}

/// Tolerance of a result that is not a sum.
template <class T> double tolerance(double reference) { return tolerance<T>(1, std::abs(reference), reference); }

/// A reference sum with what the formula needs to know of its terms.
class TermSum {
 public:
  void add(long double term) {
    total_ += term;
    squares_ += term * term;
    ++count_;
  }
  double total() const { return static_cast<double>(total_); }
  template <class T> double tolerance() const {
    const double count = static_cast<double>(count_ > 0 ? count_ : 1);
    return testing::tolerance<T>(count, std::sqrt(static_cast<double>(squares_) / count), total());
  }

 private:
  long double total_ = 0, squares_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace chronotope::testing
