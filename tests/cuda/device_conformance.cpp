// The conformance suite on a real device; tests/cuda_on_host has its own.
#include <doctest/doctest.h>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/testing/conformance.hpp"

TEST_CASE("cuda_backend meets the conformance suite") {
  chronotope::cuda_backend::stream stream;
  const auto report = chronotope::testing::run_conformance<chronotope::cuda_backend>(stream, {.reports_bad_ids = false});
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.cases > 1000);
}
