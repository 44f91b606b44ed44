#pragma once
// What the tests of fused hooks share: guarded buffers, values with error bounds, and every instruction set in turn.

#include <doctest/doctest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "chronotope/backend/onednn_backend.hpp"

namespace fused_fixture {

using chronotope::contiguous_view;
using chronotope::DType;
using chronotope::Shape;
using chronotope::View;

inline constexpr double unit_roundoff = 0x1p-24;

/// An expected value and the error it may have: |a - value| <= 8 u (size + |value|), where size is the root of the sum
/// of the squared terms (sqrt(K) rms for K terms). Below that a term may be lost to underflow: 2^-126,
/// times values of a few tens.
struct Expected {
  double value = 0, squares = 0;
  void add(double term, double condition = 1) {
    value += term;
    squares += (condition * term) * (condition * term);
  }
  double bound() const { return 8 * unit_roundoff * (std::sqrt(squares) + std::abs(value)) + 0x1p-118; }
};

/// Poisoned f32 memory between two guard zones.
class Buffer {
 public:
  explicit Buffer(std::int64_t size) : values_(static_cast<std::size_t>(size) + 2 * guard, poison()) {
    for (std::size_t i = 0; i < guard; ++i) values_[i] = values_[values_.size() - 1 - i] = mark;
  }
  float* data() { return values_.data() + guard; }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()) - 2 * guard; }
  float operator[](std::int64_t i) const { return values_[static_cast<std::size_t>(i + guard)]; }
  View view(const Shape& shape) { return contiguous_view(data(), DType::f32, shape); }
  bool guards_hold() const {
    for (std::size_t i = 0; i < guard; ++i) {
      if (values_[i] != mark || values_[values_.size() - 1 - i] != mark) return false;
    }
    return true;
  }
  bool untouched() const {
    for (std::int64_t i = 0; i < size(); ++i) {
      if (!std::isnan((*this)[i])) return false;
    }
    return guards_hold();
  }
  friend bool operator==(const Buffer& a, const Buffer& b) { return a.values_ == b.values_; }

 private:
  static constexpr int guard = 24;
  static constexpr float mark = -7.25f;
  static float poison() { return std::numeric_limits<float>::quiet_NaN(); }
  std::vector<float> values_;
};

inline std::vector<float> normal(std::mt19937& random, std::int64_t n, double deviation = 1) {
  std::normal_distribution<float> draw(0.0f, static_cast<float>(deviation));
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = draw(random);
  return values;
}

/// Every entry within its bound; reports the worst one only.
inline void check_near(const std::string& what, const Buffer& got, const std::vector<Expected>& expected) {
  REQUIRE(got.size() == static_cast<std::int64_t>(expected.size()));
  CHECK_MESSAGE(got.guards_hold(), what << " written outside its memory");
  double worst = -1;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const Expected& e = expected[static_cast<std::size_t>(i)];
    const double error = std::abs(got[i] - e.value), ratio = error == 0 ? 0 : error / e.bound();
    if (!(ratio <= worst)) {
      worst = ratio;
      at = i;
    }
    if (std::isnan(ratio)) break;
  }
  if (got.size() == 0) return;
  const Expected& e = expected[static_cast<std::size_t>(at)];
  CHECK_MESSAGE(worst <= 1, what << " [" << at << "]: " << got[at] << ", expected " << e.value << " ± " << e.bound());
}

/// Calls f once for each instruction set that this machine has; `name` is for messages.
template <class F>
void for_each_instruction_set(F&& f) {
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    INFO("instruction set ", hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    f();
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace fused_fixture
