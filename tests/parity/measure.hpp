#pragma once
// Runs the conformance suite and the cases of tests/fused on one backend.

#include <algorithm>
#include <exception>

#include "chronotope/testing/conformance.hpp"
#include "fused/cases.hpp"
#include "parity/rows.hpp"

namespace chronotope::parity {

inline Row& row_of(Measured& measured, const std::string& operation, const std::string& backend, DType dtype) {
  for (Row& row : measured.rows)
    if (row.operation == operation && row.backend == backend && row.dtype == dtype) return row;
  return measured.rows.emplace_back(Row{.operation = operation, .backend = backend, .dtype = dtype});
}

/// Whether B has the hook of this name.
template <Backend B> bool has_hook(const std::string& operation) {
#define CHRONOTOPE_ENTRY(hook, parameters, arguments) \
  if (operation == #hook) return requires { &B::try_##hook; };
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY
  return false;
}

inline void raise(double& most, double share) { most = share <= most ? most : share; }  // NaN stays

/// The largest share over the result and the gradients of one case.
template <class R> double worst_of(const test::Outcome& actual, const test::Outcome& reference, double terms) {
  double most = actual.tensors.size() == reference.tensors.size() ? 0 : std::numeric_limits<double>::quiet_NaN();
  for (std::size_t t = 0; t < std::min(actual.tensors.size(), reference.tensors.size()); ++t)
    raise(most, test::worst_share<R>(actual.tensors[t], reference.tensors[t], terms));
  return most;
}

template <Backend B> struct MeasureHook {
  Measured& measured;
  const std::string& backend;

  template <class R> void operator()(const test::FusedCase& use, const R& run) const {
    const test::Outcome reference = run.template run<test::Reference>(DType::f64);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const bool first = std::none_of(measured.rows.begin(), measured.rows.end(), [&](const Row& row) {
        return row.operation == use.operation && row.backend == backend && row.dtype == dtype;
      });
      Row& row = row_of(measured, use.operation, backend, dtype);
      const test::Outcome actual = run.template run<B>(dtype);
      row.hook = true;
      ++row.compared;
      row.composed = (first || row.composed) && !(has_hook<B>(use.operation) && (actual.one_node || !use.alone));
      // In f64 the reference is rounded like the result: both may be off.
      raise(row.share, dtype == DType::f32 ? worst_of<float>(actual, reference, use.terms) : worst_of<double>(actual, reference, use.terms) / 2);
    }
  }
};

/// All of B under the name of its column.
template <Backend B> Measured measure(const std::string& backend, typename B::stream stream, const testing::ConformanceOptions& options = {}) {
  Measured measured;
  const testing::ConformanceReport report = testing::run_conformance<B>(stream, options);
  for (const testing::ConformanceError& error : report.errors)
    measured.rows.push_back({.operation = error.operation, .backend = backend, .dtype = error.dtype, .compared = error.values, .share = error.share, .hook = has_hook<B>(error.operation)});
  for (const std::string& reason : report.skipped) measured.left_out.push_back(backend + ": " + reason);
  for (const std::string& failure : report.failures) measured.left_out.push_back(backend + " FAILED: " + failure);
  if (!report.passed()) row_of(measured, "conformance", backend, DType::f32).share = std::numeric_limits<double>::quiet_NaN();
  test::fused_cases(MeasureHook<B>{measured, backend});
  return measured;
}

}  // namespace chronotope::parity
