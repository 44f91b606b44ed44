#pragma once
// What all families of test cases share: random numbers, comparison, and the report they fill.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/testing/conformance/report.hpp"
#include "chronotope/testing/tolerance.hpp"
#include "testing/operand.hpp"

namespace chronotope::testing {

/// References are computed in this type: integers exactly, floats in the widest there is.
template <class T> using Wide = std::conditional_t<std::is_floating_point_v<T>, long double, std::int64_t>;

/// A wanted element. Integers, NaN and infinities must be met exactly.
template <class T> struct Expected {
  std::conditional_t<std::is_floating_point_v<T>, double, T> value;
  double tolerance = 0;
};

class Suite {
 public:
  Suite(const Target& target, const ConformanceOptions& options)
      : target(target), options(options), state_(options.seed) {
    report.backend = target.name;
    report.seed = options.seed;
  }

  const Target& target;
  const ConformanceOptions options;
  ConformanceReport report;

  /// Where the errors of an operation in a dtype are kept.
  ConformanceError& error(const std::string& operation, DType dtype) {
    for (ConformanceError& known : report.errors)
      if (known.operation == operation && known.dtype == dtype) return known;
    return report.errors.emplace_back(ConformanceError{operation, dtype});
  }

  void fail(const std::string& text) {
    if (report.failed++ < options.failures_kept) report.failures.push_back(text);
  }

  /// SplitMix64 (Steele et al. 2014).
  std::uint64_t random() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); }

  /// Floats in [-2, 2), integers in [-9, 9], unsigned in [0, 9].
  template <class T> T number() {
    if constexpr (std::is_floating_point_v<T>) return static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-51 - 2);
    else if constexpr (std::is_signed_v<T>) return static_cast<T>(below(19) - 9);
    else return static_cast<T>(below(10));
  }

  /// A number of which 250 may be added up without leaving the type.
  template <class T> T term() {
    if constexpr (sizeof(T) == 1) return static_cast<T>(below(2));
    else return number<T>();
  }

  /// A factor or term of a sum of `terms` that a backend may add up one by one. Errors of such sums grow with K where
  /// the tolerance grows with sqrt(K), and add up where the terms are all equal; beyond 10 terms, and for equal ones,
  /// the numbers are whole and the sums without any error.
  template <class T> T sequential_term(std::int64_t terms, bool equal) {
    if (std::is_floating_point_v<T> && (terms > 10 || equal)) return static_cast<T>(below(19) - 9);
    return term<T>();
  }

  /// Layouts of some outputs followed by some inputs: each layout of each operand once, then some mixtures.
  std::vector<std::vector<Layout>> layouts(int outputs, int inputs) {
    const int n = outputs + inputs;
    std::vector<std::vector<Layout>> all{std::vector<Layout>(n)};
    const auto choices = [&](int operand) { return operand < outputs ? output_layouts : input_layouts; };
    for (int operand = 0; operand < n; ++operand) {
      for (int choice = 1; choice < choices(operand); ++choice) {
        all.emplace_back(n);
        all.back()[operand] = static_cast<Layout>(choice);
      }
    }
    for (int mixture = 0; mixture < 6; ++mixture) {
      all.emplace_back(n);
      for (int operand = 0; operand < n; ++operand) all.back()[operand] = static_cast<Layout>(below(choices(operand)));
    }
    return all;
  }

  /// f(zero of the type) for each supported dtype.
  template <class F> void for_each_dtype(F&& f) {
    for (const DType t : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
      if (target.supports(t)) dispatch(t, f);
  }

  bool need(DType t, const char* what) {
    if (target.supports(t)) return true;
    report.skipped.push_back(std::string(what) + " (needs " + to_string(t) + ")");
    return false;
  }

 private:
  std::uint64_t state_;
};

template <class T> std::string show(T value) {
  std::ostringstream text;
  text.precision(std::is_same_v<T, float> ? 9 : 17);
  text << +value;
  return text.str();
}

/// The error as a share of the tolerance: 0 where nothing is off, infinite where nothing may be.
template <class T> double share_of_tolerance(T got, const Expected<T>& wanted) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if constexpr (std::is_floating_point_v<T>) {
    const auto value = static_cast<double>(got);
    if (value == wanted.value || (std::isnan(value) && std::isnan(wanted.value))) return 0;
    if (!std::isfinite(value) || !std::isfinite(wanted.value)) return wrong;
    return std::abs(value - wanted.value) / wanted.tolerance;
  } else {
    return got == wanted.value ? 0 : wrong;
  }
}

/// What a case is counted under: "unary exp" of "unary exp in place", "matmul" of "matmul beta 1".
inline std::string operation_of(const std::string& call) {
  const auto first = call.find_first_of(" :");
  const std::string family = call.substr(0, first);
  if (family != "unary" && family != "binary" && family != "reduce") return family;
  return call.substr(0, call.find(' ', first + 1));
}

/// One call of one primitive with its operands, outputs first.
class Case {
 public:
  template <class... T> Case(Suite& suite, const std::string& operation, const Operand<T>&... operands)
      : suite_(suite), operation_(operation_of(operation)) {
    ++suite.report.cases;
    text_ = "[" + operation + "]";
    ((text_ += " " + operands.describe() + ";"), ...);
  }

  /// Runs the call; what it throws is a failure.
  template <class F> bool call(F&& f) {
    try {
      f();
      return true;
    } catch (const std::exception& e) {
      suite_.fail(text_ + " threw: " + e.what());
      return false;
    }
  }

  /// Every element of an output against wanted(i), and nothing written beside them.
  template <class T, class F> void expect(Operand<T>& out, F&& wanted) {
    out.fetch();
    ConformanceError& error = suite_.error(operation_, dtype_of<T>);
    error.values += out.size();
    std::int64_t wrong = 0, first = 0;
    for (std::int64_t i = out.size() - 1; i >= 0; --i) {
      const double share = share_of_tolerance<T>(out.result(i), wanted(i));
      error.share = std::max(error.share, share);
      if (share <= 1) continue;
      ++wrong;
      first = i;
    }
    if (wrong > 0) report_element(out, first, wrong, wanted(first));
    report_stray(out, out.stray_write(false));
  }

  /// Inputs keep every byte.
  template <class... T> void unchanged(Operand<T>&... in) { (check_unchanged(in), ...); }

  void fail(const std::string& why) { suite_.fail(text_ + " " + why); }

 private:
  template <class T>
  void report_element(const Operand<T>& out, std::int64_t i, std::int64_t wrong, const Expected<T>& wanted) {
    const auto at = position(out.shape(), i);
    suite_.fail(text_ + " at " + list(at.data(), out.shape().rank(), "[]") + ": got " + show(out.result(i)) +
                ", wanted " + show(wanted.value) + ", tolerance " + show(wanted.tolerance) + " (" +
                std::to_string(wrong) + " of " + std::to_string(out.size()) + " wrong)");
  }
  template <class T> void check_unchanged(Operand<T>& in) {
    in.fetch();
    report_stray(in, in.stray_write(true));
  }
  template <class T> void report_stray(const Operand<T>& operand, std::ptrdiff_t byte) {
    if (byte < 0) return;
    const std::ptrdiff_t from_start = byte - static_cast<std::ptrdiff_t>(Operand<T>::guard);
    suite_.fail(text_ + " changed memory it must not write: byte " + std::to_string(from_start) + " of " +
                operand.describe() + " (block of " + std::to_string(operand.bytes() - 2 * Operand<T>::guard) +
                " bytes)");
  }

  Suite& suite_;
  std::string operation_, text_;
};

}  // namespace chronotope::testing
