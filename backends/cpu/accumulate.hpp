#pragma once
// Running sums and maxima. A sum of floats is kept in double; a sum of doubles keeps what each addition rounds away
// (Knuth's two-sum), so errors stay at a few roundoffs however many terms there are; integers wrap.

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "arithmetic.hpp"

namespace chronotope::cpu {

template <class T> struct Sum {
  T total{};
  void add(T x) { total = wrap_add(total, x); }
  void merge(const Sum& other) { add(other.total); }
  T result() const { return total; }
};

template <> struct Sum<float> {
  double total = 0;
  void add(float x) { total += static_cast<double>(x); }
  void merge(const Sum& other) { total += other.total; }
  float result() const { return static_cast<float>(total); }
};

template <> struct Sum<double> {
  double total = 0, lost = 0;
  void add(double x) {
    const double sum = total + x, part = sum - total;
    lost += (total - (sum - part)) + (x - part);
    total = sum;
  }
  void merge(const Sum& other) {
    add(other.total);
    lost += other.lost;
  }
  // After an infinity the lost part is NaN and says nothing.
  double result() const { return std::isfinite(total) ? total + lost : total; }
};

template <class T> struct Max {
  T total = least_value<T>();
  void add(T x) { total = max_nan(x, total); }
  void merge(const Max& other) { add(other.total); }
  T result() const { return total; }
};

/// Adds n elements, eight independent accumulators at a time where they are contiguous.
template <class A, class T> void accumulate(A& into, const T* p, std::int64_t step, std::int64_t n) {
  std::int64_t i = 0;
  if (step == 1 && n >= 16) {
    A lanes[8];
    for (; i + 8 <= n; i += 8)
      for (int lane = 0; lane < 8; ++lane) lanes[lane].add(p[i + lane]);
    for (const A& lane : lanes) into.merge(lane);
  }
  for (; i < n; ++i) into.add(p[i * step]);
}

}  // namespace chronotope::cpu
