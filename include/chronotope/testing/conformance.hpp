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

#include "chronotope/core/error.hpp"
#include "chronotope/testing/conformance/report.hpp"
#include "chronotope/testing/conformance/target.hpp"

namespace chronotope::testing {

/// run_conformance on a backend behind functions. Throws ConfigError when an option names no operation.
ConformanceReport run_conformance_on(const Target& target, const ConformanceOptions& options);

/// Runs every case on the stream, or those of the operations that the options name. Failures of the backend are
/// reported, not thrown.
template <Backend B>
ConformanceReport run_conformance(typename B::stream& stream, const ConformanceOptions& options = {}) {
  return run_conformance_on(make_target<B>(stream), options);
}

}  // namespace chronotope::testing
