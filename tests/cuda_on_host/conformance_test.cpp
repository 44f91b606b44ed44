// The conformance suite on cuda_backend as the emulated device runs it, in several orders of threads.
#include <doctest/doctest.h>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/testing/conformance.hpp"
#include "emulator/control.hpp"

using namespace chronotope;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t orders = 1;  // a minute each; the build without sanitizers has compared them
#else
constexpr std::uint64_t orders = 3;
#endif

/// Runs the suite with threads in the order of a seed; the digest of everything that came back.
std::uint64_t conforms(std::uint64_t order, const testing::ConformanceOptions& options) {
  cuda_on_host::reset();
  cuda_on_host::set_seed(order);
  const std::size_t before = cuda_on_host::live_blocks();
  {
    cuda_backend::stream stream;
    const auto report = testing::run_conformance<cuda_backend>(stream, options);
    INFO(report.text());
    CHECK(report.passed());
    CHECK(report.cases > 1000);
  }
  CHECK(cuda_on_host::fault() == "");
  CHECK(cuda_on_host::live_blocks() == before);
  return cuda_on_host::digest();
}

}  // namespace

TEST_CASE("cuda_backend meets the conformance suite, with equal bits in every order of threads") {
  const testing::ConformanceOptions options{.reports_bad_ids = false};
  MESSAGE("orders of threads: seeds 1 to " << orders);
  const std::uint64_t digest = conforms(1, options);
  for (std::uint64_t order = 2; order <= orders; ++order) CHECK(conforms(order, options) == digest);
}

TEST_CASE("any_backend over cuda meets what copies and indexes ask") {
  cuda_on_host::reset();
  any_backend::stream stream = any_stream<cuda_backend>(cuda_backend::stream(1));
  const auto report = testing::run_conformance<any_backend>(stream, {.seed = 20240229, .operations = {"copy", "gather"}, .reports_bad_ids = false});
  INFO(report.text());
  CHECK(report.passed());
  CHECK(cuda_on_host::fault() == "");
}
