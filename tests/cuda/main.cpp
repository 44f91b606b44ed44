// The tests of this folder on a real device; without one they are skipped (77).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/testing/conformance.hpp"

int main(int argc, char** argv) {
  if (chronotope::cuda_backend::device_count() == 0) {
    std::puts("no CUDA device: skipped");
    return 77;
  }
  doctest::Context context;
  context.setOption("no-path-filenames", true);
  context.applyCommandLine(argc, argv);
  return context.run();
}

TEST_CASE("cuda_backend meets the conformance suite") {
  chronotope::cuda_backend::stream stream;
  const auto report = chronotope::testing::run_conformance<chronotope::cuda_backend>(stream, {.reports_bad_ids = false});
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.cases > 1000);
}
