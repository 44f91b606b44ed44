#pragma once
// What the conformance suite is asked for, and what it says.

#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/core/dtype.hpp"

namespace chronotope::testing {

struct ConformanceOptions {
  std::uint64_t seed = 1;
  std::vector<std::string> operations{};  ///< primitives to test, as "matmul", or "memory"; empty: all
  int failures_kept = 50;                 ///< lines kept in the report; all failures are counted
  bool reports_bad_ids = true;            ///< false for a backend that could see an id only by synchronising
};

/// How far the results of one operation in one dtype were from what was wanted.
struct ConformanceError {
  std::string operation;    ///< "unary exp", "matmul"
  DType dtype;
  std::int64_t values = 0;  ///< that were compared
  double share = 0;         ///< the largest error as a share of its tolerance; 0: all exact, above 1: failed
};

struct ConformanceReport {
  std::string backend;
  std::uint64_t seed = 0;
  int cases = 0;
  int failed = 0;                     ///< checks that failed, several may be of one case
  std::vector<std::string> failures;  ///< operation, operands, index, got, wanted, tolerance
  std::vector<std::string> skipped;   ///< what was left out because the backend lacks a dtype
  std::vector<ConformanceError> errors;

  bool passed() const { return failed == 0; }
  std::string text() const {
    std::string all = backend + ": " + std::to_string(cases) + " cases, " + std::to_string(failed) +
                      " failures, seed " + std::to_string(seed) + "\n";
    for (const auto& line : skipped) all += "  not tested: " + line + "\n";
    for (const auto& line : failures) all += "  " + line + "\n";
    return all;
  }
};

}  // namespace chronotope::testing
