#pragma once
// The conformance suite: every primitive of a backend and its attention hooks, every dtype it supports, every way
// operands can lie in memory, against plain host code. Needs no test framework:
//   my_backend::stream s;
//   auto report = chronotope::testing::run_conformance<my_backend>(s);
//   if (!report.passed()) std::cerr << report.text();
//
// Outputs are poisoned before each call and lie between guard zones; gaps, guard zones and inputs must come out
// unchanged. Device memory is touched through upload and download only. Floats are compared by the formula of
// tolerance.hpp. A run is repeated exactly by its seed.

#include <algorithm>
#include <iterator>

#include "chronotope/testing/conformance/attention.hpp"
#include "chronotope/testing/conformance/contraction.hpp"
#include "chronotope/testing/conformance/elementwise.hpp"
#include "chronotope/testing/conformance/indexing.hpp"
#include "chronotope/testing/conformance/memory.hpp"

namespace chronotope::testing {

struct ConformanceFamily {
  const char* operation;
  void (*run)(Suite&);
};

inline constexpr ConformanceFamily conformance_families[] = {{"memory", memory_cases},
                                                             {"fill", fill_cases},
                                                             {"copy", copy_cases},
                                                             {"unary", unary_cases},
                                                             {"binary", binary_cases},
                                                             {"select", select_cases},
                                                             {"matmul", matmul_cases},
                                                             {"reduce", reduce_cases},
                                                             {"cumsum", cumsum_cases},
                                                             {"gather", gather_cases},
                                                             {"scatter_add", scatter_add_cases},
                                                             {"topk", topk_cases},
                                                             {"uniform", uniform_cases},
                                                             {"attention", attention_cases}};

/// run_conformance on a backend behind functions. Throws ConfigError when an option names no operation.
inline ConformanceReport run_conformance_on(const Target& target, const ConformanceOptions& options) {
  Suite suite(target, options);
  for (const std::string& name : options.operations)
    if (std::none_of(std::begin(conformance_families), std::end(conformance_families),
                     [&](const auto& f) { return name == f.operation; }))
      throw ConfigError("[run_conformance] no operation is called '" + name + "'");
  for (const auto& [operation, run] : conformance_families) {
    const auto& wanted = options.operations;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), operation) != wanted.end()) run(suite);
  }
  return suite.report;
}

/// Runs every case on the stream, or those of the operations that the options name. Failures of the backend are
/// reported, not thrown.
template <Backend B>
ConformanceReport run_conformance(typename B::stream& stream, const ConformanceOptions& options = {}) {
  return run_conformance_on(make_target<B>(stream), options);
}

}  // namespace chronotope::testing
