#include "chronotope/testing/conformance.hpp"

#include <algorithm>
#include <iterator>

#include "testing/attention.hpp"
#include "testing/contraction.hpp"
#include "testing/elementwise.hpp"
#include "testing/indexing.hpp"
#include "testing/memory.hpp"

namespace chronotope::testing {
namespace {

struct ConformanceFamily {
  const char* operation;
  void (*run)(Suite&);
};

constexpr ConformanceFamily conformance_families[] = {{"memory", memory_cases},
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

}  // namespace

ConformanceReport run_conformance_on(const Target& target, const ConformanceOptions& options) {
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

}  // namespace chronotope::testing
