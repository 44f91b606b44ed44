// The conformance suite on cuda_backend, as the emulated device runs it.
#include <doctest/doctest.h>

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/testing/conformance.hpp"
#include "emulator/control.hpp"

using namespace chronotope;

namespace {

/// The digest of everything that came back.
std::uint64_t conforms(std::uint64_t seed, const std::vector<std::string>& operations = {}) {
  CAPTURE(seed);
  cuda_on_host::reset();
  cuda_on_host::set_seed(seed);
  {
    cuda_backend::stream stream;
    const auto report = testing::run_conformance<cuda_backend>(stream, {.operations = operations, .reports_bad_ids = false});
    INFO(report.text());
    CHECK(report.passed());
    CHECK(report.cases > 10);
  }
  CHECK(cuda_on_host::fault() == "");
  CHECK(cuda_on_host::live_blocks() == 0);
  return cuda_on_host::digest();
}

}  // namespace

TEST_CASE("fill and memory") { conforms(1, {"memory", "fill"}); }
TEST_CASE("copy") { conforms(1, {"copy"}); }
TEST_CASE("elementwise") { conforms(1, {"unary","binary","select","uniform"}); }
TEST_CASE("reduce") { conforms(1, {"reduce","cumsum"}); }
TEST_CASE("matmul") { conforms(1, {"matmul"}); }
TEST_CASE("index") { conforms(1, {"gather","scatter_add"}); }
TEST_CASE("topk") { conforms(1, {"topk"}); }
